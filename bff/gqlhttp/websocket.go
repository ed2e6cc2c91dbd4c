package gqlhttp

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"minidouyin/idl/codes"
)

const subprotocol = "graphql-transport-ws"

// The codes that a socket is closed with, as the protocol has them. Clients give up after each of them, but for
// 1001 and 4403: then they connect again, with a token that is valid by then.
const (
	closeGoingAway      = websocket.StatusGoingAway
	closeBadRequest     = websocket.StatusCode(4400)
	closeUnauthorized   = websocket.StatusCode(4401) // a subscription before the acknowledgement
	closeForbidden      = websocket.StatusCode(4403) // the token is not valid, or not any more
	closeBadSubprotocol = websocket.StatusCode(4406)
	closeInitTimeout    = websocket.StatusCode(4408)
	closeDuplicate      = websocket.StatusCode(4409)
	closeTooManyInits   = websocket.StatusCode(4429)
	maxCloseReason      = 120 // bytes
	maxOperationID      = 100 // bytes
)

// message is what goes over a socket.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// socket is a connection that speaks graphql-transport-ws. Its client's messages are read one after the other; each
// operation runs in a goroutine of its own.
type socket struct {
	server  *Server
	conn    *websocket.Conn
	headers http.Header
	ending  atomic.Bool // a close has begun: nothing is sent any more

	operations sync.WaitGroup

	mu     sync.Mutex            // held while a message is sent
	active map[string]*operation // what the client has not been told the end of
	acked  bool

	alive  *time.Timer // rings after silence
	silent atomic.Bool // asked for a sign of life since the last one
}

// operation is one of a socket. Its id may be used again after its end.
type operation struct {
	id  string
	end context.CancelFunc
}

func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// serveSocket talks to a client over a WebSocket until one of them ends it.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	if err := s.checkOrigin(r); err != nil {
		s.fail(r.Context(), w, mediaJSON, err)
		return
	}
	release, ok := s.acquire(r)
	if !ok {
		s.fail(r.Context(), w, mediaJSON, errConnections)
		return
	}
	defer release()
	c := &socket{server: s, headers: r.Header, active: map[string]*operation{}}
	var accepted sync.WaitGroup // nobody stops a socket that is still being opened
	accepted.Add(1)
	one := &connection{
		stop: func() { accepted.Wait(); c.close(closeGoingAway, "the server is stopping") },
		kill: func() { accepted.Wait(); c.kill() },
	}
	if !s.open.add(one) {
		s.fail(r.Context(), w, mediaJSON, errConnections)
		return
	}
	defer s.open.remove(one)
	// Of clients that speak another protocol, the first one they offer is taken, or they would not hear the code.
	offered, _, _ := strings.Cut(r.Header.Get("Sec-WebSocket-Protocol"), ",")
	var err error
	c.conn, err = websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol, strings.TrimSpace(offered)},
		InsecureSkipVerify: true, // checkOrigin has, by the same rules as elsewhere
	})
	accepted.Done()
	if err != nil {
		return // it has answered
	}
	defer func() { _ = c.conn.CloseNow() }()
	if c.conn.Subprotocol() != subprotocol {
		c.close(closeBadSubprotocol, "Subprotocol not acceptable")
		return
	}
	c.conn.SetReadLimit(s.cfg.Limits.Body)
	// The context of the request ends when this returns, and not when the client goes: reading finds that out.
	ctx, cancel := context.WithCancel(r.Context())
	defer c.operations.Wait()
	defer cancel()
	c.talk(ctx)
}

// talk reads messages until the connection ends.
func (c *socket) talk(ctx context.Context) {
	limits := c.server.cfg.Limits
	initialise := c.after(ctx, limits.InitTimeout, func() { c.close(closeInitTimeout, "Connection initialisation timeout") })
	defer initialise.Stop()
	c.mu.Lock()
	base := ctx
	c.alive = c.after(ctx, limits.KeepAlive, func() { c.checkAlive(base) })
	c.mu.Unlock()
	defer c.alive.Stop()

	initialised := false
	for {
		kind, text, err := c.conn.Read(ctx)
		if err != nil {
			return
		}
		c.silent.Store(false)
		c.alive.Reset(limits.KeepAlive)
		var m message
		if kind != websocket.MessageText || !utf8.Valid(text) || json.Unmarshal(text, &m) != nil {
			c.close(closeBadRequest, "Invalid message received")
			return
		}
		switch m.Type {
		case "connection_init":
			if initialised {
				c.close(closeTooManyInits, "Too many initialisation requests")
				return
			}
			initialised = true
			if ctx = c.initialise(ctx, m); ctx == nil {
				return
			}
			initialise.Stop()
			if at := c.server.expiresAt(ctx); !at.IsZero() {
				expiry := c.after(ctx, time.Until(at), func() { c.close(closeForbidden, "Forbidden: the token has expired") })
				defer expiry.Stop()
			}
		case "ping":
			c.send(ctx, message{Type: "pong", Payload: m.Payload})
		case "pong":
		case "subscribe":
			if !c.subscribe(ctx, m) {
				return
			}
		case "complete":
			if m.ID == "" {
				c.close(closeBadRequest, "Invalid message received")
				return
			}
			c.mu.Lock()
			if o := c.active[m.ID]; o != nil {
				o.end()
				delete(c.active, m.ID)
			}
			c.mu.Unlock()
		default:
			c.close(closeBadRequest, "Invalid message received")
			return
		}
	}
}

// after calls f in a goroutine of its own when the time has passed.
func (c *socket) after(ctx context.Context, d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() { c.server.recovered(ctx, f) })
}

// initialise reads who asks and acknowledges it. It returns nil when it has closed the socket instead.
func (c *socket) initialise(ctx context.Context, m message) context.Context {
	var payload map[string]any
	if len(m.Payload) > 0 && json.Unmarshal(m.Payload, &payload) != nil {
		c.close(closeBadRequest, "Invalid message received")
		return nil
	}
	token, given := tokenOf(payload)
	if given {
		err := codes.Errorf(codes.Unauthenticated, "no tokens are taken")
		if c.server.cfg.Authenticate != nil {
			ctx, err = c.server.cfg.Authenticate(ctx, token)
		}
		if err != nil {
			c.close(closeForbidden, "Forbidden")
			return nil
		}
	}
	c.mu.Lock()
	c.acked = true
	c.mu.Unlock()
	c.send(ctx, message{Type: "connection_ack"})
	return ctx
}

// tokenOf returns the token of the payload of connection_init: as `token`, or as the header Authorization would be.
func tokenOf(payload map[string]any) (token string, given bool) {
	if value := payload["token"]; value != nil {
		token, _ = value.(string)
		return token, true
	}
	for _, name := range []string{"authorization", "Authorization"} {
		if value := payload[name]; value != nil {
			header, _ := value.(string)
			scheme, token, _ := strings.Cut(header, " ")
			if !strings.EqualFold(scheme, "Bearer") {
				token = ""
			}
			return strings.TrimSpace(token), true
		}
	}
	return "", false
}

// subscribe begins an operation. It returns false when it has closed the socket instead.
func (c *socket) subscribe(ctx context.Context, m message) bool {
	start := graphql.Now()
	c.mu.Lock()
	acked, taken, full := c.acked, c.active[m.ID] != nil, len(c.active) >= c.server.cfg.Limits.Operations
	c.mu.Unlock()
	switch {
	case !acked:
		c.close(closeUnauthorized, "Unauthorized")
		return false
	case m.ID == "" || len(m.ID) > maxOperationID || len(bytes.TrimSpace(m.Payload)) == 0:
		c.close(closeBadRequest, "Invalid message received")
		return false
	case taken:
		c.close(closeDuplicate, "Subscriber for "+m.ID+" already exists")
		return false
	}
	params, invalid := readParams(m.Payload)
	if invalid != nil {
		c.close(closeBadRequest, "Invalid message received: "+invalid.message)
		return false
	}
	if full {
		c.sendErrors(ctx, m.ID, c.server.coded(ctx, codes.RateLimited, "too many operations at once on this socket"))
		return true
	}
	if c.server.cfg.Begin != nil {
		begun, err := c.server.cfg.Begin(ctx)
		if err != nil {
			c.sendErrors(ctx, m.ID, gqlerror.List{c.server.present(ctx, err)})
			return true
		}
		ctx = begun
	}
	params.Headers = c.headers
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	ctx, cancel := context.WithCancel(graphql.StartOperationTrace(ctx))
	c.mu.Lock()
	o := &operation{id: m.ID, end: cancel}
	c.active[m.ID] = o
	c.mu.Unlock()
	c.operations.Go(func() {
		defer cancel()
		defer func() {
			if cause := recover(); cause != nil {
				_ = c.finish(ctx, o, "error", c.server.panicked(ctx, cause).Errors) // the connection may be gone
			}
		}()
		c.run(ctx, o, params)
	})
	return true
}

// run runs an operation and sends what it answers.
func (c *socket) run(ctx context.Context, o *operation, params *graphql.RawParams) {
	send := func(r *response) error {
		if !r.executed {
			return c.finish(ctx, o, "error", r.Errors)
		}
		return c.next(ctx, o, r)
	}
	operation, refused := c.server.prepare(ctx, params)
	if refused != nil {
		_ = send(refused) // the connection may be gone
		return
	}
	c.server.stream(ctx, operation, send)
	_ = c.finish(ctx, o, "complete", nil) // the connection may be gone
}

// next sends an answer, unless the client has been told the end of the operation or has ended it.
func (c *socket) next(ctx context.Context, o *operation, r *response) error {
	payload, err := json.Marshal(r)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.active[o.id] != o || ctx.Err() != nil {
		return errStopped
	}
	return c.write(ctx, message{ID: o.id, Type: "next", Payload: payload})
}

// finish tells the end of an operation once.
func (c *socket) finish(ctx context.Context, o *operation, kind string, errs gqlerror.List) error {
	m := message{ID: o.id, Type: kind}
	if errs != nil {
		var err error
		if m.Payload, err = json.Marshal(errs); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.active[o.id] != o || ctx.Err() != nil {
		return errStopped
	}
	delete(c.active, o.id)
	return c.write(ctx, m)
}

func (c *socket) sendErrors(ctx context.Context, id string, errs gqlerror.List) {
	payload, err := json.Marshal(errs)
	if err == nil {
		c.send(ctx, message{ID: id, Type: "error", Payload: payload})
	}
}

func (c *socket) send(ctx context.Context, m message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.write(ctx, m) // the connection may be gone, which reading finds out
}

// write writes a message. A client that does not take it in time is cut off.
func (c *socket) write(ctx context.Context, m message) error {
	if c.ending.Load() {
		return errStopped
	}
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	// The end of an operation must not end a write in the middle, which would end the connection.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.server.cfg.Limits.WriteTimeout)
	defer cancel()
	return c.conn.Write(ctx, websocket.MessageText, text)
}

// checkAlive asks for a sign of life after a time of silence, and cuts off who gives none.
func (c *socket) checkAlive(ctx context.Context) {
	if c.ending.Load() {
		return
	}
	if c.silent.Swap(true) {
		c.kill()
		return
	}
	c.send(ctx, message{Type: "ping"})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alive.Reset(c.server.cfg.Limits.KeepAlive)
}

// close tells the client why the socket ends, and ends it.
func (c *socket) close(code websocket.StatusCode, reason string) {
	if c.conn == nil || c.ending.Swap(true) {
		return
	}
	_ = c.conn.Close(code, strings.ToValidUTF8(reason[:min(len(reason), maxCloseReason)], "")) // the client may be gone
}

func (c *socket) kill() {
	if c.conn != nil {
		_ = c.conn.CloseNow() // it may be closed already
	}
}
