package httpcache

import (
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"minidouyin/graph"
)

// An answer may be kept for the least time that something in it may be, and only by the viewer when something in it
// depends on the viewer.
func TestPolicy(t *testing.T) {
	schema := graph.NewSchema(graph.Config{}).Schema()
	for _, c := range []struct {
		name, query string
		want        policy
	}{
		{"the feed", `{ feed { nodes { title playUrl author { name avatarUrl } } pageInfo { endCursor } } }`, policy{10, false}},
		{"the feed with counts", `{ feed { nodes { likeCount commentCount } } }`, policy{10, false}},
		{"the feed with likes of the viewer", `{ feed { nodes { viewerHasLiked } } }`, policy{10, true}},
		{"likes that a variable leaves out", `query($me: Boolean = false) { feed { nodes { viewerHasLiked @include(if: $me) } } }`, policy{10, false}},
		{"likes that a constant leaves out", `{ feed { nodes { viewerHasLiked @skip(if: true) } } }`, policy{10, false}},
		{"a fragment that is left out", `{ feed { nodes { title ...A @skip(if: true) ... @include(if: false) { viewerHasLiked } } } } fragment A on Video { viewerHasLiked }`, policy{10, false}},
		{"likes in a fragment", `{ feed { nodes { ...A } } } fragment A on Video { author { ...B } } fragment B on User { viewerIsFollowing }`, policy{10, true}},
		{"a video", `{ video(id: 1) { title coverUrl } }`, policy{60, false}},
		{"a video and its count", `{ video(id: 1) { title likeCount } }`, policy{10, false}},
		{"a video and its comments", `{ video(id: 1) { comments { nodes { content author { name } } } } }`, policy{10, false}},
		{"a profile", `{ user(id: 1) { name signature } }`, policy{60, false}},
		{"a profile and its lists", `{ user(id: 1) { name followers { nodes { name } } } }`, policy{10, false}},
		{"the least of two", `{ video(id: 1) { title } user(id: 1) { name videoCount } }`, policy{10, false}},
		{"an object by its id", `{ node(id: "x") { id ... on Video { title } } }`, policy{10, false}},
		{"the viewer", `{ viewer { name } }`, policy{0, true}},
		{"the viewer beside the feed", `{ feed { nodes { title } } viewer { name } }`, policy{0, true}},
		{"the viewer in a fragment", `{ feed { nodes { title } } ...A } fragment A on Query { viewer { name } }`, policy{0, true}},
		{"friends", `{ user(id: 1) { friends { nodes { user { name } } } } }`, policy{0, true}},
		{"messages", `{ conversation(with: 1) { nodes { content } } }`, policy{0, true}},
		{"nothing but its name", `{ __typename }`, policy{0, false}},
		{"the schema", `{ __schema { types { name } } }`, policy{0, false}},
		{"a change", `mutation { likeVideo(input: {videoId: 1}) { video { title } } }`, policy{0, false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			document, errs := gqlparser.LoadQueryWithRules(schema, c.query, rules.NewDefaultRules())
			require.Nil(t, errs)
			operation := &graphql.OperationContext{Operation: document.Operations[0], Doc: document, Variables: map[string]any{"me": false}}
			require.Equal(t, c.want, policyOf(schema, operation))
		})
	}
}

// A field of the first level without a hint is not kept, and one below is kept as what it stands in.
func TestPolicyWithoutHints(t *testing.T) {
	schema := gqlparser.MustLoadSchema(hintedSource)
	for query, want := range map[string]policy{
		`{ plain }`: {0, false}, `{ hinted }`: {30, false}, `{ hinted plain }`: {0, false},
		`{ thing { plain } }`: {20, false}, `{ thing { short } }`: {5, false}, `{ thing { thing { plain } } }`: {20, false},
		`{ longer { plain } }`: {90, false}, `{ any { ... on Thing { plain } } }`: {20, false}, `{ mine }`: {30, true},
	} {
		document, errs := gqlparser.LoadQueryWithRules(schema, query, rules.NewDefaultRules())
		require.Nil(t, errs)
		operation := &graphql.OperationContext{Operation: document.Operations[0], Doc: document}
		require.Equal(t, want, policyOf(schema, operation), query)
	}
}

var hintedSource = &ast.Source{Input: `
directive @cacheControl(maxAge: Int, scope: Scope = PUBLIC) on FIELD_DEFINITION | OBJECT
enum Scope { PUBLIC PRIVATE }
union Any = Thing
type Thing @cacheControl(maxAge: 20) { plain: Int, short: Int @cacheControl(maxAge: 5), thing: Thing }
type Query {
  plain: Int
  hinted: Int @cacheControl(maxAge: 30)
  mine: Int @cacheControl(maxAge: 30, scope: PRIVATE)
  thing: Thing
  longer: Thing @cacheControl(maxAge: 90)
  any: Any @cacheControl(maxAge: 40)
}`}
