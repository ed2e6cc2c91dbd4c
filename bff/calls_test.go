package bff_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// calledOperation is one line of the table of what operations cost.
type calledOperation struct {
	name  string
	run   func(tb testing.TB, w *world) answer
	calls string // the exact calls to the services
	sql   int    // the exact number of SQL statements
}

// world is a site with people: ann has published videos and the others like, comment and follow.
type world struct {
	*site
	ids, tokens map[string]string
	videos      []string // ids, oldest first
	runs        int      // counts runs, for names that must be new
}

var people = []string{"ann", "bob", "cat", "dan"}

// newWorld fills a site with this many videos, each liked and commented by everybody; all follow each other.
func newWorld(tb testing.TB, videos int) *world {
	tb.Helper()
	w := &world{site: newSite(tb), ids: map[string]string{}, tokens: map[string]string{}}
	for _, name := range people {
		w.ids[name], w.tokens[name] = w.register(tb, name)
	}
	for i := range videos {
		w.videos = append(w.videos, w.publish(tb, w.tokens[people[i%len(people)]], fmt.Sprintf("video %d", i)))
	}
	for _, name := range people {
		for _, video := range w.videos {
			w.ok(tb, "POST", "/douyin/favorite/action/", "token", w.tokens[name], "video_id", video, "action_type", "1")
			w.ok(tb, "POST", "/douyin/comment/action/", "token", w.tokens[name], "video_id", video, "action_type", "1", "comment_text", "nice")
		}
		for _, other := range people {
			if other != name {
				w.ok(tb, "POST", "/douyin/relation/action/", "token", w.tokens[name], "to_user_id", w.ids[other], "action_type", "1")
				w.ok(tb, "POST", "/douyin/message/action/", "token", w.tokens[name], "to_user_id", w.ids[other], "action_type", "1", "content", "hello")
			}
		}
	}
	return w
}

// asREST returns a call of a REST route; a value like $ann stands for her id, @ann for her token, #0 for the first
// video.
func asREST(method, path string, query ...string) func(testing.TB, *world) answer {
	return func(tb testing.TB, w *world) answer {
		tb.Helper()
		filled := make([]string, len(query))
		for i, value := range query {
			filled[i] = w.fill(value)
		}
		a := w.rest(tb, method, path, filled...)
		require.Contains(tb, a.text, `"status_code":0`)
		return a
	}
}

// asGraphQL returns a call of the graph as ann, or as a visitor; the document is filled like the values of asREST.
func asGraphQL(visitor bool, document string) func(testing.TB, *world) answer {
	return func(tb testing.TB, w *world) answer {
		tb.Helper()
		token := w.tokens["ann"]
		if visitor {
			token = ""
		}
		a := w.graphql(tb, token, w.fill(document), nil)
		require.NotContains(tb, a.text, `"errors"`)
		return a
	}
}

func (w *world) fill(s string) string {
	for name, id := range w.ids {
		s = strings.ReplaceAll(s, "$"+name, id)
		s = strings.ReplaceAll(s, "@"+name, w.tokens[name])
	}
	s = strings.ReplaceAll(s, "~", fmt.Sprintf("%d", w.runs))
	return strings.ReplaceAll(s, "#0", w.videos[0])
}

// What every REST operation and the main web queries cost: the calls to the services and the SQL statements, exactly,
// whatever the size of the page and the order in which goroutines run. This is the proof that no page costs N+1.
func TestCalls(t *testing.T) {
	operations := []calledOperation{
		{"REST feed, visitor", asREST("GET", "/douyin/feed/"), "", 0},
		{"REST feed, token", asREST("GET", "/douyin/feed/", "token", "@ann"), "", 0},
		{"REST register", asREST("POST", "/douyin/user/register/", "username", "new~", "password", "secret"), "", 0},
		{"REST login", asREST("POST", "/douyin/user/login/", "username", "ann", "password", "secret"), "", 0},
		{"REST user", asREST("GET", "/douyin/user/", "user_id", "$bob", "token", "@ann"), "", 0},
		{"REST user, oneself", asREST("GET", "/douyin/user/", "token", "@ann"), "", 0},
		{"REST publish", func(tb testing.TB, w *world) answer {
			return w.upload(tb, w.tokens["dan"], "another", sampleVideo(tb))
		}, "", 0},
		{"REST publish list", asREST("GET", "/douyin/publish/list/", "user_id", "$ann", "token", "@bob"), "", 0},
		{"REST like again", asREST("POST", "/douyin/favorite/action/", "video_id", "#0", "action_type", "1", "token", "@ann"), "", 0},
		{"REST unlike again", asREST("POST", "/douyin/favorite/action/", "video_id", "#0", "action_type", "2", "token", "@eve"), "", 0},
		{"REST liked list", asREST("GET", "/douyin/favorite/list/", "user_id", "$ann", "token", "@bob"), "", 0},
		{"REST comment", asREST("POST", "/douyin/comment/action/", "video_id", "#0", "action_type", "1", "comment_text", "nice", "token", "@dan"), "", 0},
		{"REST comment list", asREST("GET", "/douyin/comment/list/", "video_id", "#0", "token", "@bob"), "", 0},
		{"REST follow again", asREST("POST", "/douyin/relation/action/", "to_user_id", "$bob", "action_type", "1", "token", "@ann"), "", 0},
		{"REST follow list", asREST("GET", "/douyin/relation/follow/list/", "user_id", "$ann", "token", "@bob"), "", 0},
		{"REST follower list", asREST("GET", "/douyin/relation/follower/list/", "user_id", "$ann", "token", "@bob"), "", 0},
		{"REST friend list", asREST("GET", "/douyin/relation/friend/list/", "user_id", "$ann", "token", "@ann"), "", 0},
		{"REST chat", asREST("GET", "/douyin/message/chat/", "to_user_id", "$bob", "token", "@ann"), "", 0},
		{"REST chat, polled", asREST("GET", "/douyin/message/chat/", "to_user_id", "$bob", "token", "@ann", "pre_msg_time", "1700000000000"), "", 0},
		{"REST message", asREST("POST", "/douyin/message/action/", "to_user_id", "$cat", "action_type", "1", "content", "hi", "token", "@dan"), "", 0},

		{"feed of titles", asGraphQL(true, `{ feed(first: 30) { nodes { title playUrl } } }`), "", 0},
		{"feed with authors' names", asGraphQL(true, `{ feed(first: 30) { nodes { title author { name } } } }`), "", 0},
		{"feed with counts", asGraphQL(false, `{ feed(first: 30) { nodes { title likeCount viewerHasLiked author { name viewerIsFollowing } } } }`), "", 0},
		{"feed by edges and nodes", asGraphQL(false, `{ feed(first: 30) { nodes { likeCount } edges { cursor node { commentCount author { name } } } pageInfo { endCursor } } }`), "", 0},
		{"feed with comments and their authors", asGraphQL(false, `{ feed(first: 30) { nodes { title author { name } comments(first: 3) { nodes { content author { name followerCount } } } } } }`), "", 0},
		{"feed with two pages of comments", asGraphQL(false, `{ feed(first: 30) { nodes { a: comments(first: 1) { nodes { content } } b: comments(first: 2) { nodes { content author { name } } } } } }`), "", 0},
		{"feed through a fragment on Node", asGraphQL(true, `{ feed(first: 30) { nodes { ... on Node { id ... on Video { likeCount } } } } }`), "", 0},
		{"feed without what @include leaves out", asGraphQL(true, `{ feed(first: 30) { nodes { title author @include(if: false) { name } likeCount @skip(if: true) } } }`), "", 0},
		{"profile page", asGraphQL(false, `{ user(id: "$bob") { name signature followingCount followerCount viewerIsFollowing likesReceivedCount likesGivenCount
			videos(first: 20) { nodes { coverUrl likeCount } } likedVideos(first: 20) { nodes { coverUrl author { name } likeCount } } } }`), "", 0},
		{"follow lists with the videos of everybody in them", asGraphQL(false, `{ user(id: "$bob") { following { nodes { name viewerIsFollowing videos(first: 3) { nodes { title likeCount author { name } } } } }
			followers { nodes { name likesReceivedCount } } } }`), "", 0},
		{"friends with messages", asGraphQL(false, `{ viewer { name friends { nodes { user { name } latestMessage { content direction } } } } }`), "", 0},
		{"conversation", asGraphQL(false, `{ conversation(with: "$bob") { nodes { content direction createdAt } pageInfo { startCursor } } }`), "", 0},
		{"one video with comments", asGraphQL(false, `{ video(id: "#0") { title comments { nodes { content author { name } } pageInfo { hasNextPage endCursor } } } }`), "", 0},
		{"like and see the count", asGraphQL(false, `mutation { likeVideo(input: {videoId: "#0"}) { video { likeCount viewerHasLiked } } }`), "", 0},
		{"like and see nothing", asGraphQL(false, `mutation { likeVideo(input: {videoId: "#0"}) { __typename } }`), "", 0},
		{"comment and see it", asGraphQL(false, `mutation { createComment(input: {videoId: "#0", content: "hi"}) { comment { content author { name } } video { commentCount } } }`), "", 0},
		{"follow and see the count", asGraphQL(false, `mutation { follow(input: {userId: "$bob"}) { user { followerCount viewerIsFollowing } } }`), "", 0},
		{"send a message", asGraphQL(false, `mutation { sendMessage(input: {userId: "$bob", content: "hi"}) { message { direction } } }`), "", 0},
		{"change the signature", asGraphQL(false, `mutation { updateProfile(input: {signature: "hello ~"}) { user { signature followerCount } } }`), "", 0},
	}
	for _, videos := range []int{4, 32} {
		w := newWorld(t, videos)
		for _, procs := range []int{1, 2} {
			for _, operation := range operations {
				t.Run(fmt.Sprintf("%d videos/%d procs/%s", videos, procs, operation.name), func(t *testing.T) {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
					for range 50 {
						w.runs++
						w.calls.take()
						w.sql.take()
						operation.run(t, w)
						require.Equal(t, operation.calls, text(w.calls.take()))
						require.Equal(t, operation.sql, sum(w.sql.take()))
					}
				})
			}
		}
	}
}
