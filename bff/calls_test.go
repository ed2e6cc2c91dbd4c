package bff_test

import (
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"minidouyin/services"
	"minidouyin/services/testenv/mysqltest"
	"minidouyin/services/testenv/redistest"
)

// calledOperation is one line of the table of what operations cost.
type calledOperation struct {
	name  string
	run   func(tb testing.TB, w *world) answer
	calls string // the exact calls to the services
	sql   int    // the exact number of SQL statements
}

// world is a site on MySQL with people: ann has published videos and the others like, comment and follow.
type world struct {
	*site
	ids, tokens map[string]string
	videos      []string // ids, oldest first
	runs        int      // counts runs, for names that must be new
}

var people = []string{"ann", "bob", "cat", "dan", "eve"}

// newWorld fills a site with this many videos, each liked and commented by everybody; all follow each other. The Redis
// may be nil.
func newWorld(tb testing.TB, videos int, cache redis.UniversalClient) *world {
	tb.Helper()
	w := &world{site: newSiteOn(tb, mysqltest.Database(tb), cache), ids: map[string]string{}, tokens: map[string]string{}}
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

// after returns a call of run that counts only what follows on prepare.
func after(prepare, run func(testing.TB, *world) answer) func(testing.TB, *world) answer {
	return func(tb testing.TB, w *world) answer {
		tb.Helper()
		prepare(tb, w)
		w.calls.take()
		w.sql.take()
		return run(tb, w)
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

func selects(statements map[string]int) (n int) {
	for sql, times := range statements {
		if strings.HasPrefix(sql, "SELECT") {
			n += times
		}
	}
	return n
}

// What every REST operation and the main web queries cost: the calls to the services and the SQL statements, exactly,
// whatever the size of the page and the order in which goroutines run. This is the proof that no page costs N+1.
func TestCalls(t *testing.T) {
	like := asREST("POST", "/douyin/favorite/action/", "video_id", "#0", "action_type", "1", "token", "@ann")
	unlike := asREST("POST", "/douyin/favorite/action/", "video_id", "#0", "action_type", "2", "token", "@ann")
	operations := []calledOperation{
		{"REST feed, visitor", asREST("GET", "/douyin/feed/"),
			"BatchGetRelationStats 1, BatchGetUserLikeStats 1, BatchGetUsers 1, BatchGetVideoStats 1, ListFeed 1", 5},
		{"REST feed, token", asREST("GET", "/douyin/feed/", "token", "@ann"),
			"BatchGetRelationStats 1, BatchGetUserLikeStats 1, BatchGetUsers 1, BatchGetVideoStats 1, ListFeed 1", 5},
		{"REST register", asREST("POST", "/douyin/user/register/", "username", "new~", "password", "secret"),
			"CreateUser 1", 1},
		{"REST login", asREST("POST", "/douyin/user/login/", "username", "ann", "password", "secret"),
			"VerifyPassword 1", 1},
		{"REST user", asREST("GET", "/douyin/user/", "user_id", "$bob", "token", "@ann"),
			"BatchGetRelationStats 1, BatchGetUserLikeStats 1, BatchGetUsers 1", 3},
		{"REST user, oneself", asREST("GET", "/douyin/user/", "token", "@ann"),
			"BatchGetRelationStats 1, BatchGetUserLikeStats 1, BatchGetUsers 1", 3},
		{"REST publish list", asREST("GET", "/douyin/publish/list/", "user_id", "$ann", "token", "@bob"),
			"BatchGetRelationStats 1, BatchGetUserLikeStats 1, BatchGetUsers 1, BatchGetVideoStats 1, ListUserVideos 1", 5},
		{"REST like", after(unlike, like), "BatchGetVideos 1, LikeVideo 1", 5},
		{"REST like again", after(like, like), "BatchGetVideos 1, LikeVideo 1", 3},
		{"REST unlike", after(like, unlike), "BatchGetVideos 1, UnlikeVideo 1", 5},
		{"REST unlike again", after(unlike, unlike), "BatchGetVideos 1, UnlikeVideo 1", 3},
		{"REST liked list", asREST("GET", "/douyin/favorite/list/", "user_id", "$ann", "token", "@bob"),
			"BatchGetRelationStats 1, BatchGetUserLikeStats 1, BatchGetUsers 2, BatchGetVideoStats 1, BatchGetVideos 1, ListLikedVideoIDs 1", 7},
		{"REST comment", asREST("POST", "/douyin/comment/action/", "video_id", "#0", "action_type", "1", "comment_text", "nice", "token", "@dan"),
			"BatchGetRelationStats 1, BatchGetUserLikeStats 1, BatchGetUsers 1, BatchGetVideos 1, CreateComment 1", 6},
		{"REST comment list", asREST("GET", "/douyin/comment/list/", "video_id", "#0", "token", "@bob"),
			"BatchGetRelationStats 1, BatchGetUserLikeStats 1, BatchGetUsers 1, BatchGetVideos 1, ListComments 1", 5},
		{"REST follow again", asREST("POST", "/douyin/relation/action/", "to_user_id", "$bob", "action_type", "1", "token", "@ann"),
			"BatchGetUsers 1, Follow 1", 2},
		{"REST follow list", asREST("GET", "/douyin/relation/follow/list/", "user_id", "$ann", "token", "@bob"),
			"BatchGetRelationStats 1, BatchGetUserLikeStats 1, BatchGetUsers 2, ListFollowing 1", 5},
		{"REST follower list", asREST("GET", "/douyin/relation/follower/list/", "user_id", "$ann", "token", "@bob"),
			"BatchGetRelationStats 1, BatchGetUserLikeStats 1, BatchGetUsers 2, ListFollowers 1", 5},
		{"REST friend list", asREST("GET", "/douyin/relation/friend/list/", "user_id", "$ann", "token", "@ann"),
			"BatchGetRelationStats 1, BatchGetUserLikeStats 1, BatchGetUsers 2, ListFriends 1", 6},
		{"REST chat", asREST("GET", "/douyin/message/chat/", "to_user_id", "$bob", "token", "@ann"),
			"BatchGetUsers 1, ListMessages 1", 2},
		{"REST chat, polled", asREST("GET", "/douyin/message/chat/", "to_user_id", "$bob", "token", "@ann", "pre_msg_time", "1700000000000"),
			"BatchGetUsers 1, ListMessages 1", 2},
		{"REST message", asREST("POST", "/douyin/message/action/", "to_user_id", "$cat", "action_type", "1", "content", "hi", "token", "@dan"),
			"BatchGetUsers 1, SendMessage 1", 5},

		{"feed of titles", asGraphQL(true, `{ feed(first: 30) { nodes { title playUrl } } }`),
			"ListFeed 1", 1},
		{"feed with authors' names", asGraphQL(true, `{ feed(first: 30) { nodes { title author { name } } } }`),
			"BatchGetUsers 1, ListFeed 1", 2},
		{"feed with counts", asGraphQL(false, `{ feed(first: 30) { nodes { title likeCount viewerHasLiked author { name viewerIsFollowing } } } }`),
			"BatchGetRelationStats 1, BatchGetUsers 1, BatchGetVideoStats 1, ListFeed 1", 4},
		{"feed by edges and nodes", asGraphQL(false, `{ feed(first: 30) { nodes { likeCount } edges { cursor node { commentCount author { name } } } pageInfo { endCursor } } }`),
			"BatchGetUsers 1, BatchGetVideoStats 1, ListFeed 1", 3},
		{"feed with comments and their authors", asGraphQL(false, `{ feed(first: 30) { nodes { title author { name } comments(first: 3) { nodes { content author { name followerCount } } } } } }`),
			"BatchGetRelationStats 1, BatchGetUsers 1, ListComments 1, ListFeed 1", 4},
		{"feed with two pages of comments", asGraphQL(false, `{ feed(first: 30) { nodes { a: comments(first: 1) { nodes { content } } b: comments(first: 2) { nodes { content author { name } } } } } }`),
			"BatchGetUsers 1, ListComments 2, ListFeed 1", 4},
		{"feed through a fragment on Node", asGraphQL(true, `{ feed(first: 30) { nodes { ... on Node { id ... on Video { likeCount } } } } }`),
			"BatchGetVideoStats 1, ListFeed 1", 2},
		{"feed without what @include leaves out", asGraphQL(true, `{ feed(first: 30) { nodes { title author @include(if: false) { name } likeCount @skip(if: true) } } }`),
			"ListFeed 1", 1},
		{"profile page", asGraphQL(false, `{ user(id: "$bob") { name signature followingCount followerCount viewerIsFollowing likesReceivedCount likesGivenCount
			videos(first: 20) { nodes { coverUrl likeCount } } likedVideos(first: 20) { nodes { coverUrl author { name } likeCount } } } }`),
			"BatchGetRelationStats 1, BatchGetUserLikeStats 1, BatchGetUsers 2, BatchGetVideoStats 2, BatchGetVideos 1, ListLikedVideoIDs 1, ListUserVideos 1", 9},
		{"follow lists with the videos of everybody in them", asGraphQL(false, `{ user(id: "$bob") { following { nodes { name viewerIsFollowing videos(first: 3) { nodes { title likeCount author { name } } } } }
			followers { nodes { name likesReceivedCount } } } }`),
			"BatchGetRelationStats 1, BatchGetUserLikeStats 1, BatchGetUsers 2, BatchGetVideoStats 1, ListFollowers 1, ListFollowing 1, ListUserVideos 1", 8},
		{"friends with messages", asGraphQL(false, `{ viewer { name friends { nodes { user { name } latestMessage { content direction } } } } }`),
			"BatchGetUsers 2, ListFriends 1", 4},
		{"conversation", asGraphQL(false, `{ conversation(with: "$bob") { nodes { content direction createdAt } pageInfo { startCursor } } }`),
			"BatchGetUsers 1, ListMessages 1", 2},
		{"one video with comments", asGraphQL(false, `{ video(id: "#0") { title comments { nodes { content author { name } } pageInfo { hasNextPage endCursor } } } }`),
			"BatchGetUsers 1, BatchGetVideos 1, ListComments 1", 3},
		{"like and see the count", after(like, asGraphQL(false, `mutation { likeVideo(input: {videoId: "#0"}) { video { likeCount viewerHasLiked } } }`)),
			"BatchGetVideoStats 1, BatchGetVideos 1, LikeVideo 1", 4},
		{"like and see nothing", after(like, asGraphQL(false, `mutation { likeVideo(input: {videoId: "#0"}) { __typename } }`)),
			"BatchGetVideos 1, LikeVideo 1", 3},
		{"comment and see it", asGraphQL(false, `mutation { createComment(input: {videoId: "#0", content: "hi"}) { comment { content author { name } } video { commentCount } } }`),
			"BatchGetUsers 1, BatchGetVideoStats 1, BatchGetVideos 1, CreateComment 1", 5},
		{"follow and see the count", asGraphQL(false, `mutation { follow(input: {userId: "$bob"}) { user { followerCount viewerIsFollowing } } }`),
			"BatchGetRelationStats 1, BatchGetUsers 1, Follow 1", 3},
		{"send a message", asGraphQL(false, `mutation { sendMessage(input: {userId: "$bob", content: "hi"}) { message { direction } } }`),
			"BatchGetUsers 1, SendMessage 1", 5},
		{"change the signature", asGraphQL(false, `mutation { updateProfile(input: {signature: "hello ~"}) { user { signature followerCount } } }`),
			"BatchGetRelationStats 1, UpdateProfile 1", 3},
	}
	publish := calledOperation{"REST publish", func(tb testing.TB, w *world) answer {
		return w.upload(tb, w.tokens["dan"], "another", sampleVideo(tb))
	}, "CreateVideo 1, ReserveFiles 1", 4}
	run := func(t *testing.T, w *world, operation calledOperation, runs int) {
		t.Helper()
		for range runs {
			w.runs++
			w.calls.take()
			w.sql.take()
			operation.run(t, w)
			calls, statements := w.calls.take(), w.sql.take()
			require.Equal(t, operation.calls, text(calls))
			require.Equal(t, operation.sql, sum(statements), "%v", statements)
			require.LessOrEqual(t, selects(statements), sum(calls)+1)
		}
	}
	for _, size := range []struct {
		videos, runs int
		procs        []int
	}{{5, 3, []int{2}}, {35, 50, []int{1, 2}}} {
		w := newWorld(t, size.videos, nil)
		for _, procs := range size.procs {
			for _, operation := range operations {
				t.Run(fmt.Sprintf("%d videos/%d procs/%s", size.videos, procs, operation.name), func(t *testing.T) {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
					run(t, w, operation, size.runs)
				})
			}
		}
		// At the end, or what it publishes would be in the way of the others.
		t.Run(fmt.Sprintf("%d videos/%s", size.videos, publish.name), func(t *testing.T) { run(t, w, publish, 3) })
	}
}

// newRedis starts a real Redis for the test's time.
func newRedis(tb testing.TB) redis.UniversalClient {
	tb.Helper()
	client, err := services.OpenRedis(redistest.Start(tb).URL, slog.New(slog.NewTextHandler(tb.Output(), nil)), "reading from the database")
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

// withoutToken returns an answer without its token, which changes every second.
func withoutToken(answer string) string { return tokenPattern.ReplaceAllString(answer, "") }

// What is asked again costs no SQL in the services named, and whoever wrote sees it at once. That a like costs none
// where Redis acknowledges it is a test of the service, which can hold up what reaches the database later.
func TestWarmCalls(t *testing.T) {
	w := newWorld(t, 35, newRedis(t))
	for _, operation := range []struct {
		name string
		run  func(testing.TB, *world) answer
		sql  map[string]int // the statements of the services whose caches are complete
	}{
		{"REST feed, visitor", asREST("GET", "/douyin/feed/"), map[string]int{services.Basics: 0, services.Social: 0, services.Interaction: 0}},
		{"REST feed at a time that the app tells", func(tb testing.TB, w *world) answer {
			return asREST("GET", "/douyin/feed/", "latest_time", fmt.Sprint(time.Now().UnixMilli()))(tb, w)
		}, map[string]int{services.Basics: 0, services.Social: 0}},
		{"REST feed, token", asREST("GET", "/douyin/feed/", "token", "@ann"), map[string]int{services.Basics: 0, services.Social: 0, services.Interaction: 0}},
		{"REST user", asREST("GET", "/douyin/user/", "user_id", "$bob", "token", "@ann"), map[string]int{services.Basics: 0, services.Social: 0, services.Interaction: 0}},
		{"REST login", asREST("POST", "/douyin/user/login/", "username", "ann", "password", "secret"), map[string]int{services.Basics: 1}},
		{"REST publish list", asREST("GET", "/douyin/publish/list/", "user_id", "$ann", "token", "@bob"), map[string]int{services.Basics: 0, services.Social: 0}},
		{"REST follow list", asREST("GET", "/douyin/relation/follow/list/", "user_id", "$ann", "token", "@bob"), map[string]int{services.Basics: 0, services.Social: 0}},
		{"REST follower list", asREST("GET", "/douyin/relation/follower/list/", "user_id", "$ann", "token", "@bob"), map[string]int{services.Basics: 0, services.Social: 0}},
		{"REST friend list", asREST("GET", "/douyin/relation/friend/list/", "user_id", "$ann", "token", "@ann"), map[string]int{services.Basics: 0, services.Social: 0}},
		{"REST chat", asREST("GET", "/douyin/message/chat/", "to_user_id", "$bob", "token", "@ann"), map[string]int{services.Basics: 0, services.Social: 0}},
		{"REST chat, polled", asREST("GET", "/douyin/message/chat/", "to_user_id", "$bob", "token", "@ann", "pre_msg_time", "1700000000000"), map[string]int{services.Basics: 0, services.Social: 0}},
		{"a page of the graph's feed", asGraphQL(true, `{ feed(first: 10) { nodes { title author { name followerCount } likeCount } } }`), map[string]int{services.Basics: 0, services.Social: 0, services.Interaction: 0}},
	} {
		t.Run(operation.name, func(t *testing.T) {
			cold := withoutToken(operation.run(t, w).text)
			// warm runs it once and returns what differs from the answer and the statements that are wanted.
			warm := func() (differs string) {
				w.sqlOf.take()
				w.sql.take()
				if answer := withoutToken(operation.run(t, w).text); answer != cold {
					return "another answer: " + answer
				}
				statements := w.sqlOf.take()
				for service, want := range operation.sql {
					if statements[service] != want {
						differs = fmt.Sprintf("%s: %d statements, not %d: %v", service, statements[service], want, w.sql.take())
					}
				}
				return differs
			}
			// What is cached expires: ten in a row are warm.
			for deadline, inRow := time.Now().Add(patience), 0; inRow < 10; inRow++ {
				differs := warm()
				if differs == "" {
					continue
				}
				require.True(t, time.Now().Before(deadline), differs)
				inRow = -1
			}
		})
	}
	t.Run("a video is in the feed as soon as it is published", func(t *testing.T) {
		feed := asREST("GET", "/douyin/feed/")
		for i := range 5 {
			feed(t, w)
			title := fmt.Sprint("new ", i)
			w.publish(t, w.tokens["bob"], title)
			require.Contains(t, feed(t, w).text, title)
			require.Contains(t, asREST("GET", "/douyin/publish/list/", "user_id", "$bob", "token", "@bob")(t, w).text, title)
			w.sqlOf.take()
			feed(t, w)
			require.Zero(t, w.sqlOf.take()[services.Basics], "the feed is kept when somebody publishes")
		}
	})
}
