package gqlhttp

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"minidouyin/idl/codes"
)

// initialise authenticates the client and acknowledges it. It returns nil when it has closed the socket.
func (c *socket) initialise(ctx context.Context, m message) context.Context {
	var payload map[string]any
	if len(m.Payload) > 0 && json.Unmarshal(m.Payload, &payload) != nil {
		c.close(closeBadRequest, "Invalid message received")
		return nil
	}
	if token, given := tokenOf(payload); given {
		err := codes.Errorf(codes.Unauthenticated, "no tokens are taken")
		if c.transport.Authenticate != nil {
			ctx, err = c.transport.Authenticate(ctx, token)
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
	c.initTimeout.Stop()
	if c.transport.ExpiresAt != nil {
		if at := c.transport.ExpiresAt(ctx); !at.IsZero() {
			c.expiry = c.after(ctx, time.Until(at), func() { c.close(closeForbidden, "Forbidden: the token has expired") })
		}
	}
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
