package gqlhttp

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// recovering is an executor in which a panic fails its operation and nothing else. gqlgen itself recovers panics of
// resolvers only, not those of middlewares or of the collection of fields.
type recovering struct {
	exec graphql.GraphExecutor
	// recover logs a panic and returns the error of its operation.
	recover graphql.RecoverFunc
	// sign puts the id of the request into the errors of a response.
	sign func(ctx context.Context, response *graphql.Response) *graphql.Response
}

var _ graphql.GraphExecutor = recovering{}

// CreateOperationContext reads and checks an operation.
func (e recovering) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (operation *graphql.OperationContext, errs gqlerror.List) {
	defer func() {
		if cause := recover(); cause != nil {
			operation = &graphql.OperationContext{RawQuery: params.Query, OperationName: params.OperationName}
			errs = gqlerror.List{gqlerror.Wrap(e.recover(ctx, cause))}
		}
	}()
	return e.exec.CreateOperationContext(ctx, params)
}

// DispatchOperation runs an operation. After a panic its response is an error, and of a subscription the last one.
func (e recovering) DispatchOperation(ctx context.Context, operation *graphql.OperationContext) (respond graphql.ResponseHandler, inner context.Context) {
	defer func() {
		if cause := recover(); cause != nil {
			inner = graphql.WithOperationContext(ctx, operation)
			respond = graphql.OneShot(e.response(inner, cause))
		}
	}()
	next, inner := e.exec.DispatchOperation(ctx, operation)
	ended := false
	return func(ctx context.Context) (response *graphql.Response) {
		if ended {
			return nil
		}
		defer func() {
			if cause := recover(); cause != nil {
				ended = true
				response = e.response(ctx, cause)
			}
		}()
		return e.sign(ctx, next(ctx))
	}, inner
}

// DispatchError returns the response of a request that is not run.
func (e recovering) DispatchError(ctx context.Context, errs gqlerror.List) *graphql.Response {
	return e.exec.DispatchError(ctx, errs)
}

func (e recovering) response(ctx context.Context, cause any) *graphql.Response {
	return e.exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(e.recover(ctx, cause))})
}
