package gqlhttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"minidouyin/idl/codes"
)

// SSE answers with server-sent events, one operation for each request: `next` for each response and `complete` at the
// end, as the protocol graphql-sse has it in its distinct connections mode. A stream that ends without `complete` was
// broken off, and clients connect again.
type SSE struct {
	Limits      Limits
	Connections *Connections // of the server
	// Acquire counts a connection of a client until release is called; nil = no limit.
	Acquire func(r *http.Request) (release func(), ok bool)
	// ExpiresAt returns when the caller's token expires; nil or zero means never.
	ExpiresAt func(ctx context.Context) time.Time
	// Form reads operations that are sent with files.
	Form MultipartForm
}

var _ graphql.Transport = SSE{}

// Supports reports whether the client wants the answer as a stream of events.
func (SSE) Supports(r *http.Request) bool { return acceptsEvents(r) }

// Do runs the operation until it has ended, its client is gone or the token of its client expires.
func (t SSE) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	operations, err := t.read(w, r, exec)
	if err != nil {
		fail(w, r, exec, err)
		return
	}
	defer operations.release()
	if !operations.single {
		fail(w, r, exec, badRequest("one operation is answered as "+mediaEvents+", not a list"))
		return
	}
	ctx, cancel := t.untilExpiry(r.Context())
	defer cancel()
	leave, err := t.Connections.enter(r, t.Acquire, &connection{stop: cancel, kill: cancel})
	if err != nil {
		fail(w, r, exec, err)
		return
	}
	defer leave()

	operation, refused := prepare(ctx, exec, operations.params[0])
	if refused == nil && operation.Operation.Operation == ast.Mutation && r.Method == http.MethodGet {
		fail(w, r, exec, &requestError{status: http.StatusMethodNotAllowed, code: codes.InvalidArgument,
			message: "mutations cannot be sent with GET", allow: http.MethodPost})
		return
	}
	events := &eventWriter{w: w, connection: http.NewResponseController(w), limits: t.Limits, cancel: cancel,
		recovered: func(f func()) { t.Connections.recovered(ctx, f) }}
	events.start()
	defer events.stop()
	if refused != nil {
		_ = events.send(refused)
	} else {
		stream(ctx, exec, operation, events.send)
	}
	if ctx.Err() == nil {
		_ = events.write("event: complete\ndata:\n\n") // the client may be gone
	}
}

// read reads the operations as the transports of the method and the media type do. They must be released.
func (t SSE) read(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) (*batch, *requestError) {
	switch {
	case r.Method == http.MethodGet:
		params, err := readURL(r)
		if err != nil {
			return nil, err
		}
		return batchOfOne(params), nil
	case r.Method == http.MethodPost && isForm(r):
		return t.Form.read(r, exec)
	case r.Method == http.MethodPost && isJSON(r):
		return readBody(w, r, t.Limits)
	default:
		return nil, unsupported(r)
	}
}

// untilExpiry returns a context that ends when the caller's token expires.
func (t SSE) untilExpiry(ctx context.Context) (context.Context, context.CancelFunc) {
	if t.ExpiresAt != nil {
		if at := t.ExpiresAt(ctx); !at.IsZero() {
			return context.WithDeadline(ctx, at)
		}
	}
	return context.WithCancel(ctx)
}

// eventWriter writes events. It writes comments while it has no events to write. It closes the connection of a client
// that does not read in time.
type eventWriter struct {
	connection *http.ResponseController
	limits     Limits
	cancel     func()
	recovered  func(f func()) // runs f and logs its panic

	mu      sync.Mutex
	w       http.ResponseWriter
	alive   *time.Timer
	stopped bool
}

func (e *eventWriter) start() {
	header := e.w.Header()
	header.Set("Content-Type", mediaEvents+"; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // nginx would buffer events
	e.mu.Lock()
	e.alive = time.AfterFunc(e.limits.KeepAlive, func() { e.recovered(func() { _ = e.write(":\n\n") }) })
	e.mu.Unlock()
	_ = e.write(":\n\n") // so that the client gets the headers
}

// stop stops the comments; none is being written when it returns.
func (e *eventWriter) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = true
	e.alive.Stop()
}

func (e *eventWriter) send(r *response) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	return e.write("event: next\ndata: " + string(text) + "\n\n")
}

func (e *eventWriter) write(text string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		return errStopped
	}
	e.alive.Reset(e.limits.KeepAlive)
	// Only connections that cannot have deadlines, such as those of tests, return an error.
	_ = e.connection.SetWriteDeadline(time.Now().Add(e.limits.WriteTimeout))
	_, err := e.w.Write([]byte(text))
	if err = errors.Join(err, e.connection.Flush()); err != nil {
		e.cancel()
	}
	return err
}

var errStopped = errors.New("the connection has ended")
