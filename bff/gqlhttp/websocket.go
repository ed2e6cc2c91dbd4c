package gqlhttp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
)

const subprotocol = "graphql-transport-ws"

// The codes that a socket is closed with, as the protocol has them. Clients connect again after 1001 and 4403, with a
// token that is valid by then, and give up after the others.
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

// WebSocket runs operations over the subprotocol graphql-transport-ws.
type WebSocket struct {
	Limits      Limits
	Connections *Connections // of the server
	// Acquire counts a connection of a client until release is called; nil = no limit.
	Acquire func(r *http.Request) (release func(), ok bool)
	// Authenticate returns a context with the user of a token; nil = no tokens are taken.
	Authenticate func(ctx context.Context, token string) (context.Context, error)
	// ExpiresAt returns when the caller's token expires; nil or zero means never.
	ExpiresAt func(ctx context.Context) time.Time
	// Begin is called before an operation is read. It returns the context of this operation, or why it is refused; nil =
	// all are read.
	Begin func(ctx context.Context) (context.Context, error)
}

var _ graphql.Transport = WebSocket{}

// Supports reports whether the request asks for a WebSocket.
func (WebSocket) Supports(r *http.Request) bool { return isUpgrade(r) }

func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// Do serves a socket until it is closed.
func (t WebSocket) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	c := &socket{transport: t, exec: exec, headers: r.Header, active: map[string]*operation{}}
	var accepted sync.WaitGroup // nobody stops a socket that is still being opened
	accepted.Add(1)
	leave, refused := t.Connections.enter(r, t.Acquire, &connection{
		stop: func() { accepted.Wait(); c.close(closeGoingAway, "the server is stopping") },
		kill: func() { accepted.Wait(); c.kill() },
	})
	if refused != nil {
		fail(w, r, exec, refused)
		return
	}
	defer leave()
	// A client that offers only other protocols gets the first of them, or it would not get the code of the close.
	offered, _, _ := strings.Cut(r.Header.Get("Sec-WebSocket-Protocol"), ",")
	var err error
	c.conn, err = websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol, strings.TrimSpace(offered)},
		InsecureSkipVerify: true, // the server has checked the origin, by the same rules as elsewhere
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
	c.conn.SetReadLimit(t.Limits.Body)
	// The context of the request ends when this returns, and not when the client goes: reading finds that out.
	ctx, cancel := context.WithCancel(r.Context())
	defer c.operations.Wait()
	defer cancel()
	c.serve(ctx)
}

// message is a message of the subprotocol.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

var errBadMessage = errors.New("not a message of the protocol")

// socket is an open connection. Its messages are read one after the other; each operation runs in a goroutine of its
// own.
type socket struct {
	transport WebSocket
	exec      graphql.GraphExecutor
	conn      *websocket.Conn
	headers   http.Header
	closing   atomic.Bool // a close has begun: nothing is sent any more

	operations sync.WaitGroup

	mu     sync.Mutex            // held while a message is sent
	active map[string]*operation // whose end the client has not been sent
	acked  bool

	initialised bool
	initTimeout *time.Timer
	expiry      *time.Timer // of the token; nil = none
	alive       *time.Timer // fires after silence
	pinged      atomic.Bool // since the last message
}

// serve reads messages until the connection ends.
func (c *socket) serve(ctx context.Context) {
	limits := c.transport.Limits
	c.initTimeout = c.after(ctx, limits.InitTimeout, func() { c.close(closeInitTimeout, "Connection initialisation timeout") })
	c.mu.Lock()
	base := ctx
	c.alive = c.after(ctx, limits.KeepAlive, func() { c.checkAlive(base) })
	c.mu.Unlock()
	defer func() {
		for _, timer := range []*time.Timer{c.initTimeout, c.alive, c.expiry} {
			if timer != nil {
				timer.Stop()
			}
		}
	}()
	for {
		m, err := c.read(ctx)
		if errors.Is(err, errBadMessage) {
			c.close(closeBadRequest, "Invalid message received")
		}
		if err != nil {
			return
		}
		if ctx = c.handle(ctx, m); ctx == nil {
			return
		}
	}
}

// read reads the next message.
func (c *socket) read(ctx context.Context) (m message, err error) {
	kind, text, err := c.conn.Read(ctx)
	if err != nil {
		return m, err
	}
	c.pinged.Store(false)
	c.alive.Reset(c.transport.Limits.KeepAlive)
	if kind != websocket.MessageText || !utf8.Valid(text) || json.Unmarshal(text, &m) != nil {
		return m, errBadMessage
	}
	return m, nil
}

// handle handles a message. It returns the context of the next ones, nil when it has closed the socket.
func (c *socket) handle(ctx context.Context, m message) context.Context {
	switch m.Type {
	case "connection_init":
		if c.initialised {
			c.close(closeTooManyInits, "Too many initialisation requests")
			return nil
		}
		c.initialised = true
		return c.initialise(ctx, m)
	case "ping":
		c.send(ctx, message{Type: "pong", Payload: m.Payload})
	case "pong":
	case "subscribe":
		if !c.subscribe(ctx, m) {
			return nil
		}
	case "complete":
		if m.ID == "" {
			c.close(closeBadRequest, "Invalid message received")
			return nil
		}
		c.cancel(m.ID)
	default:
		c.close(closeBadRequest, "Invalid message received")
		return nil
	}
	return ctx
}

// after calls f in a goroutine of its own when the time has passed.
func (c *socket) after(ctx context.Context, d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() { c.transport.Connections.recovered(ctx, f) })
}

func (c *socket) send(ctx context.Context, m message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.write(ctx, m) // the connection may be gone, which reading finds out
}

// write writes a message. The connection of a client that does not read it in time is closed.
func (c *socket) write(ctx context.Context, m message) error {
	if c.closing.Load() {
		return errStopped
	}
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	// The end of an operation must not end a write in the middle, which would end the connection.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.transport.Limits.WriteTimeout)
	defer cancel()
	return c.conn.Write(ctx, websocket.MessageText, text)
}

// checkAlive pings a client after a time of silence, and closes the connection of one that has not answered the ping.
func (c *socket) checkAlive(ctx context.Context) {
	if c.closing.Load() {
		return
	}
	if c.pinged.Swap(true) {
		c.kill()
		return
	}
	c.send(ctx, message{Type: "ping"})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alive.Reset(c.transport.Limits.KeepAlive)
}

// close closes the socket with a code and its reason.
func (c *socket) close(code websocket.StatusCode, reason string) {
	if c.conn == nil || c.closing.Swap(true) {
		return
	}
	_ = c.conn.Close(code, strings.ToValidUTF8(reason[:min(len(reason), maxCloseReason)], "")) // the client may be gone
}

// kill closes the connection at once.
func (c *socket) kill() {
	if c.conn != nil {
		_ = c.conn.CloseNow() // it may be closed already
	}
}
