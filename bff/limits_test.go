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
			require.NotContains(t, s.graphql(t, token, bomb(3), nil).text, `"errors"`)
			a := s.graphql(t, token, bomb(30), nil)
			require.Contains(t, a.text, `"code":"INVALID_ARGUMENT"`)
		})
	}
	require.NotContains(t, s.graphql(t, "", introspection.Query, nil).text, `"errors"`)
}

// What would make an answer without end is refused before anything is loaded; what a page may need is not.
func TestAnswerLimit(t *testing.T) {
	w := newWorld(t, 5, nil)
	nested := func(levels int, field string) string {
		return "{ feed { nodes { author { " + strings.Repeat(field+" { nodes { ", levels) + "id" + strings.Repeat(" } }", levels) + " } } } }"
	}
	for _, c := range []struct {
		name, query string
		refused     bool
	}{
		{"followers of followers without end", nested(8, "followers"), true},
		{"videos of authors of videos without end", "{ feed { nodes { " + strings.Repeat("author { videos { nodes { ", 6) + "id" + strings.Repeat(" } } }", 6) + " } } }", true},
		{"large pages within large pages", "{ feed(first: 100) { nodes { comments(first: 100) { nodes { content createdAt author { name followers(first: 100) { nodes { name } } } } } } } }", true},
		{"many root fields", "{ " + aliases(21, "feed(first: 1) { nodes { title } }") + " }", true},
		{"many guesses of a password", "mutation { " + aliases(21, `login(input: {name: "ann", password: "x"}) { token }`) + " }", true},
		{"root fields in a fragment", "{ ...F } fragment F on Query { " + aliases(21, "__typename") + " }", true},
		{"a schema in circles", "{ __schema { types { " + strings.Repeat("fields { type { ", 8) + "name" + strings.Repeat(" } }", 8) + " } } }", true},
		{"more tokens than a page needs", "{ " + strings.Repeat("__typename ", 2000) + "}", true},
		{"a large feed", "{ feed(first: 100) { nodes { title likeCount author { name followerCount } comments(first: 20) { nodes { content author { name } } } } } }", false},
		{"followers of followers", nested(2, "followers"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.calls.take()
			a := w.graphql(t, w.tokens["ann"], c.query, nil)
			if !c.refused {
				require.NotContains(t, a.text, `"errors"`)
				return
			}
			require.Contains(t, a.text, `"errors"`)
			require.NotContains(t, a.text, "INTERNAL")
			require.Empty(t, text(w.calls.take()), "nothing was loaded")
			require.Less(t, len(a.text), 10_000)
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
