package gqlhttp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"minidouyin/bff/gqlhttp/documents"
)

// complete adds to parameters what is known of their request.
func complete(params *graphql.RawParams, header http.Header, start time.Time) {
	params.Headers = header
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
}

// readJSON reads an operation or a list of them.
func readJSON(text []byte, limits Limits) (*batch, *requestError) {
	if !utf8.Valid(text) {
		return nil, badRequest("the request is not UTF-8")
	}
	text = bytes.TrimLeft(text, " \t\r\n")
	if len(text) == 0 || text[0] != '[' {
		params, err := readParams(text)
		if err != nil {
			return nil, err
		}
		return batchOfOne(params), nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, badRequest("the request is not JSON")
	}
	if len(list) == 0 || len(list) > limits.Batch {
		return nil, badRequest(fmt.Sprintf("a batch has 1 to %d operations", limits.Batch))
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
	return params, checkParams(params)
}

func nameDocument(params *graphql.RawParams, id string) {
	if params.Extensions == nil {
		params.Extensions = map[string]any{}
	}
	params.Extensions[documents.ExtensionDocumentID] = id
}

// readURL reads the parameters of an operation from the URL of a request.
func readURL(r *http.Request) (*graphql.RawParams, *requestError) {
	start := graphql.Now()
	values := r.URL.Query()
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
	complete(params, r.Header, start)
	return params, checkParams(params)
}

// checkParams refuses parameters without an operation.
func checkParams(params *graphql.RawParams) *requestError {
	if params.Query == "" && params.Extensions == nil {
		return badRequest("the parameter query is missing")
	}
	return nil
}
