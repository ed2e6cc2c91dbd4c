package bff_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/bff"
	"minidouyin/idl/codes"
)

// What may be kept of an answer, by whom and how long.
func TestCacheControl(t *testing.T) {
	const feed, public = `query Feed { feed { nodes { title likeCount author { name } } } }`, "public, max-age=10, stale-while-revalidate=10"
	manifest, id := manifestOf(t, feed)
	s := newSite(t, func(cfg *bff.Config) { cfg.TrustedDocuments = manifest })
	annID, token := s.register(t, "ann")
	s.publish(t, token, "one")
	get := func(query string) string { return "/graphql?" + url.Values{"query": {query}}.Encode() }
	hashed := "/graphql?" + url.Values{"extensions": {`{"persistedQuery":{"version":1,"sha256Hash":"` + id + `"}}`}}.Encode()
	bearer := []string{"Authorization", "Bearer " + token}
	post, err := json.Marshal(map[string]string{"query": feed})
	require.NoError(t, err)
	for _, c := range []struct {
		name, method, target, body string
		header                     []string
		want                       string
		status                     int
	}{
		{"the feed of visitors", "GET", get(feed), "", nil, public, 200},
		{"by its documentId", "GET", "/graphql?documentId=sha256:" + id, "", nil, public, 200},
		{"by its hash", "GET", hashed, "", nil, public, 200},
		{"as application/graphql-response+json", "GET", get(feed), "", []string{"Accept", "application/graphql-response+json"}, public, 200},
		{"a profile", "GET", get(`{ user(id: ` + annID + `) { name } }`), "", nil, "public, max-age=60, stale-while-revalidate=60", 200},
		{"a video that the visitor does not like", "GET", get(`{ video(id: 1) { viewerHasLiked } }`), "", nil, "private, max-age=60", 200},
		{"the feed of a viewer", "GET", get(feed), "", bearer, "private, no-cache", 200},
		{"the viewer", "GET", get(`{ viewer { name } }`), "", bearer, "no-store", 200},
		{"no viewer", "GET", get(`{ viewer { name } }`), "", nil, "no-store", 200},
		{"the feed by POST", "POST", "/graphql", string(post), nil, "no-store", 200},
		{"an error", "GET", get(`{ video(id: 99) { title } }`), "", nil, "no-store", 200},
		{"an error beside data", "GET", get(`{ feed { nodes { title } } video(id: 99) { title } }`), "", nil, "no-store", 200},
		{"a document that is not valid", "GET", get(`{ nothing }`), "", nil, "no-store", 200},
		{"an unknown hash", "GET", strings.Replace(hashed, id[:5], "00000", 1), "", nil, "no-store", 200},
		{"a change", "GET", get(`mutation { login(input: {name: "ann", password: "secret"}) { token } }`), "", nil, "no-store", 405},
		{"a cookie that is taken back", "GET", get(feed), "", []string{"Cookie", "session=stale", "X-Requested-With", "test"}, "no-store", 200},
		{"a token that is not valid", "GET", get(feed), "", []string{"Authorization", "Bearer guess"}, "no-store", 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := append([]string{"Content-Type", "application/json"}, c.header...)
			a := s.request(t, c.method, c.target, c.body, header...)
			require.Equal(t, c.status, a.status, a.text)
			require.Equal(t, c.want, a.header.Get("Cache-Control"), a.text)
			vary := strings.Join(a.header.Values("Vary"), ", ")
			if c.status != 401 {
				require.Contains(t, vary, "Accept, Authorization")
			}
			etag := a.header.Get("ETag")
			if c.want == "no-store" {
				require.Empty(t, etag)
				return
			}
			require.Regexp(t, `^"[0-9a-f]{32}"$`, etag)
			require.NotContains(t, a.text, "errors")
			again := s.request(t, c.method, c.target, c.body, append(header, "If-None-Match", `"x", `+etag)...)
			require.Equal(t, http.StatusNotModified, again.status)
			require.Empty(t, again.text)
			require.Equal(t, etag, again.header.Get("ETag"))
			require.Equal(t, c.want, again.header.Get("Cache-Control"))
			require.Contains(t, strings.Join(again.header.Values("Vary"), ", "), "Accept, Authorization")
		})
	}

	before := s.request(t, "GET", get(feed), "").header.Get("ETag")
	other := s.request(t, "GET", get(feed), "", "Accept", "application/graphql-response+json").header.Get("ETag")
	require.NotEqual(t, before, other, "another form is another answer")
	s.ok(t, "POST", "/douyin/favorite/action/", "video_id", "1", "action_type", "1", "token", token)
	after := s.request(t, "GET", get(feed), "", "If-None-Match", before)
	require.Equal(t, 200, after.status, "it has changed")
	require.Contains(t, after.text, `"likeCount":1`)
}

// meet makes every call wait until n operations have been computed or waited for at the same time, runs whenMet, and
// fails the calls with its error.
func (s *site) meet(t testing.TB, n int, whenMet func() error) {
	t.Helper()
	var met atomic.Bool
	before := func(string) error {
		stacks := make([]byte, 8<<20)
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if met.Load() || joined(stacks[:runtime.Stack(stacks, true)]) >= n {
				met.Store(true)
				return whenMet()
			}
		}
		return errors.New("they never came together")
	}
	s.before.Store(&before)
	t.Cleanup(func() { s.before.Store(nil) })
}

// joined returns how many goroutines compute a shared answer or wait for one.
func joined(stacks []byte) (n int) {
	for goroutine := range bytes.SplitSeq(stacks, []byte("\n\n")) {
		computes := bytes.Contains(goroutine, []byte("singleflight.(*Group).doCall("))
		waits := bytes.Contains(goroutine, []byte("singleflight.(*Group).Do(")) && bytes.Contains(goroutine, []byte("sync.(*WaitGroup).Wait("))
		if computes || waits {
			n++
		}
	}
	return n
}

// send sends requests at the same time and returns their answers, empty ones for those that failed.
func send(requests []*http.Request) []answer {
	answers := make([]answer, len(requests))
	var all sync.WaitGroup
	for i, r := range requests {
		all.Go(func() {
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				return
			}
			defer func() { _ = response.Body.Close() }()
			text, _ := io.ReadAll(response.Body)
			answers[i] = answer{status: response.StatusCode, header: response.Header, text: string(text)}
		})
	}
	all.Wait()
	return answers
}

const together = 50

// feeds returns requests for the feed, by GET and by POST.
func (s *site) feeds(t testing.TB, query string, change func(i int, r *http.Request)) (requests []*http.Request) {
	t.Helper()
	for i := range together {
		body, err := json.Marshal(map[string]any{"query": query, "variables": map[string]int{"n": 10}})
		require.NoError(t, err)
		r, err := http.NewRequest("POST", s.url+"/graphql", bytes.NewReader(body))
		if i%2 == 0 {
			r, err = http.NewRequest("GET", s.url+"/graphql?"+url.Values{"query": {query}, "variables": {`{"n":10}`}}.Encode(), nil)
		}
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		if change != nil {
			change(i, r)
		}
		requests = append(requests, r)
	}
	return requests
}

// Equal reads of visitors that are under way at the same time are computed once, where the answer is everybody's.
func TestReadsTogether(t *testing.T) {
	withinOneMinute(t, func(t testing.TB) {
		const feed = `query Feed($n: Int) { feed(first: $n) { nodes { title playUrl } } }`
		s := newSite(t, func(cfg *bff.Config) { cfg.RateLimit = 100_000 })
		_, token := s.register(t, "ann")
		s.publish(t, token, "one")
		s.calls.take()
		remaining := func() int {
			n, err := strconv.Atoi(s.request(t, "GET", "/graphql", "").header.Get("RateLimit-Remaining"))
			require.NoError(t, err)
			return n
		}

		before := remaining()
		s.meet(t, together, func() error { return nil })
		for _, a := range send(s.feeds(t, feed, nil)) {
			require.Equal(t, 200, a.status, a.text)
			require.Contains(t, a.text, `"title":"one"`)
		}
		require.Equal(t, before-together*(1+1+10)-1, remaining(), "each is counted")
		require.Equal(t, "ListFeed 1", text(s.calls.take()))

		s.meet(t, together, func() error { return nil })
		answers := send(s.feeds(t, feed, func(i int, r *http.Request) { r.Host = [2]string{"a.example", "b.example"}[i/2%2] }))
		for i, a := range answers {
			require.Contains(t, a.text, [2]string{"http://a.example/media/", "http://b.example/media/"}[i/2%2])
		}
		require.Equal(t, "ListFeed 2", text(s.calls.take()), "addresses of files depend on the host")

		s.before.Store(nil)
		send(s.feeds(t, feed, func(_ int, r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }))
		require.Equal(t, "ListFeed 50", text(s.calls.take()), "viewers get answers of their own")
		send(s.feeds(t, `query Feed($n: Int) { feed(first: $n) { nodes { title viewerHasLiked } } }`, nil))
		require.Equal(t, 50, s.calls.take()["ListFeed"], "what depends on the viewer is computed for each")
	})
}

// Who goes away does not take the answer from those who wait for the same.
func TestReadsTogetherSurviveCancellation(t *testing.T) {
	s := newSite(t)
	leaving, leave := context.WithCancel(t.Context())
	requests := s.feeds(t, `query Feed($n: Int) { feed(first: $n) { nodes { title } } }`, nil)
	first := []*http.Request{requests[0].WithContext(leaving)}
	began := make(chan struct{})
	s.meet(t, 1, func() error {
		close(began)
		s.meet(t, together, func() error { return nil })
		return (*s.before.Load())("")
	})
	var gone sync.WaitGroup
	gone.Go(func() { send(first) })
	<-began // the first computes it
	leave()
	gone.Wait()
	for _, a := range send(requests[1:]) {
		require.Equal(t, 200, a.status, a.text)
		require.Contains(t, a.text, `{"data":{"feed":{"nodes":[]}}}`)
	}
	require.Equal(t, "ListFeed 1", text(s.calls.take()))
}

// An error is that of each who waited for it: with the id of the own request.
func TestReadsTogetherFail(t *testing.T) {
	s := newSite(t)
	s.meet(t, together, func() error { return codes.Errorf(codes.UpstreamUnavailable, "away") })
	for _, a := range send(s.feeds(t, `query Feed($n: Int) { feed(first: $n) { nodes { title } } }`, nil)) {
		require.Contains(t, a.text, `"code":"UPSTREAM_UNAVAILABLE"`)
		require.Contains(t, a.text, `"requestId":"`+a.header.Get("X-Request-Id")+`"`)
		require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	}
	require.Equal(t, "ListFeed 1", text(s.calls.take()))
}
