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
	maxForm  = 1 << 20 // bytes of a body without its files
	maxParts = 100
)

// input is the parameters, files and token of a request. After read, the context of the request has the caller.
type input struct {
	config  Config
	request *http.Request

	query, form   url.Values
	files         map[string]graphql.Upload
	releases      []func() // release the files
	authenticated string   // the token of the caller in the context
}

func newInput(config Config, r *http.Request) *input {
	return &input{config: config, request: r, form: url.Values{}, files: map[string]graphql.Upload{}}
}

// release releases all files.
func (in *input) release() {
	for _, release := range in.releases {
		release()
	}
}

// param returns a parameter of the query, else of the form, else "".
func (in *input) param(name string) string {
	if text := in.query.Get(name); text != "" {
		return text
	}
	return in.form.Get(name)
}

// token returns the parameter token, else the bearer token of the Authorization header, else "".
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

// authenticate adds the caller to the context. Without a token, the request stays anonymous.
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

// read reads the whole request and authenticates the caller. op tells which parts are files; it is nil if the route has
// several operations, which take no files. The error is a refusal, or an error of Config.Spool.
func (in *input) read(op *operation) error {
	var err error
	if in.query, err = url.ParseQuery(in.request.URL.RawQuery); err != nil {
		return refuse(invalidArgument, "the query of the address is malformed")
	}
	body := &limitedReader{source: in.request.Body, left: maxForm}
	mediaType, parameters, _ := mime.ParseMediaType(in.request.Header.Get("Content-Type"))
	switch mediaType {
	case "multipart/form-data":
		err = in.readMultipart(body, parameters["boundary"], op)
	case "application/x-www-form-urlencoded":
		err = in.readURLEncoded(body)
	default: // not a form, but the size limit applies
		if _, failed := io.Copy(io.Discard, body); failed != nil {
			err = body.refusal()
		}
	}
	if err != nil {
		return err
	}
	return in.authenticate()
}

func (in *input) readURLEncoded(body *limitedReader) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return body.refusal()
	}
	if in.form, err = url.ParseQuery(string(text)); err != nil {
		return body.refusal()
	}
	return nil
}

func (in *input) readMultipart(body *limitedReader, boundary string, op *operation) error {
	if boundary == "" {
		return body.refusal()
	}
	form := multipart.NewReader(body, boundary)
	for parts := 0; ; parts++ {
		part, err := form.NextPart()
		switch {
		//nolint:errorlint // a wrapped io.EOF means that the form is incomplete, unless the body is empty
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
		if part.FileName() == "" { // a file that the operation does not take is ignored
			in.form.Add(part.FormName(), string(text))
		}
	}
}

// spool stores a file. It authenticates with the token read so far first.
func (in *input) spool(body *limitedReader, part *multipart.Part) error {
	name := part.FormName()
	if _, twice := in.files[name]; twice {
		return refuse(invalidArgument, name+" must be one file")
	}
	if err := in.authenticate(); err != nil {
		return err
	}
	content := &errorReader{source: part}
	body.unlimited = true // Config.Spool limits the size of files
	upload, release, err := in.config.Spool(content, part.FileName(), part.Header.Get("Content-Type"))
	body.unlimited = false
	if err == nil {
		in.files[name], in.releases = upload, append(in.releases, release)
	}
	//nolint:errorlint // a complete part ends with io.EOF itself; another error is the client's, not that of Spool
	if content.err != nil && content.err != io.EOF {
		return body.refusal()
	}
	return err
}

// limitedReader fails when more than left bytes are read. While unlimited is set, it does not count.
type limitedReader struct {
	source io.Reader
	left   int64 // negative after it failed

	unlimited bool
}

var errTooLarge = errors.New("the body is too large")

func (r *limitedReader) Read(p []byte) (int, error) {
	if r.unlimited {
		return r.source.Read(p)
	}
	if r.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > r.left+1 {
		p = p[:r.left+1]
	}
	n, err := r.source.Read(p)
	if r.left -= int64(n); r.left < 0 {
		return n, errTooLarge
	}
	return n, err
}

// refusal returns the reason why reading the form failed.
func (r *limitedReader) refusal() *refusal {
	if r.left < 0 {
		return refuse(tooLarge, "the request is too large")
	}
	return refuse(invalidArgument, "the form is malformed or incomplete")
}

// errorReader keeps the error of its source.
type errorReader struct {
	source io.Reader
	err    error
}

func (r *errorReader) Read(p []byte) (int, error) {
	n, err := r.source.Read(p)
	if err != nil {
		r.err = err
	}
	return n, err
}
