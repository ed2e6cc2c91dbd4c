package gqlhttp

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"minidouyin/idl/codes"
)

// operation is an operation of a socket. Its id may be used again after its end.
type operation struct {
	id     string
	cancel context.CancelFunc
}

// subscribe starts an operation. It returns false when it has closed the socket instead.
func (c *socket) subscribe(ctx context.Context, m message) bool {
	start := graphql.Now()
	c.mu.Lock()
	acked, taken, full := c.acked, c.active[m.ID] != nil, len(c.active) >= c.transport.Limits.Operations
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
		c.sendErrors(ctx, m.ID, errorList(codes.RateLimited, "too many operations at once on this socket"))
		return true
	}
	if c.transport.Begin != nil {
		begun, err := c.transport.Begin(ctx)
		if err != nil {
			c.sendErrors(ctx, m.ID, gqlerror.List{gqlerror.Wrap(err)})
			return true
		}
		ctx = begun
	}
	complete(params, c.headers, start)
	ctx, cancel := context.WithCancel(graphql.StartOperationTrace(ctx))
	o := &operation{id: m.ID, cancel: cancel}
	c.mu.Lock()
	c.active[m.ID] = o
	c.mu.Unlock()
	c.operations.Go(func() {
		defer cancel()
		defer func() {
			if cause := recover(); cause != nil {
				failed := c.exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(c.transport.Connections.recover(ctx, cause))})
				_ = c.finish(ctx, o, "error", failed.Errors) // the connection may be gone
			}
		}()
		c.run(ctx, o, params)
	})
	return true
}

// cancel ends an operation that the client does not want any more.
func (c *socket) cancel(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o := c.active[id]; o != nil {
		o.cancel()
		delete(c.active, id)
	}
}

// run runs an operation and sends its responses.
func (c *socket) run(ctx context.Context, o *operation, params *graphql.RawParams) {
	send := func(r *response) error {
		if !r.executed {
			return c.finish(ctx, o, "error", r.Errors)
		}
		return c.sendNext(ctx, o, r)
	}
	prepared, refused := prepare(ctx, c.exec, params)
	if refused != nil {
		_ = send(refused) // the connection may be gone
		return
	}
	stream(ctx, c.exec, prepared, send)
	_ = c.finish(ctx, o, "complete", nil) // the connection may be gone
}

// sendNext sends a response, unless the operation has ended.
func (c *socket) sendNext(ctx context.Context, o *operation, r *response) error {
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

// finish sends the end of an operation, once.
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

// sendErrors refuses an operation that was not started.
func (c *socket) sendErrors(ctx context.Context, id string, errs gqlerror.List) {
	payload, err := json.Marshal(c.exec.DispatchError(ctx, errs).Errors)
	if err == nil {
		c.send(ctx, message{ID: id, Type: "error", Payload: payload})
	}
}
