package gqlhttp

import (
	"context"
	"sync"
)

// connections knows what is open beyond a single answer, sockets and streams of events, so that it ends with the server
// and one client does not open too many.
type connections struct {
	limit int // of one address, 0 = none

	mu        sync.Mutex
	open      map[*connection]struct{}
	addresses map[string]int
	closing   bool
	closed    chan struct{} // closed when closing and nothing is open any more
}

// connection is one of them. stop asks it to end, kill ends it at once.
type connection struct {
	address    string
	stop, kill func()
}

func newConnections(limit int) *connections {
	return &connections{limit: limit, open: map[*connection]struct{}{}, addresses: map[string]int{}, closed: make(chan struct{})}
}

// add notes a connection. ok is false when its address has too many, or when the server is stopping.
func (c *connections) add(one *connection) (ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || (c.limit > 0 && c.addresses[one.address] >= c.limit) {
		return false
	}
	c.open[one] = struct{}{}
	c.addresses[one.address]++
	return true
}

func (c *connections) remove(one *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, one)
	if c.addresses[one.address]--; c.addresses[one.address] == 0 {
		delete(c.addresses, one.address)
	}
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
