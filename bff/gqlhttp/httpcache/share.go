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

// Cache decides who may keep an answer, and computes once what several anonymous clients ask for at the same time.
type Cache struct {
	// Schema has the hints.
	Schema graphql.ExecutableSchema
	// Anonymous returns ok for an anonymous request: all of them with the same variant get the same answer.
	Anonymous func(ctx context.Context) (variant string, ok bool)
	// Timeout bounds an answer that is computed for several.
	Timeout time.Duration
	// Sign puts the id of the request into an error.
	Sign func(ctx context.Context, err *gqlerror.Error) *gqlerror.Error

	flights singleflight.Group // answers that are being computed for several
}

// Control returns the header Cache-Control of the answer to an operation by GET, "" when nobody may keep it.
func (c *Cache) Control(ctx context.Context, operation *graphql.OperationContext) string {
	_, anonymous := c.anonymous(ctx)
	return policyOf(c.Schema.Schema(), operation).cacheControl(anonymous)
}

// Share computes what several visitors ask for at the same time once, where the answer is everybody's. Who asks first
// computes it, to its end also when that client goes away: the others wait for it.
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

// shareKey returns what all who get the same answer have in common. ok is false when the answer is not everybody's.
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

// copyError returns an error that others have too as that of this request.
func (c *Cache) copyError(ctx context.Context, err *gqlerror.Error) *gqlerror.Error {
	own := *err
	own.Extensions = maps.Clone(err.Extensions)
	return c.Sign(ctx, &own)
}

// anonymous reports whether the request is anonymous, and what the answers to visitors depend on beside the operation.
func (c *Cache) anonymous(ctx context.Context) (variant string, ok bool) {
	if c.Anonymous == nil {
		return "", false
	}
	return c.Anonymous(ctx)
}
