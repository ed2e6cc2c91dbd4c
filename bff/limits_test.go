package bff_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql/introspection"
	"github.com/stretchr/testify/require"
)

// Fragments within fragments that stand for a billion fields are refused at once; what a page may need is not.
func TestFragmentBomb(t *testing.T) {
	s := newSite(t)
	_, token := s.register(t, "ann")
	s.publish(t, token, "one")
	for name, fragment := range map[string]string{
		"lists within lists":    "a: author { videos(first: 1) { nodes { ...FNEXT } } } b: author { videos(first: 1) { nodes { ...FNEXT } } }",
		"nothing but fragments": "...FNEXT ... on Video { ...FNEXT }",
	} {
		t.Run(name, func(t *testing.T) {
			bomb := func(depth int) string {
				var document strings.Builder
				document.WriteString("{ feed(first: 1) { nodes { ...F0 } } }\n")
				for i := range depth {
					fmt.Fprintf(&document, "fragment F%d on Video { %s }\n", i, strings.ReplaceAll(fragment, "NEXT", fmt.Sprint(i+1)))
				}
				fmt.Fprintf(&document, "fragment F%d on Video { title }\n", depth)
				return document.String()
			}
			require.NotContains(t, s.graphql(t, token, bomb(4), nil).text, `"errors"`)
			a := s.graphql(t, token, bomb(30), nil)
			require.Contains(t, a.text, `"code":"INVALID_ARGUMENT"`)
			require.Contains(t, a.text, "at most 2000 fields")
		})
	}
	require.NotContains(t, s.graphql(t, "", introspection.Query, nil).text, `"errors"`)
}

// What would make an answer without end is refused before anything is loaded; what a page may need is not.
func TestAnswerLimit(t *testing.T) {
	w := newWorld(t, 5)
	nested := func(levels int, field string) string {
		return "{ feed { nodes { author { " + strings.Repeat(field+" { nodes { ", levels) + "id" + strings.Repeat(" } }", levels) + " } } } }"
	}
	for _, c := range []struct{ name, query, refused string }{
		{"followers of followers without end", nested(8, "followers"), "at most 100000 values"},
		{"videos of authors of videos without end", "{ feed { nodes { " + strings.Repeat("author { videos { nodes { ", 6) + "id" + strings.Repeat(" } } }", 6) + " } } }", "at most 100000 values"},
		{"large pages within large pages", "{ feed(first: 100) { nodes { comments(first: 100) { nodes { content createdAt author { name followers(first: 100) { nodes { name } } } } } } } }", "at most 100000 values"},
		{"many root fields", "{ " + aliases(21, "feed(first: 1) { nodes { title } }") + " }", "at most 20 root fields"},
		{"many guesses of a password", "mutation { " + aliases(21, `login(input: {name: "ann", password: "x"}) { token }`) + " }", "at most 20 root fields"},
		{"root fields in a fragment", "{ ...F } fragment F on Query { " + aliases(21, "__typename") + " }", "at most 20 root fields"},
		{"a schema in circles", "{ __schema { types { " + strings.Repeat("fields { type { ", 8) + "name" + strings.Repeat(" } }", 8) + " } } }", "introspection depth"},
		{"more tokens than a page needs", "{ " + strings.Repeat("__typename ", 2000) + "}", "token limit"},
		{"a large feed", "{ feed(first: 100) { nodes { title likeCount author { name followerCount } comments(first: 20) { nodes { content author { name } } } } } }", "-"},
		{"followers of followers", nested(2, "followers"), "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.calls.take()
			a := w.graphql(t, w.tokens["ann"], c.query, nil)
			switch c.refused {
			case "-":
				require.NotContains(t, a.text, `"errors"`)
			default:
				require.Contains(t, a.text, `"errors"`)
				require.Contains(t, a.text, c.refused)
				require.Empty(t, text(w.calls.take()), "nothing was loaded")
				require.Less(t, len(a.text), 10_000)
			}
		})
	}
}

func aliases(n int, field string) string {
	var fields strings.Builder
	for i := range n {
		fmt.Fprintf(&fields, "a%d: %s ", i, field)
	}
	return fields.String()
}
