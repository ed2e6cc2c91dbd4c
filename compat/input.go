package compat

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"github.com/99designs/gqlgen/graphql"
)

const (
	maxForm  = 1 << 20 // bytes of a body, apart from the file it brings
	maxParts = 100
)

// An input is what a request brings. Once read, the request's context holds the caller.
type input struct {
	config  Config
	request *http.Request

	query, form   url.Values
	files         map[string]graphql.Upload
	releases      []func() // what gives the files back
	authenticated string   // the token that the context stands for
}

func newInput(config Config, r *http.Request) *input {
	return &input{config: config, request: r, form: url.Values{}, files: map[string]graphql.Upload{}}
}

// release gives all files back.
func (in *input) release() {
	for _, release := range in.releases {
		release()
	}
}

// param returns the parameter's text: that of the query, else that of the form, else "".
func (in *input) param(name string) string {
	if text := in.query.Get(name); text != "" {
		return text
	}
	return in.form.Get(name)
}

// token returns the parameter token, else the bearer token of the header, else "".
func (in *input) token() string {
	if token := in.param("token"); token != "" {
		return token
	}
	scheme, token, _ := strings.Cut(in.request.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return ""
}

// authenticate puts the caller into the context; a visitor has no token and passes.
func (in *input) authenticate() error {
	token := in.token()
	if token == in.authenticated {
		return nil
	}
	ctx, err := in.config.Authenticate(in.request.Context(), token)
	if err != nil {
		return refuse(unauthenticated, "the token is invalid or has expired, please sign in again")
	}
	in.request, in.authenticated = in.request.WithContext(ctx), token
	return nil
}

// read takes in the whole request and authenticates the caller. The operation says which parts are files; nil when the
// route has none. Its error is a refusal, or one of Config.Spool.
func (in *input) read(op *operation) error {
	var err error
	if in.query, err = url.ParseQuery(in.request.URL.RawQuery); err != nil {
		return refuse(invalidArgument, "the query of the address is malformed")
	}
	body := &meter{source: in.request.Body, left: maxForm}
	mediaType, parameters, _ := mime.ParseMediaType(in.request.Header.Get("Content-Type"))
	switch mediaType {
	case "multipart/form-data":
		err = in.readMultipart(body, parameters["boundary"], op)
	case "application/x-www-form-urlencoded":
		err = in.readURLEncoded(body)
	default: // no form, but too large is too large
		if _, failed := io.Copy(io.Discard, body); failed != nil {
			err = body.refusal()
		}
	}
	if err != nil {
		return err
	}
	return in.authenticate()
}

func (in *input) readURLEncoded(body *meter) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return body.refusal()
	}
	if in.form, err = url.ParseQuery(string(text)); err != nil {
		return body.refusal()
	}
	return nil
}

func (in *input) readMultipart(body *meter, boundary string, op *operation) error {
	if boundary == "" {
		return body.refusal()
	}
	form := multipart.NewReader(body, boundary)
	for parts := 0; ; parts++ {
		part, err := form.NextPart()
		switch {
		//nolint:errorlint // a wrapped io.EOF says that the form broke off, unless the body is empty
		case err == io.EOF, errors.Is(err, io.EOF) && body.left == maxForm:
			return nil
		case err != nil:
			return body.refusal()
		case parts == maxParts:
			return refuse(tooLarge, "the form has too many parts")
		case op != nil && op.isFile(part.FormName()):
			if err := in.spool(body, part); err != nil {
				return err
			}
			continue
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return body.refusal()
		}
		if part.FileName() == "" { // files that no one asked for are left out
			in.form.Add(part.FormName(), string(text))
		}
	}
}

// spool stores a file, unless the token that has arrived so far is invalid.
func (in *input) spool(body *meter, part *multipart.Part) error {
	name := part.FormName()
	if _, twice := in.files[name]; twice {
		return refuse(invalidArgument, name+" must be one file")
	}
	if err := in.authenticate(); err != nil {
		return err
	}
	content := &remembering{source: part}
	body.free = true
	upload, release, err := in.config.Spool(content, part.FileName(), part.Header.Get("Content-Type"))
	body.free = false
	if err == nil {
		in.files[name], in.releases = upload, append(in.releases, release)
	}
	//nolint:errorlint // readers end with io.EOF itself; anything else is the client's fault, not that of the store
	if content.err != nil && content.err != io.EOF {
		return body.refusal()
	}
	return err
}

// A meter fails when more bytes are read than are left. While it is free it does not count.
type meter struct {
	source io.Reader
	left   int64 // negative once it has failed
	free   bool
}

var errTooLarge = errors.New("the body is too large")

func (m *meter) Read(p []byte) (int, error) {
	if m.free {
		return m.source.Read(p)
	}
	if m.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > m.left+1 {
		p = p[:m.left+1]
	}
	n, err := m.source.Read(p)
	if m.left -= int64(n); m.left < 0 {
		return n, errTooLarge
	}
	return n, err
}

// refusal says why reading the body as a form failed.
func (m *meter) refusal() *refusal {
	if m.left < 0 {
		return refuse(tooLarge, "the request is too large")
	}
	return refuse(invalidArgument, "the form is malformed or incomplete")
}

// remembering is a reader that keeps its error.
type remembering struct {
	source io.Reader
	err    error
}

func (r *remembering) Read(p []byte) (int, error) {
	n, err := r.source.Read(p)
	if err != nil {
		r.err = err
	}
	return n, err
}
