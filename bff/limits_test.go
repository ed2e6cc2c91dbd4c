package bff_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql/introspection"
	"github.com/stretchr/testify/require"
)

// Fragments within fragments that stand for a billion fields are refused at once; what a page may need is not.
func TestFieldLimit(t *testing.T) {
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
			start := time.Now()
			a := s.graphql(t, token, bomb(30), nil)
			require.Contains(t, a.text, `"code":"INVALID_ARGUMENT"`)
			require.Contains(t, a.text, "at most 2000 fields")
			require.Less(t, time.Since(start), time.Second)
		})
	}
	require.NotContains(t, s.graphql(t, "", introspection.Query, nil).text, `"errors"`)
}
