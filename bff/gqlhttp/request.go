package gqlhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"minidouyin/bff/gqlhttp/documents"
	"minidouyin/idl/codes"
)

// batch is what one request asks for.
type batch struct {
	params  []*graphql.RawParams
	single  bool // not sent as a list
	release func()

	takesFile map[*graphql.RawParams]bool // has a place for a file of a form
	unread    map[*graphql.RawParams]bool // could be run, but its files were not read
}

// read reads the operations of a request. The batch must be released.
func (s *Server) read(w http.ResponseWriter, r *http.Request) (*batch, *requestError) {
	start := graphql.Now()
	var read *batch
	var err *requestError
	switch r.Method {
	case http.MethodGet:
		read, err = readQuery(r.URL.Query())
	case http.MethodPost:
		read, err = s.readBody(w, r)
	default:
		return nil, &requestError{status: http.StatusMethodNotAllowed, code: codes.InvalidArgument,
			message: "the method must be GET or POST", allow: "GET, POST"}
	}
	if err != nil {
		return nil, err
	}
	for _, params := range read.params {
		params.Headers = r.Header
		params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	}
	return read, nil
}

func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (*batch, *requestError) {
	media, options, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(options["charset"])
	switch {
	case err == nil && media == "multipart/form-data":
		return s.readForm(r)
	case err != nil || media != mediaJSON || (charset != "" && charset != "utf-8" && charset != "utf8"):
		return nil, &requestError{status: http.StatusUnsupportedMediaType, code: codes.InvalidArgument,
			message: "the Content-Type must be application/json or multipart/form-data"}
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.cfg.Limits.Body))
	if tooMuch := (*http.MaxBytesError)(nil); errors.As(err, &tooMuch) {
		return nil, tooLarge("the request is too large")
	}
	if err != nil {
		return nil, badRequest("the request broke off")
	}
	return s.readJSON(text)
}

// readJSON reads an operation or a list of them.
func (s *Server) readJSON(text []byte) (*batch, *requestError) {
	if !utf8.Valid(text) {
		return nil, badRequest("the request is not UTF-8")
	}
	text = bytes.TrimLeft(text, " \t\r\n")
	if len(text) == 0 || text[0] != '[' {
		params, err := readParams(text)
		if err != nil {
			return nil, err
		}
		return one(params), nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, badRequest("the request is not JSON")
	}
	if len(list) == 0 || len(list) > s.cfg.Limits.Batch {
		return nil, badRequest(fmt.Sprintf("a batch has 1 to %d operations", s.cfg.Limits.Batch))
	}
	read := &batch{release: func() {}}
	for _, item := range list {
		params, err := readParams(item)
		if err != nil {
			return nil, err
		}
		read.params = append(read.params, params)
	}
	return read, nil
}

func one(params *graphql.RawParams) *batch {
	return &batch{params: []*graphql.RawParams{params}, single: true, release: func() {}}
}

// readParams reads the parameters of one operation. null counts as absent.
func readParams(text []byte) (*graphql.RawParams, *requestError) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil || fields == nil {
		return nil, badRequest("the request is not a JSON object")
	}
	params := &graphql.RawParams{}
	var documentID *string
	for name, into := range map[string]any{
		"query": &params.Query, "operationName": &params.OperationName,
		"variables": &params.Variables, "extensions": &params.Extensions,
		"documentId": &documentID,
	} {
		raw, ok := fields[name]
		if !ok {
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		if err := decoder.Decode(into); err != nil {
			return nil, badRequest("the parameter " + name + " has the wrong type")
		}
	}
	if documentID != nil {
		nameDocument(params, *documentID)
	}
	return complete(params)
}

func nameDocument(params *graphql.RawParams, id string) {
	if params.Extensions == nil {
		params.Extensions = map[string]any{}
	}
	params.Extensions[documents.ExtensionDocumentID] = id
}

// readQuery reads the parameters of an operation from a URL.
func readQuery(values url.Values) (*batch, *requestError) {
	params := &graphql.RawParams{Query: values.Get("query"), OperationName: values.Get("operationName")}
	for name, into := range map[string]*map[string]any{"variables": &params.Variables, "extensions": &params.Extensions} {
		text := values.Get(name)
		if text == "" {
			continue
		}
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(into); err != nil {
			return nil, badRequest("the parameter " + name + " is not a JSON object")
		}
	}
	if values.Has("documentId") {
		nameDocument(params, values.Get("documentId"))
	}
	params, err := complete(params)
	if err != nil {
		return nil, err
	}
	return one(params), nil
}

// complete checks that there is an operation to run.
func complete(params *graphql.RawParams) (*graphql.RawParams, *requestError) {
	if params.Query == "" && params.Extensions == nil {
		return nil, badRequest("the parameter query is missing")
	}
	return params, nil
}
