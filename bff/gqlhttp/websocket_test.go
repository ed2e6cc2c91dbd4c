package gqlhttp_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/stretchr/testify/require"

	"minidouyin/bff/gqlhttp"
	"minidouyin/bff/gqlhttp/documents"
	"minidouyin/bff/limit"
)

// patience is how long a test waits for what must come: it bounds a test that fails.
const patience = time.Minute

type frame struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// socket is a client over a WebSocket.
type socket struct {
	*websocket.Conn
	t *testing.T
}

func (s *server) connect(t *testing.T) *socket {
	t.Helper()
	c, _, err := s.dial(t)
	require.NoError(t, err)
	c.send(frame{Type: "connection_init"})
	require.Equal(t, "connection_ack", c.read().Type)
	return c
}

func (s *server) dial(t *testing.T) (*socket, int, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, s.url, &websocket.DialOptions{
		HTTPClient: s.client, Subprotocols: []string{"graphql-transport-ws"}})
	status := 0
	if response != nil {
		status = response.StatusCode
		if response.Body != nil {
			_ = response.Body.Close()
		}
	}
	if err != nil {
		return nil, status, err
	}
	conn.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &socket{conn, t}, status, nil
}

func (c *socket) send(f frame) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	require.NoError(c.t, wsjson.Write(ctx, c.Conn, f))
}

func (c *socket) subscribe(id string, params map[string]any) {
	c.t.Helper()
	c.send(frame{ID: id, Type: "subscribe", Payload: json.RawMessage(text(c.t, params))})
}

func (c *socket) read() (f frame) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	require.NoError(c.t, wsjson.Read(ctx, c.Conn, &f))
	return f
}

// ended waits for the end of the connection.
func (c *socket) ended() websocket.StatusCode {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	for {
		if _, _, err := c.Read(ctx); err != nil {
			require.NoError(c.t, ctx.Err())
			return websocket.CloseStatus(err)
		}
	}
}

// ask runs an operation over a socket or as events, and returns all that comes.
func (s *server) ask(t *testing.T, over string, params map[string]any) string {
	t.Helper()
	if over == "events" {
		return s.send(t, http.MethodPost, "", text(t, params), "Accept", "text/event-stream").text
	}
	c := s.connect(t)
	c.subscribe("1", params)
	var all strings.Builder
	for {
		f := c.read()
		all.WriteString(f.Type + string(f.Payload))
		if f.Type != "next" {
			return all.String()
		}
	}
}

// The limits of operations hold on sockets and streams of events, too.
func TestGuardsOfSubscriptions(t *testing.T) {
	trusted := `query Trusted { __typename }`
	sum := sha256.Sum256([]byte(trusted))
	hash := hex.EncodeToString(sum[:])
	automatic := func(query string) map[string]any {
		sum := sha256.Sum256([]byte(query))
		return map[string]any{"query": query, "extensions": map[string]any{
			"persistedQuery": map[string]any{"version": 1, "sha256Hash": hex.EncodeToString(sum[:])}}}
	}
	onlyTrusted := func(cfg *gqlhttp.Config) {
		cfg.Trusted, cfg.TrustedOnly = documents.Trusted{hash: trusted}, true
	}
	limited := func(cfg *gqlhttp.Config) {
		cfg.Around = append(cfg.Around, refuseAbove(func(cost int) bool { return cost > 1 }))
	}
	plain := func(*gqlhttp.Config) {}
	for _, c := range []struct {
		name      string
		configure func(*gqlhttp.Config)
		params    map[string]any
		says      string
		executed  int64
	}{
		{"a document that is not trusted", onlyTrusted, map[string]any{"query": `{ __typename }`}, "PERMISSION_DENIED", 0},
		{"one with its hash", onlyTrusted, automatic(`{ __typename }`), "PERMISSION_DENIED", 0},
		{"a subscription that is not trusted", onlyTrusted, map[string]any{"query": `subscription { videoStatsChanged(videoIds: ["1"]) { videoId } }`}, "PERMISSION_DENIED", 0},
		{"one that is trusted", onlyTrusted, map[string]any{"documentId": "sha256:" + hash}, `"__typename":"Query"`, 1},
		{"too much at once", limited, map[string]any{"query": `{ feed { nodes { title } } }`}, "RATE_LIMITED", 0},
		{"not too much", limited, map[string]any{"query": `{ __typename }`}, `"__typename":"Query"`, 1},
		{"a fragment bomb", plain, map[string]any{"query": "subscription { videoStatsChanged(videoIds: []) { video { ...F0 } } } " +
			numbered(25, "fragment F# on Video { a: author { videos { nodes { ...F@ } } } b: author { videos { nodes { ...F@ } } } } ") +
			"fragment F25 on Video { title }"}, "at most 2000 fields", 0},
		{"lists within lists", plain, map[string]any{"query": `subscription { videoStatsChanged(videoIds: ["1"]) { video { author { videos(first: 100) { nodes {
			comments(first: 100) { nodes { author { videos(first: 100) { nodes { title } } } } } } } } } } }`}, "are given at once", 0},
		{"two subscriptions in one", plain, map[string]any{"query": `subscription { a: videoStatsChanged(videoIds: ["1"]) { videoId } b: videoStatsChanged(videoIds: ["1"]) { videoId } }`},
			"selects one field", 0},
		{"a subscription to nothing", plain, map[string]any{"query": `subscription { __typename }`}, "must not select an introspection", 0},
		{"a subscription of too much", plain, map[string]any{"query": `subscription($ids: [ID!]!) { videoStatsChanged(videoIds: $ids) { videoId } }`,
			"variables": map[string]any{"ids": strings.Split(strings.Repeat("1,", 101)+"1", ",")}}, "1 to 100 videos", 1},
		{"a user's subscription for an anonymous client", plain, map[string]any{"query": `subscription { messageReceived { cursor } }`}, "UNAUTHENTICATED", 1},
		{"a resolver that panics while it tells", plain, map[string]any{"query": `subscription { videoStatsChanged(videoIds: ["1"]) { videoId } }`},
			`"message":"internal error"`, 1}, // there are no services
	} {
		for _, over := range []string{"socket", "events"} {
			t.Run(c.name+"/"+over, func(t *testing.T) {
				s := newServer(t, c.configure)
				answer := s.ask(t, over, c.params)
				require.Contains(t, answer, c.says)
				require.Contains(t, answer+`"request-7"__typename`, `"request-7"`)
				require.Equal(t, c.executed, s.schema.executed.Load())
				if strings.Contains(answer, "errors") {
					require.Contains(t, answer, `"requestId":"request-7"`)
				}
			})
		}
	}
}

// A message must be UTF-8, or a pong would send something else back.
func TestMessagesAreUTF8(t *testing.T) {
	c := newServer(t).connect(t)
	require.NoError(t, c.Write(t.Context(), websocket.MessageText, []byte("{\"type\": \"ping\", \"payload\": \"\xff\"}")))
	require.Equal(t, websocket.StatusCode(4400), c.ended())
}

// A client has so many connections and operations at the same time.
func TestLimitsOfSockets(t *testing.T) {
	s := newServer(t, func(cfg *gqlhttp.Config) {
		cfg.Acquire, cfg.Limits.Operations = limit.NewConcurrent(2).Acquire, 1
		cfg.Schema = blocking{cfg.Schema}
	})
	first, second := s.connect(t), s.connect(t)
	_, status, err := s.dial(t)
	require.Error(t, err)
	require.Equal(t, http.StatusTooManyRequests, status)
	require.Equal(t, http.StatusTooManyRequests, s.send(t, http.MethodPost, "", `{"query": "{ __typename }"}`, "Accept", "text/event-stream").status)

	first.subscribe("1", map[string]any{"query": "{ __typename }"})
	first.subscribe("2", map[string]any{"query": "{ __typename }"})
	f := first.read()
	require.Equal(t, "2", f.ID)
	require.Equal(t, "error", f.Type)
	require.Contains(t, string(f.Payload), "RATE_LIMITED")
	first.send(frame{ID: "1", Type: "complete"})
	first.subscribe("1", map[string]any{"query": "{ __typename }"})
	first.send(frame{Type: "ping"})
	require.Equal(t, "pong", first.read().Type)

	_ = second.CloseNow()
	require.Eventually(t, func() bool {
		c, _, err := s.dial(t)
		return err == nil && c != nil
	}, patience, 10*time.Millisecond)
}

// blocking is a schema whose answers take until they are no longer wanted.
type blocking struct{ graphql.ExecutableSchema }

func (blocking) Exec(context.Context) graphql.ResponseHandler {
	return func(ctx context.Context) *graphql.Response {
		<-ctx.Done()
		return nil
	}
}

// large is a schema whose answers are long.
type large struct{ graphql.ExecutableSchema }

func (large) Exec(context.Context) graphql.ResponseHandler {
	return graphql.OneShot(&graphql.Response{Data: json.RawMessage(`"` + strings.Repeat("x", 200_000) + `"`)})
}

// A client that does not read is disconnected and leaves nothing behind, as all connections of this test.
func TestSlowReaders(t *testing.T) {
	s := newServer(t, func(cfg *gqlhttp.Config) {
		cfg.Limits.WriteTimeout, cfg.Schema = 2*time.Second, large{cfg.Schema}
	})
	s.connect(t).subscribe("warm", map[string]any{"query": "{ __typename }"})
	before := runtime.NumGoroutine()
	for range 3 {
		c := s.connect(t)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		var err error
		for n := 0; err == nil; n++ { // the answers fill the buffers of the network, and then wait
			payload := text(t, map[string]any{"query": "{ __typename }"})
			err = wsjson.Write(ctx, c.Conn, frame{ID: strconv.Itoa(n), Type: "subscribe", Payload: json.RawMessage(payload)})
		}
		require.NoError(t, ctx.Err(), "the server has not cut it off")
		cancel()
		_ = c.CloseNow()
	}
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, patience, 20*time.Millisecond)
}
