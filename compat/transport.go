// Package compat serves the REST routes of the original app, those under /douyin/, as GraphQL operations.
//
// No route has code of its own. The table in routes.go names the operation of each route. The document of the operation
// defines parameters and response:
//
//	query Feed($latest_time: Timestamp) {            # the parameters of the route and their types
//	  _: feed(first: 30, publishedBefore: $latest_time) {
//	    video_list: nodes { play_url: playUrl … }    # the fields of the response and their names
//	    next_time: nextPublishedBefore
//	  }
//	}
//
// A [Transport] is added to a gqlgen server and shares its executor with the other transports:
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

// Config configures a Transport. Every field must be set.
type Config struct {
	// Schema is the schema of the executor.
	Schema *ast.Schema

	// Authenticate returns ctx with the user of the token, which is not empty. An error refuses the request as
	// UNAUTHENTICATED.
	Authenticate func(ctx context.Context, token string) (context.Context, error)

	// Spool stores a file of a request and returns it with a function that releases it. The function is called after the
	// response. If Spool fails, it must not leave a file. Its error passes the error presenter of the GraphQL server, so
	// the code TOO_LARGE of that presenter becomes status 413.
	Spool func(r io.Reader, filename, contentType string) (graphql.Upload, func(), error)
}

// Transport serves the requests under /douyin/. It is safe for concurrent use.
type Transport struct {
	config Config
	query  string // the text of all documents
	routes map[string]*route
}

var _ graphql.Transport = (*Transport)(nil)

// New returns the transport. If a document is not valid for the schema, the error names its file.
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

// Supports reports whether the path is under /douyin/, known or not.
func (t *Transport) Supports(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/douyin/")
}

// Do serves the request. A refusal has the same JSON form as a success.
func (t *Transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	route := t.routes[strings.TrimSuffix(r.URL.Path, "/")]
	switch {
	case route == nil:
		writeResponse(w, http.StatusNotFound, refuse(notFound, "there is no such route"), "")
	case r.Method != route.method:
		w.Header().Set("Allow", route.method)
		writeResponse(w, http.StatusMethodNotAllowed, refuse(invalidArgument, "the method must be "+route.method), "")
	default:
		op, fields, err := t.serve(r, route, exec)
		if err != nil {
			writeRefusal(w, op, err)
			return
		}
		writeResponse(w, http.StatusOK, nil, fields)
	}
}

// Refuse writes the refusal of a request that a middleware, such as a rate limiter, does not pass to Do. code is a
// value of extensions.code, such as RATE_LIMITED; an unknown one becomes INTERNAL.
func (t *Transport) Refuse(w http.ResponseWriter, r *http.Request, code, message string) {
	var op *operation
	if route := t.routes[strings.TrimSuffix(r.URL.Path, "/")]; route != nil && r.Method == route.method {
		op = route.operations[0]
	}
	writeRefusal(w, op, &gqlerror.Error{Message: message, Extensions: map[string]any{"code": code}})
}

// serve executes the operation of the request and returns the fields of the response. With an error it returns the
// operation too, if that is known, because a refusal has its fields.
func (t *Transport) serve(r *http.Request, route *route, exec graphql.GraphExecutor) (*operation, string, error) {
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
	case response == nil: // the context ended first
		return op, "", refuse(upstreamUnavailable, "the request was cut off, please try again")
	case len(response.Errors) > 0:
		return op, "", response.Errors[0]
	}
	fields, ok := op.response.write(string(response.Data))
	if !ok {
		return op, "", refuse(notFound, "what was asked for does not exist")
	}
	return op, fields, nil
}

// execute executes the operation. It returns nil if the context ends first.
func execute(ctx context.Context, exec graphql.GraphExecutor, params *graphql.RawParams) *graphql.Response {
	operation, errs := exec.CreateOperationContext(ctx, params)
	if errs != nil {
		return exec.DispatchError(graphql.WithOperationContext(ctx, operation), errs)
	}
	responses, ctx := exec.DispatchOperation(ctx, operation)
	return responses(ctx)
}

// present passes an error of Spool to the error presenter of the server, which logs it and sets its code.
func present(ctx context.Context, exec graphql.GraphExecutor, op *operation, err error) error {
	ctx = graphql.WithOperationContext(ctx, &graphql.OperationContext{OperationName: op.name})
	response := exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(err)})
	if response == nil || len(response.Errors) == 0 {
		return err
	}
	return response.Errors[0]
}
