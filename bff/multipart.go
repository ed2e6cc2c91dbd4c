package bff

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"minidouyin/idl/codes"
)

// maxFiles is how many files one operation may bring: updateProfile takes two.
const maxFiles = 4

// multipartForm is the transport of the GraphQL multipart request specification. Unlike gqlgen's own it never holds a
// file in memory, also when the length of the body is not announced.
type multipartForm struct{ spooler }

var _ graphql.Transport = multipartForm{}

func isMultipart(r *http.Request) bool {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && mediaType == "multipart/form-data"
}

// Supports says whether the request is a form with files.
func (multipartForm) Supports(r *http.Request) bool {
	return r.Method == http.MethodPost && isMultipart(r)
}

// Do reads the form, runs its operation and frees the files.
func (t multipartForm) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	w.Header().Set("Content-Type", "application/json")
	ctx := r.Context()
	params := &graphql.RawParams{Headers: r.Header}
	params.ReadTime.Start = graphql.Now()
	release, err := t.read(r, params)
	defer release()
	params.ReadTime.End = graphql.Now()
	if err != nil {
		status := http.StatusBadRequest
		if codes.Of(err) == codes.TooLarge {
			status = http.StatusRequestEntityTooLarge
		}
		w.WriteHeader(status)
		write(w, exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(err)}))
		return
	}
	operation, errs := exec.CreateOperationContext(ctx, params)
	if errs != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		write(w, exec.DispatchError(graphql.WithOperationContext(ctx, operation), errs))
		return
	}
	responses, ctx := exec.DispatchOperation(ctx, operation)
	write(w, responses(ctx))
}

func write(w io.Writer, response *graphql.Response) {
	_ = json.NewEncoder(w).Encode(response) // the client may be gone
}

// read fills params from the parts `operations`, `map` and the files, which must come in this order.
func (t multipartForm) read(r *http.Request, params *graphql.RawParams) (release func(), err error) {
	var releases []func()
	release = func() {
		for _, free := range releases {
			free()
		}
	}
	form, err := r.MultipartReader()
	if err != nil {
		return release, errBrokenForm
	}
	if err := readJSONPart(form, "operations", params); err != nil {
		return release, err
	}
	var paths map[string][]string
	if err := readJSONPart(form, "map", &paths); err != nil {
		return release, err
	}
	if len(paths) > maxFiles {
		return release, codes.Errorf(codes.TooLarge, "an operation takes at most %d files", maxFiles)
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return release, errBrokenForm
		}
		key := part.FormName()
		if len(paths[key]) == 0 {
			return release, codes.Errorf(codes.InvalidArgument, "the part %.40q is not in the map", key)
		}
		upload, free, err := t.spool(part, part.FileName(), part.Header.Get("Content-Type"))
		if err != nil {
			return release, err
		}
		releases = append(releases, free)
		for _, path := range paths[key] {
			if err := attach(params, upload, key, path); err != nil {
				return release, err
			}
		}
		delete(paths, key)
	}
	if len(paths) > 0 {
		return release, codes.Errorf(codes.InvalidArgument, "a file of the map is missing")
	}
	return release, nil
}

var (
	errBrokenForm = codes.Errorf(codes.InvalidArgument, "the form is broken or was cut off")
	errNoPlace    = codes.Errorf(codes.InvalidArgument, "the map names a path that operations does not have")
)

// attach puts a file where its path in the variables leads.
func attach(params *graphql.RawParams, upload graphql.Upload, key, path string) (err error) {
	defer func() {
		if recover() != nil { // gqlgen takes it for granted that the variables have the shape of the path
			err = errNoPlace
		}
	}()
	if params.AddUpload(upload, key, path) != nil {
		return errNoPlace
	}
	return nil
}

// readJSONPart reads the next part, which must have this name.
func readJSONPart(form *multipart.Reader, name string, into any) error {
	part, err := form.NextPart()
	if err != nil {
		return errBrokenForm
	}
	if part.FormName() != name {
		return codes.Errorf(codes.InvalidArgument, "the parts operations and map come first, in this order")
	}
	text, err := io.ReadAll(io.LimitReader(part, maxBody+1))
	if err != nil {
		return errBrokenForm
	}
	if len(text) > maxBody {
		return codes.Errorf(codes.TooLarge, "the part %s has at most %d bytes", name, maxBody)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return codes.Errorf(codes.InvalidArgument, "the part %s is not the JSON it should be", name)
	}
	return nil
}
