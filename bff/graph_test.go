package bff_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"minidouyin/graph/model"
	"minidouyin/idl/kitex_gen/basics"
)

// What the graph answers, operation by operation: as ann, who has published the videos 1 and 2; bob likes and comments
// the first; the two follow each other and chat.
func TestGraph(t *testing.T) {
	s := newSite(t)
	smallWorld(t, s)
	login := s.ok(t, "POST", "/douyin/user/login/", "username", "ann", "password", "secret")
	token := login["token"].(string)
	id := func(typ string, n int64) string { return model.GlobalID(typ, n) }
	for _, c := range []struct{ name, query, want string }{
		{"node: a user", `{ node(id: "` + id("User", 2) + `") { id ... on User { name viewerIsFollowing } } }`,
			`{"data": {"node": {"id": "` + id("User", 2) + `", "name": "bob", "viewerIsFollowing": true}}}`},
		{"node: a video", `{ node(id: "` + id("Video", 1) + `") { ... on Video { title likeCount author { name } } } }`,
			`{"data": {"node": {"title": "first video", "likeCount": 1, "author": {"name": "ann"}}}}`},
		{"node: a comment", `{ node(id: "` + id("Comment", 1) + `") { ... on Comment { content author { name } } } }`,
			`{"data": {"node": {"content": "nice <3", "author": {"name": "bob"}}}}`},
		{"node: nothing", `{ node(id: "` + id("Video", 99) + `") { id } }`, `{"data": {"node": null}}`},
		{"node: a message is none", `{ node(id: "` + id("Message", 1) + `") { id } }`, `{"data": {"node": null}}`},
		{"viewer", `{ viewer { name databaseId videoCount } }`, `{"data": {"viewer": {"name": "ann", "databaseId": 1, "videoCount": 2}}}`},
		{"a user by opaque id and by databaseId", `{ a: user(id: "` + id("User", 2) + `") { name } b: user(id: "2") { name } }`,
			`{"data": {"a": {"name": "bob"}, "b": {"name": "bob"}}}`},
		{"pages with and without arguments beside each other", `{ user(id: "1") { videos { nodes { title } } one: videos(first: 1) { nodes { title } pageInfo { hasNextPage hasPreviousPage } } } }`,
			`{"data": {"user": {"videos": {"nodes": [{"title": "第二个视频"}, {"title": "first video"}]},
				"one": {"nodes": [{"title": "第二个视频"}], "pageInfo": {"hasNextPage": true, "hasPreviousPage": false}}}}}`},
		{"the other's liked videos", `{ user(id: "2") { likedVideos { nodes { title viewerHasLiked } } likesGivenCount } }`,
			`{"data": {"user": {"likedVideos": {"nodes": [{"title": "first video", "viewerHasLiked": false}]}, "likesGivenCount": 1}}}`},
		{"change one's video", `mutation { updateVideo(input: {videoId: "2", title: "second video"}) { video { title } } }`,
			`{"data": {"updateVideo": {"video": {"title": "second video"}}}}`},
		{"like one's own video", `mutation { likeVideo(input: {videoId: "2"}) { video { likeCount author { likesReceivedCount likesGivenCount } } } }`,
			`{"data": {"likeVideo": {"video": {"likeCount": 1, "author": {"likesReceivedCount": 2, "likesGivenCount": 1}}}}}`},
		{"delete a comment under one's video", `mutation { deleteComment(input: {videoId: "1", commentId: "1"}) { deletedCommentId video { commentCount } } }`,
			`{"data": {"deleteComment": {"deletedCommentId": "` + id("Comment", 1) + `", "video": {"commentCount": 0}}}}`},
		{"two changes in one operation see each other", `mutation { like: likeVideo(input: {videoId: "1"}) { video { likeCount } } unlike: unlikeVideo(input: {videoId: "1"}) { video { likeCount } } }`,
			`{"data": {"like": {"video": {"likeCount": 2}}, "unlike": {"video": {"likeCount": 1}}}}`},
	} {
		t.Run(c.name, func(t *testing.T) { require.JSONEq(t, c.want, s.graphql(t, token, c.query, nil).text) })
	}
}

// Refusals have a code and a message for people.
func TestGraphRefuses(t *testing.T) {
	s := newSite(t)
	smallWorld(t, s)
	cat := s.ok(t, "POST", "/douyin/user/login/", "username", "cat", "password", "secret")["token"].(string)
	for _, c := range []struct{ name, token, query, code string }{
		{"a visitor who likes", "", `mutation { likeVideo(input: {videoId: "1"}) { video { id } } }`, "UNAUTHENTICATED"},
		{"a visitor who chats", "", `{ conversation(with: "1") { nodes { id } } }`, "UNAUTHENTICATED"},
		{"a wrong password", "", `mutation { login(input: {name: "ann", password: "x"}) { token } }`, "UNAUTHENTICATED"},
		{"a name that is taken", "", `mutation { register(input: {name: "Ann", password: "x"}) { token } }`, "ALREADY_EXISTS"},
		{"an unknown video", cat, `{ video(id: "99") { id } }`, "NOT_FOUND"},
		{"the id of something else", cat, `{ video(id: "` + model.GlobalID("User", 1) + `") { id } }`, "INVALID_ARGUMENT"},
		{"an id that is none", cat, `{ node(id: "what") { id } }`, "INVALID_ARGUMENT"},
		{"a cursor that is none", cat, `{ feed(after: "what") { nodes { id } } }`, "INVALID_ARGUMENT"},
		{"a page of 0", cat, `{ user(id: "1") { videos(first: 0) { nodes { id } } } }`, "INVALID_ARGUMENT"},
		{"a page of 101", cat, `{ feed(first: 101) { nodes { id } } }`, "INVALID_ARGUMENT"},
		{"somebody else's friends", cat, `{ user(id: "1") { friends { nodes { user { id } } } } }`, "PERMISSION_DENIED"},
		{"somebody else's video", cat, `mutation { deleteVideo(input: {videoId: "1"}) { deletedVideoId } }`, "PERMISSION_DENIED"},
		{"somebody else's title", cat, `mutation { updateVideo(input: {videoId: "1", title: "mine"}) { video { id } } }`, "PERMISSION_DENIED"},
		{"oneself", cat, `mutation { follow(input: {userId: "3"}) { user { id } } }`, "INVALID_ARGUMENT"},
		{"a document with a fault", cat, `{ feed {`, "GRAPHQL_PARSE_FAILED"},
		{"an unknown field", cat, `{ feed { password } }`, "GRAPHQL_VALIDATION_FAILED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Contains(t, s.graphql(t, c.token, c.query, nil).text, fmt.Sprintf(`"code":%q`, c.code))
		})
	}
	require.Equal(t, 401, s.graphql(t, "abc", `{ viewer { id } }`, nil).status)
}

// Pages by cursor hold every item once, in order, also when items share a place in time or arrive meanwhile.
func TestCursors(t *testing.T) {
	s := newSite(t)
	_, token := s.register(t, "ann")
	s.publish(t, token, "video")
	for i := range 7 {
		s.ok(t, "POST", "/douyin/comment/action/", "token", token, "video_id", "1", "action_type", "1", "comment_text", fmt.Sprint(i))
	}
	var read []string
	after := ""
	for range 4 {
		a := s.graphql(t, "", `query($after: String) { video(id: "1") { comments(first: 2, after: $after) { edges { cursor node { content } } pageInfo { hasNextPage hasPreviousPage endCursor } } } }`,
			map[string]any{"after": after})
		page := a.json["data"].(map[string]any)["video"].(map[string]any)["comments"].(map[string]any)
		for _, e := range page["edges"].([]any) {
			read = append(read, e.(map[string]any)["node"].(map[string]any)["content"].(string))
		}
		info := page["pageInfo"].(map[string]any)
		require.Equal(t, after != "", info["hasPreviousPage"])
		require.Equal(t, len(read) < 7, info["hasNextPage"])
		after = info["endCursor"].(string)
		s.ok(t, "POST", "/douyin/comment/action/", "token", token, "video_id", "1", "action_type", "1", "comment_text", "new")
	}
	require.Equal(t, []string{"6", "5", "4", "3", "2", "1", "0"}, read)
}

// Videos of a deleted user go; what the user wrote elsewhere shows nobody until it is purged.
func TestDeletedUser(t *testing.T) {
	s := newSite(t)
	smallWorld(t, s)
	_, err := s.ground.Basics.DeleteUser(context.Background(), &basics.DeleteUserRequest{UserID: 2})
	require.NoError(t, err)
	a := s.graphql(t, "", `{ video(id: "1") { comments { nodes { content author { name } } } } user(id: "1") { following { nodes { name } } } }`, nil)
	require.JSONEq(t, `{"data": {"video": {"comments": {"nodes": [{"content": "nice <3", "author": null}]}}, "user": {"following": {"nodes": []}}}}`, a.text)
	comments := s.ok(t, "GET", "/douyin/comment/list/", "video_id", "1")["comment_list"].([]any)
	require.Equal(t, "", comments[0].(map[string]any)["user"].(map[string]any)["name"])
}
