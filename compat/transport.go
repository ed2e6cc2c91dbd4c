// Package compat serves the REST contract of the original app, the routes under /douyin/, as GraphQL operations.
//
// No route has code of its own. The table in routes.go names the operation of each route, and the operation's document
// says the rest:
//
//	query Feed($latest_time: Timestamp) {            # the parameters of the route, and how their text is read
//	  _: feed(first: 30, publishedBefore: $latest_time) {
//	    video_list: nodes { play_url: playUrl … }    # the fields of the answer, by the names they have there
//	    next_time: nextPublishedBefore
//	  }
//	}
//
// A [Transport] stands beside the other transports of a gqlgen server and shares its executor with them:
//
//	rest, err := compat.New(compat.Config{Schema: schema, Authenticate: authenticate, Spool: spool})
//	server := handler.New(executableSchema)
//	server.AddTransport(rest)
package compat

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Config is what a Transport needs. Every field must be set.
type Config struct {
	// Schema is the schema that the executor serves.
	Schema *ast.Schema

	// Authenticate returns ctx with the identity that the token proves. It is called with non-empty tokens only; any
	// error of it refuses the request as UNAUTHENTICATED.
	Authenticate func(ctx context.Context, token string) (context.Context, error)

	// Spool stores a file while it arrives and returns it with a func that releases it, which is called when the
	// request is answered. When it fails it leaves nothing behind; its error goes through the error presenter of the
	// GraphQL server, so an error that is coded TOO_LARGE there answers 413.
	Spool func(r io.Reader, filename, contentType string) (graphql.Upload, func(), error)
}

// Transport answers the requests under /douyin/. It is safe for concurrent use.
type Transport struct {
	config Config
	query  string // all documents in one
	routes map[string]*route
}

var _ graphql.Transport = (*Transport)(nil)

// New returns the transport. It fails when a document does not fit the schema, and names the file.
func New(config Config) (*Transport, error) {
	if config.Schema == nil || config.Authenticate == nil || config.Spool == nil {
		return nil, errors.New("compat: Schema, Authenticate and Spool must be set")
	}
	query, operations, err := loadOperations(documents, config.Schema)
	if err != nil {
		return nil, err
	}
	routes, err := loadRoutes(operations)
	if err != nil {
		return nil, err
	}
	return &Transport{config: config, query: query, routes: routes}, nil
}

// Supports tells whether the request is one for the REST routes, known or unknown.
func (t *Transport) Supports(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/douyin/")
}

// Do answers the request, in the contract's envelope also when it refuses.
func (t *Transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	route := t.routes[strings.TrimSuffix(r.URL.Path, "/")]
	switch {
	case route == nil:
		writeAnswer(w, http.StatusNotFound, refuse(notFound, "there is no such route"), "")
	case r.Method != route.method:
		w.Header().Set("Allow", route.method)
		writeAnswer(w, http.StatusMethodNotAllowed, refuse(invalidArgument, "the method must be "+route.method), "")
	default:
		op, fields, err := t.answer(r, route, exec)
		if err != nil {
			writeRefusal(w, op, err)
			return
		}
		writeAnswer(w, http.StatusOK, nil, fields)
	}
}

// Refuse writes the refusal of a request that never reaches Do, for middleware such as a rate limiter. The code is one
// of the names in extensions.code, such as RATE_LIMITED; an unknown one counts as INTERNAL.
func (t *Transport) Refuse(w http.ResponseWriter, r *http.Request, code, message string) {
	var op *operation
	if route := t.routes[strings.TrimSuffix(r.URL.Path, "/")]; route != nil && r.Method == route.method {
		op = route.operations[0]
	}
	writeRefusal(w, op, &gqlerror.Error{Message: message, Extensions: map[string]any{"code": code}})
}

// answer returns the fields of a successful answer. The operation, where it is known, comes with an error too: a
// refusal holds its fields as well.
func (t *Transport) answer(r *http.Request, route *route, exec graphql.GraphExecutor) (*operation, string, error) {
	op := route.operations[0]
	params := &graphql.RawParams{Query: t.query, Headers: r.Header}
	params.ReadTime.Start = graphql.Now()

	in := newInput(t.config, r)
	defer in.release()
	err := in.read(op)
	ctx := in.request.Context()
	if own := (*refusal)(nil); err != nil && !errors.As(err, &own) {
		err = present(ctx, exec, op, err)
	}
	if err != nil {
		return op, "", err
	}
	if op, err = route.pick(in); err != nil {
		return op, "", err
	}
	if params.Variables, err = op.bind(in); err != nil {
		return op, "", err
	}
	params.OperationName = op.name
	params.ReadTime.End = graphql.Now()

	response := execute(ctx, exec, params)
	switch {
	case response == nil: // the context ended before the operation did
		return op, "", refuse(upstreamUnavailable, "the request was cut off, please try again")
	case len(response.Errors) > 0:
		return op, "", response.Errors[0]
	}
	fields, found := op.answer.write(string(response.Data))
	if !found {
		return op, "", refuse(notFound, "what was asked for does not exist")
	}
	return op, fields, nil
}

// execute runs the operation; the response is nil when the context has ended.
func execute(ctx context.Context, exec graphql.GraphExecutor, params *graphql.RawParams) *graphql.Response {
	operation, errs := exec.CreateOperationContext(ctx, params)
	if errs != nil {
		return exec.DispatchError(graphql.WithOperationContext(ctx, operation), errs)
	}
	responses, ctx := exec.DispatchOperation(ctx, operation)
	return responses(ctx)
}

// present passes an error from outside of the graph through the server's error presenter, which logs it and gives it
// its code.
func present(ctx context.Context, exec graphql.GraphExecutor, op *operation, err error) error {
	ctx = graphql.WithOperationContext(ctx, &graphql.OperationContext{OperationName: op.name})
	response := exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(err)})
	if response == nil || len(response.Errors) == 0 {
		return err
	}
	return response.Errors[0]
}
