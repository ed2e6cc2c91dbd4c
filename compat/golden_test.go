package compat_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"golang.org/x/tools/txtar"

	"minidouyin/compat"
)

var update = flag.Bool("update", false, "rewrite the expected parts of testdata")

// Each file in testdata is one case: the request, the GraphQL response, and what is expected: the operation with its
// variables, and the status and body.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sections := map[string]string{}
			for _, section := range archive.Files {
				sections[section.Name] = string(section.Data)
			}
			graph := &fakeGraph{t: t, response: sections["graphql"]}
			recorder := httptest.NewRecorder()
			newServer(t, graph).ServeHTTP(recorder, parseRequest(t, sections["request"]))
			if graph.spooled != graph.released {
				t.Errorf("%d files stored, %d released", graph.spooled, graph.released)
			}
			got := map[string]string{"operation": graph.called, "answer": describe(t, recorder)}
			if *update {
				rewrite(t, file, archive, got)
				return
			}
			for name, text := range got {
				if text != sections[name] {
					t.Errorf("%s: got\n%s\nwant\n%s", name, text, sections[name])
				}
			}
		})
	}
}

func rewrite(t *testing.T, file string, archive *txtar.Archive, got map[string]string) {
	t.Helper()
	var kept []txtar.File
	for _, section := range archive.Files {
		if section.Name == "request" || section.Name == "graphql" {
			kept = append(kept, section)
		}
	}
	for _, name := range []string{"operation", "answer"} {
		if got[name] != "" {
			kept = append(kept, txtar.File{Name: name, Data: []byte(got[name])})
		}
	}
	archive.Files = kept
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// parseRequest parses a request that has \n line ends and no Content-Length.
func parseRequest(t testing.TB, text string) *http.Request {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	body = strings.TrimSuffix(body, "\n")
	if strings.Contains(head, "multipart/") && body != "" {
		body = strings.ReplaceAll(body, "\n", "\r\n") + "\r\n"
	}
	raw := fmt.Sprintf("%s\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s",
		strings.ReplaceAll(strings.TrimSuffix(head, "\n"), "\n", "\r\n"), len(body), body)
	request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return request
}

// describe returns status, headers and the indented body. Indenting keeps the order and spelling of the JSON.
func describe(t testing.TB, recorder *httptest.ResponseRecorder) string {
	t.Helper()
	var text bytes.Buffer
	fmt.Fprintln(&text, recorder.Code)
	if allow := recorder.Header().Get("Allow"); allow != "" {
		fmt.Fprintln(&text, "Allow:", allow)
	}
	if got := recorder.Header().Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("Content-Type: %q", got)
	}
	if got := recorder.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control: %q", got)
	}
	if err := json.Indent(&text, recorder.Body.Bytes(), "", "  "); err != nil {
		t.Fatalf("%v in %s", err, recorder.Body)
	}
	return text.String() + "\n"
}

// fakeGraph is an executable schema for the executor of gqlgen. It records the operation and returns a fixed response.
type fakeGraph struct {
	t        testing.TB
	response string
	canned   *graphql.Response // in place of all that
	called   string            // operation, caller and variables of the only call

	store             spool // in place of memory
	spooled, released int
}

type spool = func(r io.Reader, filename, contentType string) (graphql.Upload, func(), error)

type viewerKey struct{}

// newServer returns a gqlgen server with the transport. The token of user 7 is "token-7".
func newServer(t testing.TB, graph *fakeGraph) *handler.Server {
	t.Helper()
	schema := loadSchema(t)
	transport, err := compat.New(compat.Config{Schema: schema, Authenticate: authenticate, Spool: graph.spool})
	if err != nil {
		t.Fatal(err)
	}
	server := handler.New(&graphql.ExecutableSchemaMock{
		SchemaFunc: func() *ast.Schema { return schema },
		ExecFunc:   graph.exec,
	})
	server.SetQueryCache(lru.New[*ast.QueryDocument](10))
	server.AddTransport(transport)
	return server
}

func loadSchema(t testing.TB) *ast.Schema {
	t.Helper()
	files, err := filepath.Glob("../graph/*.graphqls")
	if err != nil || len(files) == 0 {
		t.Fatalf("no schema: %v", err)
	}
	var sources []*ast.Source
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: file, Input: string(text)})
	}
	return gqlparser.MustLoadSchema(sources...)
}

func authenticate(ctx context.Context, token string) (context.Context, error) {
	viewer, valid := strings.CutPrefix(token, "token-")
	if !valid {
		return nil, errors.New("signature is wrong")
	}
	return context.WithValue(ctx, viewerKey{}, viewer), nil
}

// spool stores files in memory.
func (g *fakeGraph) spool(r io.Reader, filename, contentType string) (graphql.Upload, func(), error) {
	if g.store != nil {
		return g.store(r, filename, contentType)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		return graphql.Upload{}, nil, err
	}
	g.spooled++
	upload := graphql.Upload{
		File: bytes.NewReader(content), Filename: filename, Size: int64(len(content)), ContentType: contentType,
	}
	return upload, func() { g.released++ }, nil
}

func (g *fakeGraph) exec(ctx context.Context) graphql.ResponseHandler {
	if g.canned != nil {
		return graphql.OneShot(g.canned)
	}
	operation := graphql.GetOperationContext(ctx)
	caller, signedIn := ctx.Value(viewerKey{}).(string)
	if !signedIn {
		caller = "visitor"
	}
	shown := map[string]any{}
	for name, value := range operation.Variables {
		if file, ok := value.(graphql.Upload); ok {
			content, err := io.ReadAll(file.File)
			if err != nil {
				g.t.Error(err)
			}
			value = []any{file.Filename, file.ContentType, file.Size, string(content)}
		}
		shown[name] = value
	}
	variables, err := json.Marshal(shown)
	if err != nil {
		g.t.Error(err)
	}
	if g.called != "" {
		g.t.Error("the graph was called twice")
	}
	g.called = fmt.Sprintf("%s by %s\n%s\n", operation.OperationName, caller, variables)

	response := &graphql.Response{}
	if err := json.Unmarshal([]byte(g.response), response); err != nil {
		g.t.Errorf("the graph must not be called, or its canned response is broken: %v", err)
	}
	g.mustFit(operation.Operation.SelectionSet, response.Data)
	return graphql.OneShot(response)
}

// mustFit fails the test if the fixed response has a field that is not selected.
func (g *fakeGraph) mustFit(selection ast.SelectionSet, data json.RawMessage) {
	var list []json.RawMessage
	if json.Unmarshal(data, &list) == nil {
		for _, element := range list {
			g.mustFit(selection, element)
		}
		return
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) != nil {
		return
	}
	asked := graphql.CollectFields(&graphql.OperationContext{}, inline(selection), nil)
	for key, value := range object {
		known := false
		for _, field := range asked {
			if field.Alias == key {
				known = true
				g.mustFit(field.Selections, value)
			}
		}
		if !known {
			g.t.Errorf("the canned data has %q, which was not asked for", key)
		}
	}
}

// inline expands fragments.
func inline(selection ast.SelectionSet) ast.SelectionSet {
	var fields ast.SelectionSet
	for _, selected := range selection {
		if spread, ok := selected.(*ast.FragmentSpread); ok {
			fields = append(fields, inline(spread.Definition.SelectionSet)...)
		} else {
			fields = append(fields, selected)
		}
	}
	return fields
}
