package gqlhttp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"minidouyin/bff/gqlhttp"
	"minidouyin/idl/codes"
)

// A form is refused before its files are read where that is possible, and no file stays behind in any case.
func TestForms(t *testing.T) {
	const mutation = `mutation($f: Upload) { updateProfile(input: {avatar: $f}) { user { id } } }`
	operations := func(query, variables string) string {
		return `{"query": "` + query + `", "variables": ` + variables + `}`
	}
	good := operations(mutation, `{"f": null}`)
	for _, c := range []struct {
		name  string
		parts []string // pairs of name and content
		read  int64    // files
		says  string
	}{
		{"a file", []string{"operations", good, "map", `{"0": ["variables.f"]}`, "0", "hello"}, 1, "UNAUTHENTICATED"},
		{"a file in a batch", []string{"operations", "[" + good + "," + good + "]", "map", `{"0": ["0.variables.f", "1.variables.f"]}`, "0", "hello"},
			1, "UNAUTHENTICATED"},
		{"an operation that is not valid", []string{"operations", operations(`mutation($f: Upload) { nothing(a: $f) }`, `{"f": null}`),
			"map", `{"0": ["variables.f"]}`, "0", "hello"}, 0, "Cannot query field"},
		{"an operation over the limits", []string{"operations", operations(`{`+strings.Repeat(" viewer { id }", 30)+`}`, `{"f": null}`),
			"map", `{"0": ["variables.f"]}`, "0", "hello"}, 0, "first level"},
		{"one bad operation of two", []string{"operations", "[" + good + "," + operations("{ nothing }", "{}") + "]", "map", `{"0": ["0.variables.f"]}`,
			"0", "hello"}, 0, "Cannot query field"},
		{"a place in no variables", []string{"operations", `{"query": "{ __typename }"}`, "map", `{"0": ["variables.f"]}`, "0", "x"}, 0, "does not have"},
		{"a place that is taken", []string{"operations", operations(mutation, `{"f": "x"}`), "map", `{"0": ["variables.f"]}`, "0", "x"}, 0, "does not have"},
		{"a place in a text", []string{"operations", operations(mutation, `{"f": "x"}`), "map", `{"0": ["variables.f.x"]}`, "0", "x"}, 0, "does not have"},
		{"a place behind a list", []string{"operations", operations(mutation, `{"f": [null]}`), "map", `{"0": ["variables.f.1"]}`, "0", "x"}, 0, "does not have"},
		{"a place before a list", []string{"operations", operations(mutation, `{"f": [null]}`), "map", `{"0": ["variables.f.-1"]}`, "0", "x"}, 0, "does not have"},
		{"a place in a file", []string{"operations", good, "map", `{"0": ["variables.f", "variables.f.x"]}`, "0", "x"}, 0, "does not have"},
		{"no place", []string{"operations", good, "map", `{"0": [""]}`, "0", "x"}, 0, "does not have"},
		{"variables alone", []string{"operations", good, "map", `{"0": ["variables"]}`, "0", "x"}, 0, "does not have"},
		{"an operation that the batch lacks", []string{"operations", "[" + good + "]", "map", `{"0": ["1.variables.f"]}`, "0", "x"}, 0, "does not have"},
		{"a file that is not sent", []string{"operations", good, "map", `{"0": ["variables.f"], "1": ["variables.f"]}`, "0", "hello"}, 1, "missing"},
		{"a part too many", []string{"operations", good, "map", `{"0": ["variables.f"], "1": ["variables.f"]}`, "0", "hello", "2", "x"}, 1, "not in the map"},
		{"a file twice", []string{"operations", good, "map", `{"0": ["variables.f"], "1": ["variables.f"]}`, "0", "hello", "0", "x"}, 1, "not in the map"},
		{"a file over the limit", []string{"operations", good, "map", `{"0": ["variables.f"], "1": ["variables.f"]}`, "0", "hello", "1", "large"}, 2, "TOO_LARGE"},
		{"five files", []string{"operations", good, "map", `{"0":[],"1":[],"2":[],"3":[],"4":[]}`}, 0, "at most 4 files"},
		{"files first", []string{"0", "hello", "operations", good, "map", `{"0": ["variables.f"]}`}, 0, "in this order"},
		{"no JSON", []string{"operations", "hello", "map", "{}"}, 0, "not a JSON object"},
		{"a map that is a list", []string{"operations", good, "map", "[]"}, 0, "part map"},
		{"large operations", []string{"operations", strings.Repeat(" ", 1<<20) + good, "map", "{}"}, 0, "too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var read int64
			s := newServer(t, func(cfg *gqlhttp.Config) {
				spool := cfg.Spool
				cfg.Spool = func(r io.Reader, filename, contentType string) (graphql.Upload, func(), error) {
					read++
					upload, free, err := spool(r, filename, contentType)
					if upload.Size == 5 && err == nil {
						if content, _ := io.ReadAll(upload.File); string(content) == "large" {
							free()
							return graphql.Upload{}, nil, codes.Errorf(codes.TooLarge, "too large")
						}
					}
					return upload, free, err
				}
			})
			a := s.form(t, c.parts)
			require.Contains(t, a.text, c.says)
			require.Contains(t, a.text, `"code"`)
			require.NotContains(t, a.text, "INTERNAL")
			require.Equal(t, c.read, read, "files that were read")
			require.Zero(t, s.open.Load(), "files that stay behind")
		})
	}
}

// An operation whose file was not read, as another one of the batch cannot be run, is not run without it. Those that
// take no file are run.
func TestFormsOfSeveral(t *testing.T) {
	const batch = `[
		{"query": "mutation($f: Upload) { updateProfile(input: {avatar: $f}) { user { id } } }", "variables": {"f": null}},
		{"query": "{ nothing }"},
		{"query": "{ __typename }"}]`
	s := newServer(t)
	a := s.form(t, []string{"operations", batch, "map", `{"0": ["0.variables.f"]}`, "0", "hello"})
	var answers []struct {
		Data   json.RawMessage
		Errors []struct{ Message string }
	}
	require.NoError(t, json.Unmarshal([]byte(a.text), &answers), a.text)
	require.Len(t, answers, 3)
	require.Contains(t, answers[0].Errors[0].Message, "the file was not read")
	require.Contains(t, answers[1].Errors[0].Message, "Cannot query field")
	require.JSONEq(t, `{"__typename": "Query"}`, string(answers[2].Data))
	require.EqualValues(t, 1, s.schema.executed.Load())
	require.Zero(t, s.open.Load())
}

// The files of an anonymous request are not read if only authenticated users may send them.
func TestAnonymousForms(t *testing.T) {
	for name, c := range map[string]struct {
		query string
		read  int
	}{
		"a field for viewers":              {`mutation($f: Upload) { updateProfile(input: {avatar: $f}) { user { id } } }`, 0},
		"in fragments":                     {`mutation($f: Upload) { ...A ... { __typename } } fragment A on Mutation { updateProfile(input: {avatar: $f}) { user { id } } }`, 0},
		"a field for all beside it":        {`mutation($f: Upload) { login(input: {name: \"a\", password: \"b\"}) { token } updateProfile(input: {avatar: $f}) { user { id } } }`, 1},
		"a field for all in a fragment":    {`mutation($f: Upload) { ... { login(input: {name: \"a\", password: \"b\"}) { token } } updateProfile(input: {avatar: $f}) { user { id } } }`, 1},
		"a field for all, named elsewhere": {`mutation($f: Upload) { ...A updateProfile(input: {avatar: $f}) { user { id } } } fragment A on Mutation { login(input: {name: \"a\", password: \"b\"}) { token } }`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			read := 0
			s := newServer(t, func(cfg *gqlhttp.Config) {
				cfg.Anonymous = func(context.Context) (string, bool) { return "", true }
				spool := cfg.Spool
				cfg.Spool = func(r io.Reader, filename, contentType string) (graphql.Upload, func(), error) {
					read++
					return spool(r, filename, contentType)
				}
			})
			a := s.form(t, []string{"operations", `{"query": "` + c.query + `", "variables": {"f": null}}`, "map", `{"0": ["variables.f"]}`, "0", "hello"})
			require.Contains(t, a.text, `"code":"UNAUTHENTICATED"`)
			require.Equal(t, c.read, read)
			require.Zero(t, s.open.Load())
		})
	}
}

func (s *server) form(t *testing.T, parts []string, header ...string) answer {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i < len(parts); i += 2 {
		require.NoError(t, form.WriteField(parts[i], parts[i+1]))
	}
	require.NoError(t, form.Close())
	return s.send(t, http.MethodPost, "", body.String(), append(header, "Content-Type", form.FormDataContentType())...)
}

// A page of another site cannot make a browser send files, nor read with the cookies of its user. Clients that are no
// browsers, this site's own pages, trusted sites and plain reads are not held up.
func TestForeignPages(t *testing.T) {
	s := newServer(t, func(cfg *gqlhttp.Config) { cfg.Origins = []string{"https://friend.example"} })
	form := []string{"operations", `{"query": "{ __typename }"}`, "map", "{}"}
	const query = "?query=%7B__typename%7D"
	for _, c := range []struct {
		name   string
		send   func(header ...string) answer
		header []string
		status int
	}{
		{"a form of no browser", func(h ...string) answer { return s.form(t, form, h...) }, nil, 200},
		{"a form of another site", func(h ...string) answer { return s.form(t, form, h...) }, []string{"Origin", "https://evil.example"}, 403},
		{"a form of another site, by a new browser", func(h ...string) answer { return s.form(t, form, h...) }, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a form of a trusted site", func(h ...string) answer { return s.form(t, form, h...) }, []string{"Origin", "https://friend.example"}, 200},
		{"a form of this site", func(h ...string) answer { return s.form(t, form, h...) }, []string{"Origin", s.url}, 200},
		{"a form that was asked for", func(h ...string) answer { return s.form(t, form, h...) },
			[]string{"Origin", "https://evil.example", "Apollo-Require-Preflight", "1"}, 200},
		{"a plain read", func(h ...string) answer { return s.send(t, "GET", query, "", h...) }, []string{"Origin", "https://evil.example"}, 200},
		{"a read with cookies", func(h ...string) answer { return s.send(t, "GET", query, "", h...) }, []string{"Cookie", "a=b"}, 403},
		{"a read with cookies that was asked for", func(h ...string) answer { return s.send(t, "GET", query, "", h...) },
			[]string{"Cookie", "a=b", "X-Requested-With", "x"}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.status, c.send(c.header...).status)
		})
	}
}
