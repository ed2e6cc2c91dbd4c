package gqlhttp

import (
	"context"
	"net/http"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"minidouyin/idl/codes"
)

// Connections are what is open longer than one response takes, WebSockets and streams of events, so that they end with
// the server.
type Connections struct {
	recover graphql.RecoverFunc

	mu      sync.Mutex
	open    map[*connection]struct{}
	closing bool
	closed  chan struct{} // closed when closing and nothing is open
}

// connection is one of them. stop closes it orderly, kill at once.
type connection struct{ stop, kill func() }

var errConnections = &requestError{status: http.StatusTooManyRequests, code: codes.RateLimited,
	message: "too many connections, please close some"}

// enter registers a connection until leave is called. It fails when its client has too many by acquire, which may be
// nil, and when the server is stopping.
func (c *Connections) enter(r *http.Request, acquire func(*http.Request) (func(), bool), one *connection) (leave func(), err *requestError) {
	release := func() {}
	if acquire != nil {
		var ok bool
		if release, ok = acquire(r); !ok {
			return nil, errConnections
		}
	}
	if !c.add(one) {
		release()
		return nil, errConnections
	}
	return func() {
		c.remove(one)
		release()
	}, nil
}

// add registers a connection. ok is false when the server is stopping.
func (c *Connections) add(one *connection) (ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return false
	}
	c.open[one] = struct{}{}
	return true
}

func (c *Connections) remove(one *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, one)
	if c.closing && len(c.open) == 0 {
		close(c.closed)
	}
}

// all returns the open connections.
func (c *Connections) all() []*connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*connection
	for one := range c.open {
		all = append(all, one)
	}
	return all
}

// Shutdown closes all WebSockets, with the code 1001, and all streams of events, and refuses new ones. It waits for them
// until ctx ends, when it closes the connections of the rest. It may be repeated.
func (c *Connections) Shutdown(ctx context.Context) error {
	c.mu.Lock()
	if !c.closing {
		c.closing = true
		if len(c.open) == 0 {
			close(c.closed)
		}
	}
	c.mu.Unlock()
	for _, one := range c.all() {
		go c.recovered(ctx, one.stop) // ends with its connection
	}
	select {
	case <-c.closed:
		return nil
	case <-ctx.Done():
		for _, one := range c.all() {
			go c.recovered(ctx, one.kill) // ends with its connection
		}
		return ctx.Err()
	}
}

// recovered runs f and logs its panic. It is for goroutines that no request waits for.
func (c *Connections) recovered(ctx context.Context, f func()) {
	defer func() {
		if cause := recover(); cause != nil {
			_ = c.recover(ctx, cause) // it has logged it
		}
	}()
	f()
}
