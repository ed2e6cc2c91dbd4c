package guard

import (
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"minidouyin/graph"
)

// What an operation can bring: items multiply through lists within lists, and so do the bytes of what is selected of
// them; what stands beside a list does not.
func TestPrice(t *testing.T) {
	schema := graph.NewSchema(graph.Config{}).Schema()
	for _, c := range []struct {
		name, query string
		want        price
	}{
		{"a value", `{ user(id: 1) { name } }`, price{1, 10 + 110}},
		{"a page", `{ feed(first: 30) { nodes { title } } }`, price{31, 10 + 30*(11+111)}},
		{"a page without a size", `{ feed { nodes { title } } }`, price{21, 10 + 20*(11+111)}},
		{"messages without a size", `{ conversation(with: 1) { nodes { content } } }`, price{51, 18 + 50*(11+113)}},
		{"another name", `{ feed(first: 30) { nodes { thetitle: title } } }`, price{31, 10 + 30*(11+114)}},
		{"a page by edges", `{ feed(first: 30) { edges { cursor node { title } } } }`, price{31, 10 + 30*(11+112+10+111)}},
		{"the page's place", `{ feed(first: 30) { pageInfo { hasNextPage endCursor } } }`, price{31, 10 + 14 + 22 + 115}},
		{"a page of pages", `{ feed(first: 10) { nodes { comments(first: 5) { nodes { content } } } } }`, price{1 + 10 + 50, 10 + 10*(11+14) + 50*(11+113)}},
		{"a page by a variable", `query($n: Int) { feed(first: $n) { nodes { title } } }`, price{8, 10 + 7*(11+111)}},
		{"two pages", `{ a: feed(first: 1) { nodes { title } } b: feed(first: 1) { nodes { title } } }`, price{4, 2 * (7 + 11 + 111)}},
		{"a fragment", `{ feed(first: 30) { ...A } } fragment A on FeedConnection { nodes { ... on Video { title } } }`, price{31, 10 + 30*(11+111)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			document, errs := gqlparser.LoadQueryWithRules(schema, c.query, rules.NewDefaultRules())
			require.Nil(t, errs)
			operation := &graphql.OperationContext{Operation: document.Operations[0], Doc: document, Variables: map[string]any{"n": 7}}
			require.Equal(t, c.want, priceOf(operation, func(argument string) int { return graph.PageSizeFor(t.Context(), argument) }))
		})
	}
}
