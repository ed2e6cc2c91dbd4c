package bff_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/stretchr/testify/require"

	"minidouyin/bff"
	"minidouyin/bff/auth"
	"minidouyin/services"
	"minidouyin/services/testenv/redistest"
)

// patience is how long a test waits for what must come. It bounds a test that fails, and says nothing of how long
// anything may take.
const patience = time.Minute

// socket is a client of the graph over a WebSocket. It gives signs of life when it is asked for them, as clients must,
// however long the test is busy with something else.
type socket struct {
	*websocket.Conn
	tb     testing.TB
	frames chan frame
	ended  chan struct{}
	err    error // why it has ended
}

func newSocket(tb testing.TB, conn *websocket.Conn) *socket {
	c := &socket{Conn: conn, tb: tb, frames: make(chan frame, 1000), ended: make(chan struct{})}
	go func() { // ends with the connection
		defer close(c.ended)
		for {
			var f frame
			if c.err = wsjson.Read(context.Background(), conn, &f); c.err != nil {
				return
			}
			if f.Type == "ping" {
				_ = c.trySend(frame{Type: "pong"}) // what reading finds out
			} else {
				c.frames <- f
			}
		}
	}()
	return c
}

type frame struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// dial opens a socket.
func (s *site) dial(tb testing.TB) *socket {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(s.url, "http")+"/graphql",
		&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if response != nil && response.Body != nil {
		_ = response.Body.Close()
	}
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = conn.CloseNow() })
	return newSocket(tb, conn)
}

// connect opens a socket for the bearer of a token, "" for a visitor.
func (s *site) connect(tb testing.TB, token string) *socket {
	tb.Helper()
	c := s.dial(tb)
	payload := map[string]string{}
	if token != "" {
		payload["authorization"] = "Bearer " + token
	}
	text, err := json.Marshal(payload)
	require.NoError(tb, err)
	c.send(frame{Type: "connection_init", Payload: text})
	require.Equal(tb, "connection_ack", c.read().Type)
	return c
}

func (c *socket) send(f frame) {
	c.tb.Helper()
	require.NoError(c.tb, c.trySend(f))
}

func (c *socket) trySend(f frame) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return wsjson.Write(ctx, c.Conn, f)
}

func (c *socket) subscribe(id, query string) {
	c.tb.Helper()
	require.NoError(c.tb, c.trySubscribe(id, query))
}

func (c *socket) trySubscribe(id, query string) error {
	payload, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return err
	}
	return c.trySend(frame{ID: id, Type: "subscribe", Payload: payload})
}

// read returns the next message.
func (c *socket) read() frame {
	c.tb.Helper()
	f, err := c.tryRead()
	require.NoError(c.tb, err)
	return f
}

// tryRead returns the next message, or the error that the connection has ended with.
func (c *socket) tryRead() (f frame, err error) {
	select {
	case f = <-c.frames:
		return f, nil
	case <-c.ended:
	case <-time.After(patience):
		return f, errors.New("nothing comes")
	}
	select {
	case f = <-c.frames: // came before the end
		return f, nil
	default:
		return f, c.err
	}
}

// event returns the data of the next message, which must be an answer without errors.
func (c *socket) event() string {
	c.tb.Helper()
	f := c.read()
	require.Equal(c.tb, "next", f.Type, "%s", f.Payload)
	require.NotContains(c.tb, string(f.Payload), `"errors"`)
	var payload struct{ Data json.RawMessage }
	require.NoError(c.tb, json.Unmarshal(f.Payload, &payload))
	return string(payload.Data)
}

// listening waits until so many subscriptions listen. What happens from then on reaches them, though they may still
// read what they begin with.
func (s *site) listening(tb testing.TB, n int) {
	tb.Helper()
	require.Eventually(tb, func() bool { return s.handler.Listening() == n }, patience, time.Millisecond)
}

// Every way to write causes the event, for those alone whom it concerns.
func TestSubscriptions(t *testing.T) {
	s := newSite(t)
	annID, ann := s.register(t, "ann")
	bobID, bob := s.register(t, "bob")
	_, cat := s.register(t, "cat")
	danID, dan := s.register(t, "dan")
	like := func(action string) {
		s.ok(t, "POST", "/douyin/favorite/action/", "token", bob, "video_id", "1", "action_type", action)
	}
	follow := func(token, id, action string) {
		s.ok(t, "POST", "/douyin/relation/action/", "token", token, "to_user_id", id, "action_type", action)
	}

	t.Run("messages", func(t *testing.T) {
		c := s.connect(t, ann)
		c.subscribe("1", `subscription { messageReceived { message { content direction } from { name } } }`)
		s.listening(t, 1)
		s.ok(t, "POST", "/douyin/message/action/", "token", bob, "to_user_id", annID, "action_type", "1", "content", "by REST")
		require.Equal(t, `{"messageReceived":{"message":{"content":"by REST","direction":"RECEIVED"},"from":{"name":"bob"}}}`, c.event())
		s.ok(t, "POST", "/douyin/message/action/", "token", ann, "to_user_id", bobID, "action_type", "1", "content", "her own")
		s.ok(t, "POST", "/douyin/message/action/", "token", cat, "to_user_id", bobID, "action_type", "1", "content", "to somebody else")
		s.graphql(t, cat, `mutation { sendMessage(input: {userId: "`+annID+`", content: "by GraphQL"}) { message { id } } }`, nil)
		require.Equal(t, `{"messageReceived":{"message":{"content":"by GraphQL","direction":"RECEIVED"},"from":{"name":"cat"}}}`, c.event())
		c.send(frame{ID: "1", Type: "complete"})
		s.listening(t, 0)
	})
	t.Run("videos of those whom one follows", func(t *testing.T) {
		follow(ann, bobID, "1")
		follow(ann, danID, "1")
		c := s.connect(t, ann)
		c.subscribe("1", `subscription { videoPublished { video { title author { name viewerIsFollowing } } } }`)
		s.listening(t, 1)
		s.publish(t, bob, "one")
		require.Equal(t, `{"videoPublished":{"video":{"title":"one","author":{"name":"bob","viewerIsFollowing":true}}}}`, c.event())
		s.publish(t, cat, "of a stranger")
		follow(ann, bobID, "2")
		s.publish(t, bob, "of one who was left")
		s.publish(t, dan, "of another") // the others are decided about when it comes
		require.Contains(t, c.event(), `"of another"`)
		follow(ann, bobID, "1")
		s.publish(t, bob, "two")
		require.Contains(t, c.event(), `"two"`)
		c.send(frame{ID: "1", Type: "complete"})
		s.listening(t, 0)
	})
	t.Run("counts", func(t *testing.T) {
		c := s.connect(t, "")
		c.subscribe("1", `subscription { videoStatsChanged(videoIds: ["1", "2", "99", "1"]) { video { databaseId likeCount commentCount } } }`)
		for _, want := range []string{
			`{"databaseId":1,"likeCount":0,"commentCount":0}`, `{"databaseId":2,"likeCount":0,"commentCount":0}`, `null`} {
			require.Equal(t, `{"videoStatsChanged":{"video":`+want+`}}`, c.event())
		}
		like("1")
		require.Contains(t, c.event(), `"likeCount":1`)
		like("2")
		require.Contains(t, c.event(), `"likeCount":0`)
		s.graphql(t, bob, `mutation { createComment(input: {videoId: "1", content: "nice"}) { comment { id } } }`, nil)
		require.Contains(t, c.event(), `"commentCount":1`)
		s.graphql(t, bob, `mutation { deleteComment(input: {videoId: "1", commentId: "1"}) { deletedCommentId } }`, nil)
		require.Contains(t, c.event(), `"commentCount":0`)
		s.graphql(t, bob, `mutation { deleteVideo(input: {videoId: "1"}) { deletedVideoId } }`, nil)
		require.Equal(t, `{"videoStatsChanged":{"video":null}}`, c.event())
	})
}

// However fast a video is liked, its counts are told four times a second at most, and the last state comes.
func TestCountsAreCoalesced(t *testing.T) {
	s := newSite(t)
	_, ann := s.register(t, "ann")
	s.publish(t, ann, "one")
	c := s.connect(t, "")
	c.subscribe("1", `subscription { videoStatsChanged(videoIds: ["1"]) { video { likeCount commentCount } } }`)
	c.event()
	start := time.Now()
	const comments = 60
	for i := range comments {
		s.ok(t, "POST", "/douyin/comment/action/", "token", ann, "video_id", "1", "action_type", "1", "comment_text", fmt.Sprint(i))
	}
	events := 0
	for !strings.Contains(c.event(), fmt.Sprintf(`"commentCount":%d`, comments)) {
		events++
	}
	require.LessOrEqual(t, events, int(time.Since(start)/(250*time.Millisecond))+1)
}

// Counts that change only after their event was told, as those of a like that reaches the database late, are told too.
func TestCountsAreReadAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "all.db")
	s := newSiteOn(t, "sqlite:"+file, nil) // which caches nothing
	_, ann := s.register(t, "ann")
	s.publish(t, ann, "one")
	db, err := sql.Open("sqlite", file+"?_pragma=busy_timeout(10000)")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	c := s.connect(t, "")
	c.subscribe("1", `subscription { videoStatsChanged(videoIds: ["1"]) { video { likeCount commentCount } } }`)
	c.event()
	comments := 0
	comment := func() string {
		comments++
		s.ok(t, "POST", "/douyin/comment/action/", "token", ann, "video_id", "1", "action_type", "1", "comment_text", "x")
		return fmt.Sprintf(`"commentCount":%d`, comments)
	}
	for try := 1; ; try++ {
		s.calls.take()
		first := comment()
		require.Contains(t, c.event(), first)
		_, err := db.ExecContext(t.Context(), "UPDATE video_stats SET like_count = ?", 100*try)
		require.NoError(t, err)
		reads := 0 // the first was told
		require.Eventually(t, func() bool { reads += s.calls.take()["BatchGetVideoStats"]; return reads > 1 }, patience, 20*time.Millisecond)
		last := comment() // comes in any case
		event := c.event()
		if !strings.Contains(event, last) {
			require.Contains(t, event, fmt.Sprintf(`"likeCount":%d`, 100*try))
			require.Contains(t, c.event(), last)
			return
		}
		require.Less(t, try, 20, "the counts are not read again") // or they were, before the change: the machine is slow
	}
}

// While others write without a pause, a client connects, breaks off and resumes by its cursor, over and over: it sees
// each message and each video once.
func TestResume(t *testing.T) {
	s := newSite(t)
	annID, ann := s.register(t, "ann")
	const senders, each = 4, 40
	var tokens []string
	for i := range senders {
		id, token := s.register(t, fmt.Sprint("sender", i))
		s.ok(t, "POST", "/douyin/relation/action/", "token", ann, "to_user_id", id, "action_type", "1")
		tokens = append(tokens, token)
	}
	for _, c := range []struct {
		name, query, field string
		want               int
		write              func(token, text string)
	}{
		{"messages", `subscription { messageReceived%s { cursor message { content } } }`, "content", senders * each, func(token, text string) {
			s.ok(t, "POST", "/douyin/message/action/", "token", token, "to_user_id", annID, "action_type", "1", "content", text)
		}},
		{"videos", `subscription { videoPublished%s { cursor video { title } } }`, "title", senders * 5, func(token, text string) {
			require.Contains(t, s.upload(t, token, text, sampleVideo(t)).text, `"status_code":0`)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.listening(t, 0) // of the other case none is left, which could be taken for this one
			first := s.connect(t, ann)
			first.subscribe("1", fmt.Sprintf(c.query, ""))
			s.listening(t, 1)
			var writers sync.WaitGroup
			for i, token := range tokens {
				writers.Go(func() {
					for n := range c.want / senders {
						c.write(token, fmt.Sprint(i, ".", n))
					}
				})
			}
			defer writers.Wait()
			var seen []string
			cursor, connections := "", 0
			for socket := first; len(seen) < c.want; connections++ {
				for range 7 {
					if len(seen) == c.want {
						break
					}
					event := socket.event()
					var data map[string]map[string]json.RawMessage
					require.NoError(t, json.Unmarshal([]byte(event), &data))
					for _, payload := range data {
						require.NoError(t, json.Unmarshal(payload["cursor"], &cursor))
						var object map[string]string
						for name, value := range payload {
							if name != "cursor" {
								require.NoError(t, json.Unmarshal(value, &object))
							}
						}
						require.NotContains(t, seen, object[c.field])
						seen = append(seen, object[c.field])
					}
				}
				_ = socket.CloseNow()
				socket = s.connect(t, ann)
				socket.subscribe("1", fmt.Sprintf(c.query, `(after: "`+cursor+`")`))
			}
			t.Logf("%d seen over %d connections; the last cursor has %d bytes", len(seen), connections, len(cursor))
			rest := s.connect(t, ann)
			rest.subscribe("1", fmt.Sprintf(c.query, `(after: "`+cursor+`")`))
			c.write(tokens[0], "the last")
			require.Contains(t, rest.event(), "the last", "nothing is left before it")
			slices.Sort(seen)
			require.Len(t, slices.Compact(seen), c.want)
		})
	}
}

// A socket is closed when its token expires, so that the client connects again with a new one; a token that is not
// valid is refused in the same way.
func TestTokenOfASocket(t *testing.T) {
	s := newSite(t)
	// outlives has something begin while its token is valid: on a slow machine it takes a token of a longer life.
	outlives := func(begin func(token string) (begun bool)) {
		for ttl := 1500 * time.Millisecond; ; ttl *= 2 {
			require.Less(t, ttl, time.Minute, "refused with every token")
			sessions, err := auth.NewSessions("", s.data, ttl)
			require.NoError(t, err)
			token, _, err := sessions.Issue(1)
			require.NoError(t, err)
			if begin(token) {
				return
			}
		}
	}
	outlives(func(token string) bool {
		c := s.dial(t)
		c.send(frame{Type: "connection_init", Payload: json.RawMessage(`{"token": "` + token + `"}`)})
		f, err := c.tryRead()
		if err == nil {
			require.Equal(t, "connection_ack", f.Type)
			_ = c.trySubscribe("1", `subscription { messageReceived { cursor } }`) // it may be closed by now
			_, err = c.tryRead()
		}
		require.EqualValues(t, 4403, websocket.CloseStatus(err), "%v", err)
		return f.Type == "connection_ack"
	})
	s.listening(t, 0)

	outlives(func(token string) bool {
		r, err := http.NewRequest("GET", s.url+"/graphql?query=subscription{messageReceived{cursor}}", nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Accept", "text/event-stream")
		a := s.do(t, r) // it ends
		require.NotContains(t, a.text, "complete")
		return a.status == http.StatusOK
	})
	s.listening(t, 0)
}

// withRedis returns a configuration whose events go through a Redis.
func withRedis(tb testing.TB, server *redistest.Server) func(*bff.Config) {
	return func(cfg *bff.Config) {
		client, err := services.OpenRedis(server.URL, slog.New(slog.DiscardHandler), "")
		require.NoError(tb, err)
		tb.Cleanup(func() { _ = client.Close() })
		cfg.Shared = client
	}
}

// What is written through one process is told by the other. While Redis is away, writes go on, and so does what one
// process tells of itself; when it is back, what was missed is told, once.
func TestSeveralProcesses(t *testing.T) {
	redistest.Each(t, testSeveralProcesses)
}

func testSeveralProcesses(t *testing.T, redis *redistest.Server) {
	a := newSite(t, withRedis(t, redis))
	b := a.beside(t, withRedis(t, redis))
	annID, ann := a.register(t, "ann")
	bobID, bob := b.register(t, "bob")
	a.ok(t, "POST", "/douyin/relation/action/", "token", ann, "to_user_id", bobID, "action_type", "1")
	b.publish(t, bob, "zero")
	send := func(through *site, text string) {
		through.ok(t, "POST", "/douyin/message/action/", "token", bob, "to_user_id", annID, "action_type", "1", "content", text)
	}
	comment := func(through *site) {
		through.ok(t, "POST", "/douyin/comment/action/", "token", bob, "video_id", "1", "action_type", "1", "comment_text", "hi")
	}
	messages, videos, counts := a.connect(t, ann), a.connect(t, ann), a.connect(t, "")
	messages.subscribe("1", `subscription { messageReceived { message { content } } }`)
	videos.subscribe("1", `subscription { videoPublished { video { title } } }`)
	counts.subscribe("1", `subscription { videoStatsChanged(videoIds: ["1"]) { video { commentCount } } }`)
	require.Contains(t, counts.event(), `"commentCount":0`)
	a.listening(t, 3)

	// Redis may still be on the way: then the counts come when it is there.
	comment(b)
	require.Contains(t, counts.event(), `"commentCount":`)
	send(b, "one")
	require.Contains(t, messages.event(), "one")
	b.publish(t, bob, "first")
	for !strings.Contains(videos.event(), "first") { // what was said of zero may have been on the way, too
	}

	redis.Kill(t)
	send(b, "two")
	send(b, "three")
	comment(b)
	b.publish(t, bob, "second")
	send(a, "four") // a tells its own, and reads what came before
	for _, want := range []string{"two", "three", "four"} {
		require.Contains(t, messages.event(), want)
	}
	send(b, "five")
	redis.Restart(t)
	require.Contains(t, messages.event(), "five")
	require.Contains(t, videos.event(), "second")
	for want := `"commentCount":2`; !strings.Contains(counts.event(), want); {
	}
	send(b, "six")
	require.Contains(t, messages.event(), "six")
}

// The end of the process ends sockets, and the process waits for it.
func TestRunEndsSockets(t *testing.T) {
	s := newSite(t)
	ctx, stop := context.WithCancel(t.Context())
	ln, err := bff.Listen(ctx, "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	cfg := bff.Config{Data: s.data, TokenTTL: time.Hour, MaxUpload: 1 << 20, ListLimit: 1000}
	go func() { ended <- bff.Run(ctx, cfg, slog.New(slog.DiscardHandler), s.ground, s.media, ln) }()
	running := &site{url: "http://" + ln.Addr().String()}
	c := running.connect(t, "")
	c.subscribe("1", `subscription { videoStatsChanged(videoIds: ["1"]) { videoId } }`)
	c.event()
	response, err := http.DefaultClient.Do(eventsRequest(t, running.url, `subscription { videoStatsChanged(videoIds: ["1"]) { videoId } }`))
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	stop()
	_, err = c.tryRead()
	require.Equal(t, websocket.StatusGoingAway, websocket.CloseStatus(err), "%v", err)
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(patience):
		require.Fail(t, "the process does not end")
	}
	rest, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NotContains(t, string(rest), "complete")
}

func eventsRequest(tb testing.TB, url, query string) *http.Request {
	tb.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	require.NoError(tb, err)
	r, err := http.NewRequest("POST", url+"/graphql", bytes.NewReader(body))
	require.NoError(tb, err)
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Content-Type", "application/json")
	return r
}

// Pages of other sites may open sockets and streams of events when they may ask at all.
func TestOriginsOfSubscriptions(t *testing.T) {
	s := newSite(t, func(cfg *bff.Config) { cfg.CORSOrigins = []string{"https://app.example.org"} })
	for _, c := range []struct {
		name, origin, site string
		allowed            bool
	}{
		{"no page", "", "", true},
		{"our own page", s.url, "", true},
		{"an allowed page", "https://app.example.org", "cross-site", true},
		{"another page", "https://evil.example.org", "", false},
		{"another page, as newer browsers say it", "https://evil.example.org", "cross-site", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, header := range []http.Header{
				{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"MDEyMzQ1Njc4OWFiY2RlZg=="},
					"Sec-Websocket-Protocol": {"graphql-transport-ws"}},
				{"Accept": {"text/event-stream"}, "Cookie": {"a=b"}},
			} {
				r, err := http.NewRequest("GET", s.url+"/graphql?query={__typename}", nil)
				require.NoError(t, err)
				r.Header = header
				if c.origin != "" {
					r.Header.Set("Origin", c.origin)
				}
				if c.site != "" {
					r.Header.Set("Sec-Fetch-Site", c.site)
				}
				response, err := http.DefaultTransport.RoundTrip(r)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				require.Equal(t, c.allowed, response.StatusCode != http.StatusForbidden, response.Status)
			}
		})
	}
}

// Operations of a socket count like requests, valid or not.
func TestRatesOfSockets(t *testing.T) {
	withinOneMinute(t, func(t testing.TB) {
		s := newSite(t, func(cfg *bff.Config) { cfg.RateLimit, cfg.SignInLimit = 20, 2 })
		c := s.connect(t, "")
		answers := map[string]int{}
		for i := range 30 {
			c.subscribe(fmt.Sprint(i), `{ nothing }`)
			f := c.read()
			require.Equal(t, "error", f.Type)
			for _, code := range []string{"VALIDATION_FAILED", "RATE_LIMITED"} {
				if strings.Contains(string(f.Payload), code) {
					answers[code]++
				}
			}
		}
		require.Equal(t, map[string]int{"VALIDATION_FAILED": 19, "RATE_LIMITED": 11}, answers)

		s = newSite(t, func(cfg *bff.Config) { cfg.SignInLimit = 2 })
		c = s.connect(t, "")
		for i := range 3 {
			c.subscribe(fmt.Sprint(i), `mutation { login(input: {name: "a", password: "b"}) { token } }`)
			if f := c.read(); i < 2 {
				require.Contains(t, string(f.Payload), "UNAUTHENTICATED")
				c.read()
			} else {
				require.Contains(t, string(f.Payload), "RATE_LIMITED")
			}
		}
	})
}

// Server-sent events carry the same.
func TestEvents(t *testing.T) {
	s := newSite(t)
	annID, ann := s.register(t, "ann")
	_, bob := s.register(t, "bob")
	r := eventsRequest(t, s.url, `subscription { messageReceived { message { content } } }`)
	r.Header.Set("Authorization", "Bearer "+ann)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	s.listening(t, 1)
	s.ok(t, "POST", "/douyin/message/action/", "token", bob, "to_user_id", annID, "action_type", "1", "content", "hi")
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "data:") {
	}
	require.Equal(t, `data: {"data":{"messageReceived":{"message":{"content":"hi"}}}}`, lines.Text())
	_ = response.Body.Close()
	s.listening(t, 0)
}

// The end of the server ends sockets with 1001 and leaves nothing behind.
func TestShutdown(t *testing.T) {
	s := newSite(t)
	_, ann := s.register(t, "ann")
	var sockets []*socket
	for range 20 {
		c := s.connect(t, ann)
		c.subscribe("1", `subscription { messageReceived { cursor } }`)
		c.subscribe("2", `subscription { videoStatsChanged(videoIds: ["1"]) { videoId } }`)
		c.event()
		sockets = append(sockets, c)
	}
	s.listening(t, 40)
	ended := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		ended <- errors.Join(s.handler.Shutdown(ctx), s.handler.Close(ctx))
	}()
	for _, c := range sockets {
		_, err := c.tryRead()
		require.Equal(t, websocket.StatusGoingAway, websocket.CloseStatus(err), "%v", err)
	}
	require.NoError(t, <-ended)
	require.Zero(t, s.handler.Listening())
}
