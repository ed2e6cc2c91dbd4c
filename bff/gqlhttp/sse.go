package gqlhttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"minidouyin/idl/codes"
)

// serveEvents answers with server-sent events, one operation for each request: `next` for each answer and `complete` at
// the end, as the protocol graphql-sse has it in its distinct connections mode. A stream that ends without `complete`
// was broken off, and clients connect again.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	if err := s.checkOrigin(r); err != nil {
		s.fail(r.Context(), w, mediaJSON, err)
		return
	}
	batch, err := s.read(w, r)
	if err != nil {
		s.fail(r.Context(), w, mediaJSON, err)
		return
	}
	defer batch.release()
	if !batch.single {
		s.fail(r.Context(), w, mediaJSON, badRequest("one operation is answered as "+mediaEvents+", not a list"))
		return
	}
	ctx, cancel := s.untilExpiry(r.Context())
	defer cancel()
	release, ok := s.acquire(r)
	if !ok {
		s.fail(ctx, w, mediaJSON, errConnections)
		return
	}
	defer release()
	one := &connection{stop: cancel, kill: cancel}
	if !s.open.add(one) {
		s.fail(ctx, w, mediaJSON, errConnections)
		return
	}
	defer s.open.remove(one)

	operation, refused := s.prepare(ctx, batch.params[0])
	if refused == nil && operation.Operation.Operation == ast.Mutation && r.Method == http.MethodGet {
		s.fail(ctx, w, mediaJSON, &requestError{status: http.StatusMethodNotAllowed, code: codes.InvalidArgument,
			message: "mutations cannot be sent with GET", allow: http.MethodPost})
		return
	}
	events := &eventWriter{w: w, connection: http.NewResponseController(w), limits: s.cfg.Limits, cancel: cancel,
		recovered: func(f func()) { s.recovered(ctx, f) }}
	events.start()
	defer events.stop()
	if refused != nil {
		_ = events.answer(refused)
	} else {
		s.stream(ctx, operation, events.answer)
	}
	if ctx.Err() == nil {
		_ = events.write("event: complete\ndata:\n\n") // the client may be gone
	}
}

var errConnections = &requestError{status: http.StatusTooManyRequests, code: codes.RateLimited,
	message: "too many connections, please close some"}

// untilExpiry returns a context that ends when the one who asks stops to be who he is.
func (s *Server) untilExpiry(ctx context.Context) (context.Context, context.CancelFunc) {
	if at := s.expiresAt(ctx); !at.IsZero() {
		return context.WithDeadline(ctx, at)
	}
	return context.WithCancel(ctx)
}

func (s *Server) expiresAt(ctx context.Context) time.Time {
	if s.cfg.ExpiresAt == nil {
		return time.Time{}
	}
	return s.cfg.ExpiresAt(ctx)
}

// acquire counts a connection of the client until release is called.
func (s *Server) acquire(r *http.Request) (release func(), ok bool) {
	if s.cfg.Acquire == nil {
		return func() {}, true
	}
	return s.cfg.Acquire(r)
}

// eventWriter writes events, and comments in their absence. A client that does not take them in time is cut off.
type eventWriter struct {
	connection *http.ResponseController
	limits     Limits
	cancel     func()
	recovered  func(f func()) // runs f

	mu      sync.Mutex
	w       http.ResponseWriter
	alive   *time.Timer
	stopped bool
}

func (e *eventWriter) start() {
	header := e.w.Header()
	header.Set("Content-Type", mediaEvents+"; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // nginx would keep events back
	e.mu.Lock()
	e.alive = time.AfterFunc(e.limits.KeepAlive, func() { e.recovered(func() { _ = e.write(":\n\n") }) })
	e.mu.Unlock()
	_ = e.write(":\n\n") // the answer has begun
}

// stop ends the comments; none is being written when it returns.
func (e *eventWriter) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = true
	e.alive.Stop()
}

func (e *eventWriter) answer(r *response) error {
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
