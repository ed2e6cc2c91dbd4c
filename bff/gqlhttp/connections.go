package gqlhttp

import (
	"context"
	"sync"
)

// connections are what is open longer than one response takes, WebSockets and streams of events, so that they end with
// the server.
type connections struct {
	mu      sync.Mutex
	open    map[*connection]struct{}
	closing bool
	closed  chan struct{} // closed when closing and nothing is open
}

// connection is one of them. stop asks it to end, kill ends it at once.
type connection struct{ stop, kill func() }

func newConnections() *connections {
	return &connections{open: map[*connection]struct{}{}, closed: make(chan struct{})}
}

// add registers a connection. ok is false when the server is stopping.
func (c *connections) add(one *connection) (ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return false
	}
	c.open[one] = struct{}{}
	return true
}

func (c *connections) remove(one *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, one)
	if c.closing && len(c.open) == 0 {
		close(c.closed)
	}
}

// all returns what is open.
func (c *connections) all() []*connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*connection
	for one := range c.open {
		all = append(all, one)
	}
	return all
}

// Shutdown ends all sockets, with the code 1001, and all streams of events, and takes no more of them. It returns when
// they have ended; those that have not when ctx ends are cut off. It may be repeated.
func (s *Server) Shutdown(ctx context.Context) error {
	c := s.open
	c.mu.Lock()
	if !c.closing {
		c.closing = true
		if len(c.open) == 0 {
			close(c.closed)
		}
	}
	c.mu.Unlock()
	for _, one := range c.all() {
		go s.recovered(ctx, one.stop) // ends with its connection
	}
	select {
	case <-c.closed:
		return nil
	case <-ctx.Done():
		for _, one := range c.all() {
			go s.recovered(ctx, one.kill) // ends with its connection
		}
		return ctx.Err()
	}
}
