package gqlhttp

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
)

// POST runs operations that are sent as JSON: one, or a list of them.
type POST struct{ Limits Limits }

var _ graphql.Transport = POST{}

// Supports reports whether the request is a POST of JSON that is not answered as a stream.
func (POST) Supports(r *http.Request) bool {
	return r.Method == http.MethodPost && isJSON(r) && !acceptsEvents(r)
}

// Do runs the operations.
func (t POST) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	operations, err := readBody(w, r, t.Limits)
	if err != nil {
		fail(w, r, exec, err)
		return
	}
	operations.run(w, r, exec, t.Limits.Timeout)
}

// isJSON reports whether the body of a request is JSON in UTF-8.
func isJSON(r *http.Request) bool {
	media, options, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(options["charset"])
	return err == nil && media == mediaJSON && (charset == "" || charset == "utf-8" || charset == "utf8")
}

// readBody reads the operations of a body of JSON.
func readBody(w http.ResponseWriter, r *http.Request, limits Limits) (*batch, *requestError) {
	start := graphql.Now()
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limits.Body))
	if tooMuch := (*http.MaxBytesError)(nil); errors.As(err, &tooMuch) {
		return nil, tooLarge("the request is too large")
	}
	if err != nil {
		return nil, badRequest("the request broke off")
	}
	operations, refusal := readJSON(text, limits)
	if refusal != nil {
		return nil, refusal
	}
	for _, params := range operations.params {
		complete(params, r.Header, start)
	}
	return operations, nil
}
