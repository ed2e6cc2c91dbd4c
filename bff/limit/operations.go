package limit

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"minidouyin/idl/codes"
)

const (
	minCost   = 100 // items of a subscription's events are taken together until there are so many: most events bring one
	maxPauses = 12  // then an event is sent however much there was
)

// Operations returns middleware that takes what an operation may return before it runs, and what each further event of
// a subscription returns. An operation that exceeds the limit is refused; a subscription pauses, and loses nothing: what
// happens meanwhile is in its next event. cost returns the items that an operation may return.
func (l *Rates) Operations(cost func(*graphql.OperationContext) int, pause time.Duration) graphql.OperationMiddleware {
	return func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		operation := graphql.GetOperationContext(ctx)
		items := cost(operation)
		if err := l.Take(ctx, Work{SignIns: signIns(operation), Items: items}); err != nil {
			return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{
				{Message: codes.Message(err), Extensions: map[string]any{"code": codes.Of(err).String()}}}})
		}
		respond := next(ctx)
		if operation.Operation.Operation != ast.Subscription {
			return respond
		}
		return l.paced(respond, items, pause)
	}
}

// signIns returns how often an operation tries to log in or to register.
func signIns(operation *graphql.OperationContext) (n int) {
	for _, field := range graphql.CollectFields(operation, operation.Operation.SelectionSet, []string{"Mutation"}) {
		if field.Name == "login" || field.Name == "register" {
			n++
		}
	}
	return n
}

// paced takes the items of all events but the first, which the operation has taken.
func (l *Rates) paced(respond graphql.ResponseHandler, items int, pause time.Duration) graphql.ResponseHandler {
	first, due := true, 0
	return func(ctx context.Context) *graphql.Response {
		response := respond(ctx)
		if response == nil || first {
			first = false
			return response
		}
		if due += items; due >= minCost {
			l.wait(ctx, due, pause)
			due = 0
		}
		return response
	}
}

// wait takes items, and pauses while they exceed the limit.
func (l *Rates) wait(ctx context.Context, items int, pause time.Duration) {
	for range maxPauses {
		if l.Take(ctx, Work{Items: items}) == nil {
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}
