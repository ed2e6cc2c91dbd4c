package gqlserver

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"

	"minidouyin/idl/codes"
)

// maxFiles is how many files one request may bring.
const maxFiles = 4

// readForm reads a form as the GraphQL multipart request specification has it: the parts `operations`, `map` and the
// files, in this order. The files are streamed to disk, and none is read when what comes before it is wrong.
func (s *Server) readForm(r *http.Request) (*batch, *requestError) {
	form, err := r.MultipartReader()
	if err != nil {
		return nil, errBrokenForm
	}
	operations, refusal := readFormField(form, "operations")
	if refusal != nil {
		return nil, refusal
	}
	read, refusal := readJSON(operations)
	if refusal != nil {
		return nil, refusal
	}
	text, refusal := readFormField(form, "map")
	if refusal != nil {
		return nil, refusal
	}
	places, refusal := readMap(text)
	if refusal != nil {
		return nil, refusal
	}
	var frees []func()
	read.release = func() {
		for _, free := range frees {
			free()
		}
	}
	for len(places) > 0 {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return read, badRequest("a file of the map is missing")
		}
		if err != nil {
			return read, errBrokenForm
		}
		name := part.FormName()
		if len(places[name]) == 0 {
			return read, badRequest("the form has a part that is not in the map")
		}
		upload, free, err := s.cfg.Spool(part, part.FileName(), part.Header.Get("Content-Type"))
		if codes.Of(err) == codes.TooLarge {
			return read, tooLarge(codes.Message(err))
		}
		if err != nil {
			return read, badRequest(codes.Message(err))
		}
		frees = append(frees, free)
		if !read.attach(upload, name, places[name]) {
			return read, badRequest("the map names a place that operations does not have")
		}
		delete(places, name)
	}
	return read, nil
}

var errBrokenForm = badRequest("the form is broken or was cut off")

// readFormField reads the next part, which must have this name.
func readFormField(form *multipart.Reader, name string) ([]byte, *requestError) {
	part, err := form.NextPart()
	if err != nil {
		return nil, errBrokenForm
	}
	if part.FormName() != name {
		return nil, badRequest("the parts operations and map come first, in this order")
	}
	text, err := io.ReadAll(io.LimitReader(part, maxBody+1))
	if err != nil {
		return nil, errBrokenForm
	}
	if len(text) > maxBody {
		return nil, tooLarge("the part " + name + " is too large")
	}
	return text, nil
}
