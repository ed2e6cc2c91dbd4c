package bff_test

import (
	"fmt"
	"os"
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
	comments    []string // ids, all written by ann under the first video
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
		{"REST feed, visitor", asREST("GET", "/douyin/feed/"),
			"BatchGetRelationStats 1, BatchGetUserLikeStats 1, BatchGetUsers 1, BatchGetVideoStats 1, ListFeed 1", 5},
		{"REST feed, token", asREST("GET", "/douyin/feed/", "token", "@ann"),
			"BatchGetRelationStats 1, BatchGetUserLikeStats 1, BatchGetUsers 1, BatchGetVideoStats 1, ListFeed 1", 7},
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

func TestMain(m *testing.M) { os.Exit(m.Run()) }
