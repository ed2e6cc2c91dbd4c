package graph

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/cloudwego/kitex/client/callopt"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"minidouyin/graph/exec"
	"minidouyin/graph/model"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/basics/basicsservice"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/interaction/interactionservice"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/idl/kitex_gen/social/socialservice"
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

// The services below know every object that is asked for. All lists hold object 1, which is the viewer.

type allBasics struct{ basicsservice.Client }

func aUser(id int64) *basics.User { return &basics.User{ID: id} }

func aVideo(id int64) *basics.Video { return &basics.Video{ID: id, AuthorID: 1} }

func byKey[V any](ids []int64, value func(id int64) V) map[int64]V {
	out := map[int64]V{}
	for _, id := range ids {
		out[id] = value(id)
	}
	return out
}

func videoPage(int64) *basics.VideoPage { return &basics.VideoPage{Videos: []*basics.Video{aVideo(1)}} }

func (allBasics) BatchGetUsers(
	_ context.Context, r *basics.BatchGetUsersRequest, _ ...callopt.Option,
) (*basics.BatchGetUsersResponse, error) {
	return &basics.BatchGetUsersResponse{Users: byKey(r.UserIds, aUser)}, nil
}

func (allBasics) BatchGetVideos(
	_ context.Context, r *basics.BatchGetVideosRequest, _ ...callopt.Option,
) (*basics.BatchGetVideosResponse, error) {
	return &basics.BatchGetVideosResponse{Videos: byKey(r.VideoIds, aVideo)}, nil
}

func (allBasics) ListFeed(
	context.Context, *basics.ListFeedRequest, ...callopt.Option,
) (*basics.ListFeedResponse, error) {
	return &basics.ListFeedResponse{Page: videoPage(0)}, nil
}

func (allBasics) ListUserVideos(
	_ context.Context, r *basics.ListUserVideosRequest, _ ...callopt.Option,
) (*basics.ListUserVideosResponse, error) {
	return &basics.ListUserVideosResponse{Pages: byKey(r.UserIds, videoPage)}, nil
}

func (allBasics) CreateUser(
	context.Context, *basics.CreateUserRequest, ...callopt.Option,
) (*basics.CreateUserResponse, error) {
	return &basics.CreateUserResponse{User: aUser(1)}, nil
}

func (allBasics) VerifyPassword(
	context.Context, *basics.VerifyPasswordRequest, ...callopt.Option,
) (*basics.VerifyPasswordResponse, error) {
	return &basics.VerifyPasswordResponse{User: aUser(1)}, nil
}

func (allBasics) UpdateProfile(
	context.Context, *basics.UpdateProfileRequest, ...callopt.Option,
) (*basics.UpdateProfileResponse, error) {
	return &basics.UpdateProfileResponse{User: aUser(1)}, nil
}

func (allBasics) ReserveFiles(
	context.Context, *basics.ReserveFilesRequest, ...callopt.Option,
) (*basics.ReserveFilesResponse, error) {
	return &basics.ReserveFilesResponse{}, nil
}

func (allBasics) CreateVideo(
	context.Context, *basics.CreateVideoRequest, ...callopt.Option,
) (*basics.CreateVideoResponse, error) {
	return &basics.CreateVideoResponse{Video: aVideo(1)}, nil
}

func (allBasics) UpdateVideo(
	context.Context, *basics.UpdateVideoRequest, ...callopt.Option,
) (*basics.UpdateVideoResponse, error) {
	return &basics.UpdateVideoResponse{Video: aVideo(1)}, nil
}

func (allBasics) DeleteVideo(
	context.Context, *basics.DeleteVideoRequest, ...callopt.Option,
) (*basics.DeleteVideoResponse, error) {
	return &basics.DeleteVideoResponse{}, nil
}

type allInteraction struct{ interactionservice.Client }

func aComment(id int64) *interaction.Comment { return &interaction.Comment{ID: id, UserID: 1} }

func (allInteraction) BatchGetComments(
	_ context.Context, r *interaction.BatchGetCommentsRequest, _ ...callopt.Option,
) (*interaction.BatchGetCommentsResponse, error) {
	return &interaction.BatchGetCommentsResponse{Comments: byKey(r.CommentIds, aComment)}, nil
}

func (allInteraction) BatchGetVideoStats(
	_ context.Context, r *interaction.BatchGetVideoStatsRequest, _ ...callopt.Option,
) (*interaction.BatchGetVideoStatsResponse, error) {
	return &interaction.BatchGetVideoStatsResponse{
		Stats: byKey(r.VideoIds, func(int64) *interaction.VideoStats { return &interaction.VideoStats{} })}, nil
}

func (allInteraction) BatchGetUserLikeStats(
	_ context.Context, r *interaction.BatchGetUserLikeStatsRequest, _ ...callopt.Option,
) (*interaction.BatchGetUserLikeStatsResponse, error) {
	return &interaction.BatchGetUserLikeStatsResponse{
		Stats: byKey(r.UserIds, func(int64) *interaction.UserLikeStats { return &interaction.UserLikeStats{} })}, nil
}

func (allInteraction) ListComments(
	_ context.Context, r *interaction.ListCommentsRequest, _ ...callopt.Option,
) (*interaction.ListCommentsResponse, error) {
	return &interaction.ListCommentsResponse{Pages: byKey(r.VideoIds, func(int64) *interaction.CommentPage {
		return &interaction.CommentPage{Comments: []*interaction.Comment{aComment(1)}}
	})}, nil
}

func (allInteraction) ListLikedVideoIDs(
	_ context.Context, r *interaction.ListLikedVideoIDsRequest, _ ...callopt.Option,
) (*interaction.ListLikedVideoIDsResponse, error) {
	return &interaction.ListLikedVideoIDsResponse{Pages: byKey(r.UserIds, func(int64) *interaction.LikePage {
		return &interaction.LikePage{Likes: []*interaction.Like{{ID: 1, VideoID: 1}}}
	})}, nil
}

func (allInteraction) LikeVideo(
	context.Context, *interaction.LikeVideoRequest, ...callopt.Option,
) (*interaction.LikeVideoResponse, error) {
	return &interaction.LikeVideoResponse{}, nil
}

func (allInteraction) UnlikeVideo(
	context.Context, *interaction.UnlikeVideoRequest, ...callopt.Option,
) (*interaction.UnlikeVideoResponse, error) {
	return &interaction.UnlikeVideoResponse{}, nil
}

func (allInteraction) CreateComment(
	context.Context, *interaction.CreateCommentRequest, ...callopt.Option,
) (*interaction.CreateCommentResponse, error) {
	return &interaction.CreateCommentResponse{Comment: aComment(1)}, nil
}

func (allInteraction) DeleteComment(
	context.Context, *interaction.DeleteCommentRequest, ...callopt.Option,
) (*interaction.DeleteCommentResponse, error) {
	return &interaction.DeleteCommentResponse{}, nil
}

type allSocial struct{ socialservice.Client }

func aMessage() *social.Message { return &social.Message{ID: 1, FromUserID: 1, ToUserID: 1} }

func followPage(int64) *social.FollowPage {
	return &social.FollowPage{Edges: []*social.FollowEdge{{ID: 1, UserID: 1}}}
}

func (allSocial) BatchGetRelationStats(
	_ context.Context, r *social.BatchGetRelationStatsRequest, _ ...callopt.Option,
) (*social.BatchGetRelationStatsResponse, error) {
	return &social.BatchGetRelationStatsResponse{
		Stats: byKey(r.UserIds, func(int64) *social.RelationStats { return &social.RelationStats{} })}, nil
}

func (allSocial) ListFollowing(
	_ context.Context, r *social.ListFollowingRequest, _ ...callopt.Option,
) (*social.ListFollowingResponse, error) {
	return &social.ListFollowingResponse{Pages: byKey(r.UserIds, followPage)}, nil
}

func (allSocial) ListFollowers(
	_ context.Context, r *social.ListFollowersRequest, _ ...callopt.Option,
) (*social.ListFollowersResponse, error) {
	return &social.ListFollowersResponse{Pages: byKey(r.UserIds, followPage)}, nil
}

func (allSocial) ListFriends(
	context.Context, *social.ListFriendsRequest, ...callopt.Option,
) (*social.ListFriendsResponse, error) {
	return &social.ListFriendsResponse{Page: &social.FriendPage{
		Edges: []*social.FriendEdge{{ID: 1, UserID: 1, LatestMessage: aMessage()}}}}, nil
}

func (allSocial) ListMessages(
	context.Context, *social.ListMessagesRequest, ...callopt.Option,
) (*social.ListMessagesResponse, error) {
	return &social.ListMessagesResponse{Messages: []*social.Message{aMessage()}}, nil
}

func (allSocial) Follow(context.Context, *social.FollowRequest, ...callopt.Option) (*social.FollowResponse, error) {
	return &social.FollowResponse{}, nil
}

func (allSocial) Unfollow(
	context.Context, *social.UnfollowRequest, ...callopt.Option,
) (*social.UnfollowResponse, error) {
	return &social.UnfollowResponse{}, nil
}

func (allSocial) SendMessage(
	context.Context, *social.SendMessageRequest, ...callopt.Option,
) (*social.SendMessageResponse, error) {
	return &social.SendMessageResponse{Message: aMessage()}, nil
}

type allMedia struct{ Media }

func (allMedia) URL(context.Context, string) string           { return "url" }
func (allMedia) AvatarURL(context.Context, string) string     { return "avatar" }
func (allMedia) BackgroundURL(context.Context, string) string { return "background" }

func (allMedia) StageVideo(context.Context, io.ReadSeeker, string, io.ReadSeeker) (StagedFiles, error) {
	return stagedVideo{}, nil
}

type stagedVideo struct{}

func (stagedVideo) Keys() []string               { return []string{"videos/a", "covers/a"} }
func (stagedVideo) Commit(context.Context) error { return nil }
func (stagedVideo) Discard()                     {}
