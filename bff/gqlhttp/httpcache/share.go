package httpcache

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"golang.org/x/sync/singleflight"
)

// Cache knows the cache hints of a schema. Concurrent anonymous requests share a response by [Cache.Share].
type Cache struct {
	// Schema has the hints.
	Schema graphql.ExecutableSchema
	// Anonymous reports whether the request is anonymous; nil = none is. Requests with the same variant may share a
	// response.
	Anonymous func(ctx context.Context) (variant string, ok bool)
	// Timeout bounds an operation that runs for several requests.
	Timeout time.Duration
	// Sign adds the id of the request to an error.
	Sign func(ctx context.Context, err *gqlerror.Error) *gqlerror.Error

	flights singleflight.Group // operations that run for several requests
}

// Control returns the header Cache-Control of the response to GET, "" if nobody may keep it.
func (c *Cache) Control(ctx context.Context, operation *graphql.OperationContext) string {
	_, anonymous := c.anonymous(ctx)
	return policyOf(c.Schema.Schema(), operation).cacheControl(anonymous)
}

// Share is middleware that runs an operation once for concurrent anonymous requests, if its policy is public. The first
// request runs it, to its end even when its client disconnects: the others wait for it.
func (c *Cache) Share(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	respond := next(ctx)
	key, ok := c.shareKey(ctx, graphql.GetOperationContext(ctx))
	if !ok {
		return respond
	}
	return func(ctx context.Context) *graphql.Response {
		computed, _, _ := c.flights.Do(key, func() (any, error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Timeout)
			defer cancel()
			return respond(ctx), nil
		})
		response, _ := computed.(*graphql.Response)
		if response == nil {
			return nil
		}
		own := *response
		own.Errors = nil
		for _, err := range response.Errors {
			own.Errors = append(own.Errors, c.copyError(ctx, err))
		}
		return &own
	}
}

// shareKey returns the key of a shared response. ok is false if the response may not be shared.
func (c *Cache) shareKey(ctx context.Context, operation *graphql.OperationContext) (key string, ok bool) {
	variant, anonymous := c.anonymous(ctx)
	if !anonymous {
		return "", false
	}
	if p := policyOf(c.Schema.Schema(), operation); p.maxAge == 0 || p.private {
		return "", false
	}
	text, err := json.Marshal([]any{variant, operation.RawQuery, operation.Operation.Name, operation.Variables})
	if err != nil {
		return "", false // a file, which belongs to one request
	}
	sum := sha256.Sum256(text)
	return string(sum[:]), true
}

// copyError returns a copy of a shared error with the id of this request.
func (c *Cache) copyError(ctx context.Context, err *gqlerror.Error) *gqlerror.Error {
	own := *err
	own.Extensions = maps.Clone(err.Extensions)
	return c.Sign(ctx, &own)
}

// anonymous reports whether the request is anonymous.
func (c *Cache) anonymous(ctx context.Context) (variant string, ok bool) {
	if c.Anonymous == nil {
		return "", false
	}
	return c.Anonymous(ctx)
}
