// Package middleware has what HTTP requests pass before their route: the record and the log line of a request, recovery
// from panics, deadlines, headers, and what is known of the client and of our own address.
package middleware

import (
	"context"
	"crypto/rand"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
)

// Record is what is known of a request, for its log line and its errors.
type Record struct {
	ID        string
	Operation string // the name of its GraphQL operation
	Code      string // of the first error, "" = none
}

type recordKey struct{}

// RecordOf returns the record of the request, an empty one outside of a request.
func RecordOf(ctx context.Context) *Record {
	if r, ok := ctx.Value(recordKey{}).(*Record); ok {
		return r
	}
	return &Record{}
}

// RequestID returns the id of the request, "" outside of a request.
func RequestID(ctx context.Context) string { return RecordOf(ctx).ID }

// Identify is middleware that gives each request a record with an id, which is in the header X-Request-Id too.
func Identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), recordKey{}, &Record{ID: id})))
	})
}

// ForkRecord returns a context with a record of its own, for one of several operations of the same request.
func ForkRecord(ctx context.Context) context.Context {
	return context.WithValue(ctx, recordKey{}, &Record{ID: RequestID(ctx)})
}

// RecordOperation is middleware of GraphQL operations that records the name of the operation and the code of its first
// error.
func RecordOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	const maxName = 64 // the client chooses the name
	name := graphql.GetOperationContext(ctx).Operation.Name
	RecordOf(ctx).Operation = name[:min(len(name), maxName)]
	respond := next(ctx)
	return func(ctx context.Context) *graphql.Response {
		response := respond(ctx)
		if response != nil && len(response.Errors) > 0 {
			RecordOf(ctx).Code, _ = response.Errors[0].Extensions["code"].(string)
		}
		return response
	}
}
