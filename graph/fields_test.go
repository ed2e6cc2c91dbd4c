package graph

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"minidouyin/graph/exec"
	"minidouyin/graph/model"
)

// Each difference between the table of fields and the schema is an error that names the field.
func TestFieldsCheck(t *testing.T) {
	sdl, err := os.ReadFile("schema.graphql")
	require.NoError(t, err)
	schema := string(sdl)
	for _, c := range []struct {
		name, schema string
		change       func(*fields)
		problem      string
	}{
		{name: "the schema", schema: schema},
		{name: "field without a row", schema: schema + `extend type Video { length: Int }`,
			problem: "Video.length has no row"},
		{name: "type without rows", schema: schema + `type Playlist { name: String }`,
			problem: "Playlist.name has no row"},
		{name: "row without a field", schema: schema,
			change:  func(f *fields) { define(f, &f.video, "Video", []row[*model.Video]{{"length", nil}}) },
			problem: "Video.length has a row, but is not in the schema"},
		{name: "member without a field", schema: schema,
			change:  func(f *fields) { defineMembers(f, "Playlist", "name") },
			problem: "Playlist.name has a row, but is not in the schema"},
		{name: "two rows", schema: schema,
			change:  func(f *fields) { define(f, &f.video, "Video", []row[*model.Video]{{"title", nil}}) },
			problem: "Video.title has two rows"},
		{name: "load without a loader", schema: schema + `extend type Video { length: Int }`,
			change:  func(f *fields) { define(f, &f.video, "Video", []row[*model.Video]{{"length", &videoLoad{}}}) },
			problem: "Video.length needs a load that no loader serves"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFields()
			if c.change != nil {
				c.change(f)
			}
			err := f.check(gqlparser.MustLoadSchema(&ast.Source{Input: c.schema}))
			if c.problem == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, "table of fields: "+c.problem)
			}
		})
	}
}

// Every field of every type is loaded, wherever it is selected.
func TestFieldsAreLoaded(t *testing.T) {
	schema := schemaOf(newFields())
	upload := map[string]any{"file": graphql.Upload{File: strings.NewReader("")}}
	id := model.GlobalID
	for _, c := range []struct{ operation, field string }{
		{"query", `viewer`},
		{"query", `user(id: 1)`},
		{"query", `video(id: 1)`},
		{"query", `feed`},
		{"query", `conversation(with: 1)`},
		{"query", `node(id: "` + id(model.TypeUser, 1) + `")`},
		{"query", `node(id: "` + id(model.TypeVideo, 1) + `")`},
		{"query", `node(id: "` + id(model.TypeComment, 1) + `")`},
		{"mutation", `register(input: {name: "a", password: "b"})`},
		{"mutation", `login(input: {name: "a", password: "b"})`},
		{"mutation", `updateProfile(input: {name: "a"})`},
		{"mutation($file: Upload!)", `publishVideo(input: {title: "a", file: $file})`},
		{"mutation", `updateVideo(input: {videoId: 1, title: "a"})`},
		{"mutation", `deleteVideo(input: {videoId: 1})`},
		{"mutation", `likeVideo(input: {videoId: 1})`},
		{"mutation", `unlikeVideo(input: {videoId: 1})`},
		{"mutation", `createComment(input: {videoId: 1, content: "a"})`},
		{"mutation", `deleteComment(input: {videoId: 1, commentId: 1})`},
		{"mutation", `follow(input: {userId: 1})`},
		{"mutation", `unfollow(input: {userId: 1})`},
		{"mutation", `sendMessage(input: {userId: 1, content: "a"})`},
	} {
		t.Run(c.field, func(t *testing.T) {
			name, _, _ := strings.Cut(c.field, "(")
			root := schema.Schema().Query
			if strings.HasPrefix(c.operation, "mutation") {
				root = schema.Schema().Mutation
			}
			selection := selectAll(schema.Schema(), root.Fields.ForName(name).Type.Name(), 8)
			response := run(t, schema, c.operation+" { "+c.field+" "+selection+" }", upload)
			require.Empty(t, response.Errors)
			require.NotContains(t, string(response.Data), "null", "the services know every object")
		})
	}
}

// A selected field that the walk does not load is an internal error, never a zero.
func TestFieldNotLoaded(t *testing.T) {
	for root, fields := range map[string][]string{
		"user": {"likesReceivedCount", "likesGivenCount", "followingCount", "followerCount", "viewerIsFollowing",
			"videos { __typename }", "likedVideos { __typename }", "following { __typename }", "followers { __typename }",
			"friends { __typename }"},
		"video": {"likeCount", "commentCount", "viewerHasLiked", "comments { __typename }", "author { __typename }"},
	} {
		for _, field := range fields {
			name, _, _ := strings.Cut(field, " ")
			t.Run(root+"."+name, func(t *testing.T) {
				f := newFields()
				f.user.rows[name], f.video.rows[name] = nil, nil
				response := run(t, schemaOf(f), fmt.Sprintf(`{ %s(id: 1) { id %s } }`, root, field), nil)
				require.Len(t, response.Errors, 1)
				require.Equal(t, root+"."+name, response.Errors[0].Path.String())
				require.Equal(t, "INTERNAL", response.Errors[0].Extensions["code"])
				require.Contains(t, string(response.Data), `"`+name+`":null`)
			})
		}
	}
}

// schemaOf returns a schema with this table over services that know every object.
func schemaOf(f *fields) graphql.ExecutableSchema {
	cfg := Config{Basics: allBasics{}, Interaction: allInteraction{}, Social: allSocial{}, Media: allMedia{}, Deleted: func() {},
		IssueToken: func(int64) (string, time.Time, error) { return "token", time.UnixMilli(1), nil }}
	return exec.NewExecutableSchema(exec.Config{
		Resolvers: &Resolver{cfg, f}, Directives: exec.DirectiveRoot{Auth: auth}})
}

// run executes a document as user 1.
func run(t *testing.T, schema graphql.ExecutableSchema, document string, variables map[string]any) *graphql.Response {
	t.Helper()
	server := executor.New(schema)
	server.SetErrorPresenter(Present(slog.New(slog.DiscardHandler)))
	ctx := graphql.StartOperationTrace(WithViewer(t.Context(), 1))
	operation, errs := server.CreateOperationContext(ctx, &graphql.RawParams{Query: document, Variables: variables})
	require.Empty(t, errs, document)
	responses, ctx := server.DispatchOperation(ctx, operation)
	return responses(ctx)
}

// selectAll selects all fields of a type, and of the types below it to this depth.
func selectAll(schema *ast.Schema, typ string, depth int) string {
	definition := schema.Types[typ]
	if definition.Kind == ast.Interface {
		var fragments strings.Builder
		for _, object := range schema.PossibleTypes[typ] {
			fmt.Fprintf(&fragments, "... on %s %s ", object.Name, selectAll(schema, object.Name, depth))
		}
		return "{ " + fragments.String() + "}"
	}
	out := "{ "
	for _, field := range definition.Fields {
		name := field.Type.Name()
		switch {
		case strings.HasPrefix(field.Name, "__"):
		case !schema.Types[name].IsCompositeType():
			out += field.Name + " "
		case depth > 1:
			out += field.Name + " " + selectAll(schema, name, depth-1) + " "
		default:
			out += field.Name + " { __typename } "
		}
	}
	return out + "}"
}
