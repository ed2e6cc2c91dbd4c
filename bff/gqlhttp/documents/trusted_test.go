package documents

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"minidouyin/bff/gqlhttp/guard"
	"minidouyin/graph"
)

// A manifest is read as graphql-codegen writes it, and what is wrong in it is named.
func TestReadTrusted(t *testing.T) {
	const hello = `query Hello { __typename }`
	text := func(manifest map[string]string) string {
		text, err := json.Marshal(manifest)
		require.NoError(t, err)
		return string(text)
	}
	schema := graph.NewSchema(graph.Config{}).Schema()
	entry := func(query string) string { return text(map[string]string{hashOf(query): query}) }
	deep := "{ node(id: 1) { ...on Video " + strings.Repeat("{ author { videos { nodes ", 5) + "{ id }" + strings.Repeat("} } }", 5) + " } }"
	for _, c := range []struct{ name, manifest, says string }{
		{"a query", entry(hello), ""},
		{"a query with variables", entry(`query Feed($n: Int) { feed(first: $n) { nodes { id } } }`), ""},
		{"an id with the name of its hash", text(map[string]string{"sha256:" + hashOf(hello): hello}), ""},
		{"none", `{}`, ""},
		{"no JSON", `query`, "not a JSON object"},
		{"a list", `[]`, "not a JSON object"},
		{"null", `null`, "not a JSON object"},
		{"another hash", text(map[string]string{"abc": hello}), `entry "abc": the SHA-256 of its text is ` + hashOf(hello)},
		{"a broken document", entry(`{`), hashOf(`{`)},
		{"an empty document", entry(``), "no operation"},
		{"a field that is not there", entry(`{ nothing }`), `Cannot query field "nothing"`},
		{"a document over the limits", entry(deep), "nested at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ReadTrusted(schema, guard.DefaultLimits(), []byte(c.manifest))
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
		})
	}
}
