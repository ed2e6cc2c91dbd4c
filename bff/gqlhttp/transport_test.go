package gqlhttp_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"minidouyin/bff/gqlhttp"
	"minidouyin/graph"
)

// plain is a transport as one may be written for gqlgen: the body of the request is the document.
type plain struct{}

func (plain) Supports(r *http.Request) bool {
	return r.Header.Get("Content-Type") == "application/graphql"
}

func (plain) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	document, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	operation, errs := exec.CreateOperationContext(r.Context(), &graphql.RawParams{Query: string(document)})
	if errs != nil {
		_ = json.NewEncoder(w).Encode(exec.DispatchError(r.Context(), errs))
		return
	}
	respond, ctx := exec.DispatchOperation(r.Context(), operation)
	_ = json.NewEncoder(w).Encode(respond(ctx))
}

// A transport that is written for gqlgen's own server can be added. A panic fails its operation there, too, and a request
// that no transport supports is refused as GraphQL over HTTP says.
func TestAddTransport(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	s := gqlhttp.New(panicking{graph.NewSchema(graph.Config{}), "answer", &atomic.Int64{}})
	s.SetErrorPresenter(graph.Present(log))
	s.SetRecoverFunc(graph.Recover(log))
	s.SetRequestID(func(context.Context) string { return "request-7" })
	s.AddTransport(plain{})
	s.AddTransport(gqlhttp.POST{Limits: gqlhttp.DefaultLimits()})
	for _, c := range []struct {
		name, method, contentType, body string
		status                          int
		says                            string
	}{
		{"the added transport", "POST", "application/graphql", "query Fine { __typename }", 200, `{"data":{"__typename":"Query"}}`},
		{"an error of it", "POST", "application/graphql", "{ nothing }", 200, `"requestId":"request-7"`},
		{"a panic in it", "POST", "application/graphql", "query Boom { __typename }", 200, `"code":"INTERNAL"`},
		{"our transport", "POST", "application/json", `{"query": "query Fine { __typename }"}`, 200, `{"data":{"__typename":"Query"}}`},
		{"a media type that none supports", "POST", "text/plain", "{ __typename }", 415, "the Content-Type must be"},
		{"a method that none supports", "PUT", "application/json", "{}", 405, "the method must be"},
		{"a transport that was not added", "GET", "", "", 406, "no transport answers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), c.method, "/", strings.NewReader(c.body))
			r.Header.Set("Content-Type", c.contentType)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			require.Equal(t, c.status, w.Code, w.Body.String())
			require.Contains(t, w.Body.String(), c.says)
		})
	}
}
