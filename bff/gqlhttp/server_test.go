package gqlhttp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"minidouyin/bff/gqlhttp"
	"minidouyin/bff/gqlhttp/guard"
	"minidouyin/graph"
	"minidouyin/graph/live"
)

// server is the graph, without services behind it, on a port of its own.
type server struct {
	url    string
	client *http.Client
	schema *countingSchema
	open   atomic.Int64 // files that were spooled and not released
}

// countingSchema counts how far operations come.
type countingSchema struct {
	graphql.ExecutableSchema
	validated, executed atomic.Int64
}

func (s *countingSchema) Schema() *ast.Schema {
	s.validated.Add(1)
	return s.ExecutableSchema.Schema()
}

func (s *countingSchema) Exec(ctx context.Context) graphql.ResponseHandler {
	s.executed.Add(1)
	return s.ExecutableSchema.Exec(ctx)
}

func newServer(t *testing.T, configure ...func(*gqlhttp.Config)) *server {
	t.Helper()
	s, handler := newHandler(t, configure...)
	httpServer := httptest.NewServer(handler)
	t.Cleanup(httpServer.Close)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, handler.Shutdown(ctx))
	})
	s.url, s.client = httpServer.URL, http.DefaultClient
	return s
}

// newHandler returns a server that does not serve yet, and its handler.
func newHandler(t *testing.T, configure ...func(*gqlhttp.Config)) (*server, *gqlhttp.Server) {
	t.Helper()
	s := &server{schema: &countingSchema{ExecutableSchema: graph.NewSchema(graph.Config{Live: live.NewHub(nil)})}}
	log := slog.New(slog.DiscardHandler)
	cfg := gqlhttp.Config{
		Schema: s.schema, Present: graph.Present(log), Recover: graph.Recover(log), Introspection: true,
		RequestID: func(context.Context) string { return "request-7" }, Spool: s.spool, Limits: gqlhttp.DefaultLimits(), Guard: guard.DefaultLimits(),
		PageSize: func(context.Context, string) int { return 20 },
	}
	for _, set := range configure {
		set(&cfg)
	}
	handler, err := gqlhttp.NewServer(cfg)
	require.NoError(t, err)
	return s, handler
}

func (s *server) spool(r io.Reader, filename, contentType string) (graphql.Upload, func(), error) {
	content, err := io.ReadAll(r)
	if err != nil {
		return graphql.Upload{}, nil, errors.New("broken off")
	}
	s.open.Add(1)
	return graphql.Upload{File: bytes.NewReader(content), Filename: filename, Size: int64(len(content)), ContentType: contentType},
		func() { s.open.Add(-1) }, nil
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
}

func (s *server) send(t *testing.T, method, target, body string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequest(method, s.url+target, strings.NewReader(body))
	require.NoError(t, err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := s.client.Do(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response.StatusCode, response.Header, string(text)}
}

// query sends a document with its variables.
func (s *server) query(t *testing.T, query string, variables map[string]any) answer {
	t.Helper()
	return s.send(t, http.MethodPost, "", text(t, map[string]any{"query": query, "variables": variables}))
}

func text(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}
