package gqlhttp_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql/introspection"
	"github.com/stretchr/testify/require"
)

// numbered returns a text n times, with the number in place of each #, and with that of the next one in place of each
// @.
func numbered(n int, text string) string {
	var all strings.Builder
	for i := range n {
		all.WriteString(strings.NewReplacer("#", fmt.Sprint(i), "@", fmt.Sprint(i+1)).Replace(text))
	}
	return all.String()
}

// How far an attack comes, at most.
const (
	guarded   = iota // refused before it is validated
	validated        // refused by validation
	executed
)

// Each attack is refused before it costs anything, with a code and a short answer.
func TestAttacks(t *testing.T) {
	bomb := numbered(25, "fragment F# on Video { a: author { videos { nodes { ...F@ } } } b: author { videos { nodes { ...F@ } } } } ") +
		"fragment F25 on Video { title }"
	for _, c := range []struct {
		name, query string
		variables   map[string]any
		reaches     int
		says        string
	}{
		{"a fragment bomb", "{ feed { nodes { ...F0 } } } " + bomb, nil, guarded, "at most 2000 fields"},
		{"a bomb beside the operation that is run", "query A { __typename } query B { feed { nodes { ...F0 } } } " + bomb, nil, guarded, "at most 2000 fields"},
		{"a bomb that nothing uses", "{ __typename } " + bomb, nil, guarded, "at most 2000 fields"},
		{"a bomb of fragments alone", "{ feed { nodes { ...F0 } } } " + numbered(200, "fragment F# on Video { ...F@ ...F@ ...F@ } ") +
			"fragment F200 on Video { title }", nil, guarded, "at most 2000 fields"},
		{"fragments in a circle", "{ feed { nodes { ...A } } } fragment A on Video { ...B } fragment B on Video { author { videos { nodes { ...A } } } }",
			nil, guarded, "must not contain itself"},
		{"a fragment of that name, and another", "{ feed { nodes { ...A } } } fragment A on Video { title } fragment A on Video { ...A ...B } fragment B on Video { ...B }",
			nil, guarded, "must not contain itself"},
		{"unknown fragments", "{ feed { nodes {" + numbered(900, " ...F#") + " } } }", nil, guarded, "no fragment"},
		{"4,900 equal fields", "{" + strings.Repeat(" feed", 4900) + " }", nil, guarded, "at most 3000 tokens"},
		{"1,900 equal fields", "{" + strings.Repeat(" feed", 1900) + " }", nil, guarded, "first level"},
		{"600 equal fields below", "{ feed { nodes {" + strings.Repeat(" title", 600) + " } } }", nil, guarded, "at most 500 fields"},
		{"300 KB of unknown directives", "{ feed " + strings.Repeat("@x ", 100_000) + "{ nodes { title } } }", nil, guarded, "at most 65536 bytes"},
		{"60 KB of unknown directives", "{ feed " + strings.Repeat("@x ", 20_000) + "{ nodes { title } } }", nil, guarded, "at most 3000 tokens"},
		{"60 KB of comments", "{ __typename " + strings.Repeat("#\n", 30_000) + "}", nil, guarded, "at most 3000 tokens"},
		{"deep nesting", strings.Repeat("{ a ", 950) + strings.Repeat("}", 950), nil, guarded, "at most 12 deep"},
		{"deep nesting of what exists", "{ feed { nodes " + strings.Repeat("{ author { videos { nodes ", 4) + "{ title }" + strings.Repeat("}}}", 4) + "} }",
			nil, guarded, "at most 12 deep"},
		{"deep lists", "{ user(id: " + strings.Repeat("[", 1400) + strings.Repeat("]", 1400) + ") { id } }", nil, guarded, "nesting depth"},
		{"a flood of aliases", "{ feed { nodes { " + numbered(60, "a#: title ") + "} } }", nil, guarded, "at most 50 aliases"},
		{"aliases multiplied by fragments", "{ feed { nodes { " + numbered(6, "x#: author { ...A } ") + "} } } fragment A on User { " + numbered(10, "a#: name ") + "}",
			nil, guarded, "at most 50 aliases"},
		{"many root fields", "{ " + numbered(21, "a#: feed { nodes { title } } ") + "}", nil, guarded, "at most 20 fields"},
		{"many root fields through fragments", "{ ...A ...B } fragment A on Query { " + numbered(12, "a#: viewer { id } ") + "} fragment B on Query { " +
			numbered(12, "b#: viewer { id } ") + "}", nil, guarded, "at most 20 fields"},
		{"introspection within introspection", "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }", nil, guarded, "nested too deep"},
		{"introspection without end", "{ __type(name: \"User\") { " + strings.Repeat("ofType { ", 20) + "name" + strings.Repeat(" }", 20) + " } }", nil, guarded, "nested too deep"},
		{"introspection many times over", "{ " + numbered(10, "a#: __schema { types { "+numbered(4, "b#: fields { name } ")+"} } ") + "}", nil, guarded, "takes no aliases"},
		{"a name of 60 KB", "{ " + strings.Repeat("feedd", 12_000) + " }", nil, guarded, "at most 100 characters"},
		{"a list of errors", "{ feed { nodes { " + numbered(400, "unknown# ") + "} } }", nil, validated, "Cannot query field"},
		{"a list of errors of directives", "{ feed " + strings.Repeat("@x ", 1400) + "{ nodes { title } } }", nil, validated, "Unknown directive"},
		{"a value of 60 KB that does not fit", `{ feed(first: "` + strings.Repeat("x", 60_000) + `") { nodes { title } } }`, nil, validated, "cannot represent"},
		{"a variable of 900 KB that does not fit", "query($n: Int) { feed(first: $n) { nodes { title } } }", map[string]any{"n": strings.Repeat("x", 900_000)}, validated, "code"},
		{"lists within lists", "{ feed(first: 100) { nodes { author { videos(first: 100) { nodes { comments(first: 100) { nodes { content } } } } } } } }",
			nil, validated, "at most 20000 are given at once"},
		{"lists by variables", "query($n: Int = 100) { feed(first: $n) { nodes { author { videos(first: $n) { nodes { comments(first: $n) { nodes { content } } } } } } } }",
			map[string]any{"n": 99}, validated, "at most 20000 are given at once"},
		{"lists of any length", "{ feed(first: 2000000000) { nodes { author { videos(first: 2000000000) { nodes { title } } } } } }", nil, validated, "at most 20000 are given at once"},
		{"lists without a length", "{ feed { nodes { author { followers { nodes { followers { nodes { followers { nodes { id } } } } } } } } } }",
			nil, validated, "at most 20000 are given at once"},
		{"an answer without end", "{ feed(first: 100) { nodes { comments(first: 100) { nodes { " + numbered(45, "a#: content ") + "} } } } }", nil, validated, "at most 4194304"},
		{"names that fill an answer", "{ feed(first: 100) { nodes { comments(first: 100) { nodes { " + numbered(9, strings.Repeat("a", 90)+"#: databaseId ") + "} } } } }",
			nil, validated, "at most 4194304"},
		{"fragments that fill an answer", "{ feed(first: 100) { nodes { ...A } } } fragment A on Video { comments(first: 100) { nodes { " + strings.Repeat("...B ", 4) + "} } } " +
			"fragment B on Comment { " + numbered(12, "a#: content ") + "}", nil, validated, "at most 4194304"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			start := time.Now()
			a := s.query(t, c.query, c.variables)
			t.Logf("%d bytes answered in %v with %d", len(c.query), time.Since(start).Round(time.Millisecond/10), len(a.text))
			require.Contains(t, a.text, c.says)
			require.Less(t, len(a.text), 10_000, "the answer is short")
			requireErrors(t, a.text)
			if c.reaches == guarded {
				require.Zero(t, s.schema.validated.Load(), "it is refused before it is validated")
			}
			require.Zero(t, s.schema.executed.Load())
		})
	}
}

// requireErrors says that there are errors, 20 at most, each with a code and the id of the request, and nothing else.
func requireErrors(t *testing.T, text string) {
	t.Helper()
	var body map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(text), &body), text)
	require.Len(t, body, 1, text)
	var errs []struct {
		Message    string
		Extensions struct{ Code, RequestID string }
	}
	require.NoError(t, json.Unmarshal(body["errors"], &errs), text)
	require.NotEmpty(t, errs)
	require.LessOrEqual(t, len(errs), 20)
	for _, err := range errs {
		require.NotEmpty(t, err.Message)
		require.LessOrEqual(t, len(err.Message), 310)
		require.NotEmpty(t, err.Extensions.Code, text)
		require.Equal(t, "request-7", err.Extensions.RequestID)
	}
}

// The limits of a request as a whole.
func TestRequestLimits(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
		says       string
	}{
		{"a huge body", `{"query": "` + strings.Repeat("x", 1<<20) + `"}`, http.StatusRequestEntityTooLarge, "TOO_LARGE"},
		{"a huge batch", "[" + strings.TrimSuffix(strings.Repeat(`{"query": "{ __typename }"},`, 11), ",") + "]", http.StatusBadRequest, "1 to 10"},
		{"an empty batch", "[]", http.StatusBadRequest, "1 to 10"},
		{"lists of lists", strings.Repeat("[", 500_000), http.StatusBadRequest, "not JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			a := s.send(t, http.MethodPost, "", c.body)
			require.Equal(t, c.status, a.status, a.text)
			require.Contains(t, a.text, c.says)
			requireErrors(t, a.text)
			require.Zero(t, s.schema.validated.Load())
		})
	}
}

// What tools and pages need passes: the introspection query, a rich page, a batch.
func TestHonestRequests(t *testing.T) {
	s := newServer(t)
	a := s.query(t, introspection.Query, nil)
	require.NotContains(t, a.text, `"errors"`)
	require.Contains(t, a.text, `"publishVideo"`)
	t.Logf("introspection answers %d bytes", len(a.text))
	a = s.query(t, `{ __type(name: "Video") { fields { name type { name fields { name } } } } }`, nil)
	require.NotContains(t, a.text, `"errors"`)
	a = s.send(t, http.MethodPost, "", "["+strings.TrimSuffix(strings.Repeat(`{"query": "{ __typename }"},`, 10), ",")+"]")
	require.Equal(t, 10, strings.Count(a.text, `{"data":{"__typename":"Query"}}`), a.text)
	reached := s.schema.executed.Load()
	s.query(t, `{ feed(first: 30) { nodes { title author { name } comments(first: 20) { nodes { content author { name } } } } } }`, nil)
	require.Equal(t, reached+1, s.schema.executed.Load())
}
