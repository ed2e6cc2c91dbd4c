package gqlhttp

import (
	"context"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"minidouyin/idl/codes"
)

const tookTooLong = "the answer took too long, please try again"

// bound returns middleware that gives each operation a deadline, which its calls to the services inherit. A
// subscription as a whole has none.
func bound(timeout time.Duration) graphql.OperationMiddleware {
	return func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		respond := next(ctx)
		if isSubscription(graphql.GetOperationContext(ctx)) {
			return respond
		}
		return func(ctx context.Context) *graphql.Response {
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			return respond(ctx)
		}
	}
}

// batch is the operations of one request.
type batch struct {
	params  []*graphql.RawParams
	single  bool // not sent as a list
	release func()

	takesFile map[*graphql.RawParams]bool // has a variable for a file of the form
	unread    map[*graphql.RawParams]bool // valid, but its files were not read
}

func batchOfOne(params *graphql.RawParams) *batch {
	return &batch{params: []*graphql.RawParams{params}, single: true, release: func() {}}
}

// run runs the operations, all of them within the time-out, and answers the request with their responses.
func (b *batch) run(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	responses := make([]*response, len(b.params))
	for i, params := range b.params {
		if b.unread[params] {
			responses[i] = responseOf(exec.DispatchError(ctx, errorList(codes.InvalidArgument,
				"the file was not read, as another operation of the request cannot be run")))
			continue
		}
		operation, refused := prepare(ctx, exec, params)
		if refused != nil {
			responses[i] = refused
			continue
		}
		responses[i] = execute(ctx, exec, operation)
	}
	if b.single {
		responses[0].write(w, mediaOf(r))
		return
	}
	writeBatch(w, mediaOf(r), responses)
}

// prepare reads and checks an operation. refused is the response to one that may not run.
func prepare(ctx context.Context, exec graphql.GraphExecutor, params *graphql.RawParams) (_ *graphql.OperationContext, refused *response) {
	operation, errs := exec.CreateOperationContext(ctx, params)
	if errs != nil {
		return nil, responseOf(exec.DispatchError(graphql.WithOperationContext(ctx, operation), errs))
	}
	return operation, nil
}

// execute runs an operation that has one response.
func execute(ctx context.Context, exec graphql.GraphExecutor, operation *graphql.OperationContext) *response {
	if isSubscription(operation) {
		refused := responseOf(exec.DispatchError(ctx, errorList(codes.InvalidArgument,
			"subscriptions are answered as "+mediaEvents+", or over a WebSocket")))
		refused.status = http.StatusNotAcceptable
		return refused
	}
	respond, inner := exec.DispatchOperation(ctx, operation)
	if r := respond(inner); r != nil {
		return responseOf(r)
	}
	return responseOf(exec.DispatchError(ctx, errorList(codes.UpstreamUnavailable, tookTooLong)))
}

// stream runs an operation and sends its response or, of a subscription, its responses, until send fails or ctx ends. A
// response without data is the last one.
func stream(ctx context.Context, exec graphql.GraphExecutor, operation *graphql.OperationContext, send func(*response) error) {
	ctx, cancel := context.WithCancel(ctx) // ends what the resolver has started
	defer cancel()
	respond, inner := exec.DispatchOperation(ctx, operation)
	for first := true; ; first = false {
		r := respond(inner)
		if r == nil && first && !isSubscription(operation) && ctx.Err() == nil {
			r = exec.DispatchError(ctx, errorList(codes.UpstreamUnavailable, tookTooLong))
		}
		if r == nil {
			return
		}
		one := responseOf(r)
		if err := send(one); err != nil || !one.executed {
			return
		}
	}
}

func isSubscription(operation *graphql.OperationContext) bool {
	return operation.Operation.Operation == ast.Subscription
}

// streams is a schema whose subscriptions may end with an error: one that the resolver adds to its own context before
// it closes its channel. gqlgen would lose it, for each event has a context of its own.
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
