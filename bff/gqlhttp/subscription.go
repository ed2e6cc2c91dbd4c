package gqlhttp

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"minidouyin/idl/codes"
)

func isSubscription(operation *graphql.OperationContext) bool {
	return operation.Operation.Operation == ast.Subscription
}

// streams is the schema whose subscriptions may end with an error: one that the resolver has added to its own context
// before it closed its channel. Else such an error would get lost, for each event has a context of its own.
type streams struct{ graphql.ExecutableSchema }

// Exec runs the operation of the context.
func (s streams) Exec(ctx context.Context) graphql.ResponseHandler {
	respond := s.ExecutableSchema.Exec(ctx)
	if !isSubscription(graphql.GetOperationContext(ctx)) {
		return respond
	}
	ended := false
	return func(event context.Context) *graphql.Response {
		if ended {
			return nil
		}
		if r := respond(event); r != nil {
			return r
		}
		ended = true
		if errs := graphql.GetErrors(ctx); len(errs) > 0 && event.Err() == nil {
			return &graphql.Response{Errors: errs}
		}
		return nil
	}
}

// stream runs an operation and hands over what it answers, one answer or, of a subscription, many, until send fails or
// ctx ends. An answer that is not executed is the last one.
func (s *Server) stream(ctx context.Context, operation *graphql.OperationContext, send func(*response) error) {
	ctx, cancel := context.WithCancel(ctx) // ends what the resolver has begun
	defer cancel()
	respond, inner := s.exec.DispatchOperation(ctx, operation)
	for first := true; ; first = false {
		r := respond(inner)
		if r == nil && first && !isSubscription(operation) && ctx.Err() == nil {
			r = &graphql.Response{Errors: s.coded(ctx, codes.UpstreamUnavailable, "the answer took too long, please try again")}
		}
		if r == nil {
			return
		}
		a := answer(r)
		if err := send(a); err != nil || !a.executed {
			return
		}
	}
}
