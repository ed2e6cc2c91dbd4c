// Package gqlserver serves a gqlgen schema to the web: GraphQL over HTTP as its specification says, with the limits that
// a server on the open internet needs.
//
// One concept, one file: a request is read (request.go, multipart.go), its answer's form is agreed on (accept.go), it is
// run and answered (server.go, response.go). The executor is gqlgen's own; other front doors, such as the REST routes,
// share it through [Server.Executor].
package gqlserver

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Config is what a server stands on.
type Config struct {
	Schema graphql.ExecutableSchema
	// Present turns errors into what clients see; Recover turns panics into errors.
	Present graphql.ErrorPresenterFunc
	Recover graphql.RecoverFunc
	// Spool stores an uploaded file while it arrives and returns it with a func that frees it.
	Spool func(r io.Reader, filename, contentType string) (graphql.Upload, func(), error)
	// Introspection lets clients ask for the schema; without it, errors do not suggest names either.
	Introspection bool
	// Around is called around every operation, from the outside in.
	Around []graphql.OperationMiddleware
}

// Limits of a request.
const (
	maxBody          = 1 << 20          // bytes of a document with its variables
	maxTokens        = 3000             // tokens of a document
	maxFields        = 2000             // fields of an operation, its fragments written out
	maxBatch         = 10               // operations in one request
	operationTimeout = 60 * time.Second // from the whole request to the whole answer
)

// Server is the GraphQL endpoint.
type Server struct {
	cfg  Config
	exec *executor.Executor
}

var _ http.Handler = (*Server)(nil)

// New returns a server for the schema.
func New(cfg Config) *Server {
	exec := executor.New(cfg.Schema)
	exec.SetErrorPresenter(cfg.Present)
	exec.SetRecoverFunc(cfg.Recover)
	exec.SetQueryCache(lru.New[*ast.QueryDocument](100))
	exec.SetParserTokenLimit(maxTokens)
	exec.SetDisableSuggestion(!cfg.Introspection)
	if cfg.Introspection {
		exec.Use(extension.Introspection{})
	}
	exec.Use(fieldLimit(maxFields))
	exec.AroundOperations(bound)
	for _, around := range cfg.Around {
		exec.AroundOperations(around)
	}
	return &Server{cfg: cfg, exec: exec}
}

// Executor returns what runs the operations, for other front doors.
func (s *Server) Executor() graphql.GraphExecutor { return s.exec }

// bound gives every operation a deadline, which its calls to the services inherit.
func bound(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if graphql.GetOperationContext(ctx).Operation.Operation == ast.Subscription {
		return next(ctx) // lives as long as its client
	}
	respond := next(ctx)
	return func(ctx context.Context) *graphql.Response {
		ctx, cancel := context.WithTimeout(ctx, operationTimeout)
		defer cancel()
		return respond(ctx)
	}
}

// ServeHTTP answers a GraphQL request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = r.WithContext(graphql.StartOperationTrace(r.Context()))
	w.Header().Add("Vary", "Accept")
	form, ok := negotiate(r)
	if !ok {
		fail(w, mediaJSON, &requestError{status: http.StatusNotAcceptable, code: "INVALID_ARGUMENT",
			message: "the answer comes as " + mediaGraphQL + " or " + mediaJSON})
		return
	}
	batch, err := s.read(w, r)
	if err != nil {
		fail(w, form, err)
		return
	}
	defer batch.release()
	responses := make([]*response, len(batch.params))
	for i, params := range batch.params {
		responses[i] = s.run(r, params)
	}
	if batch.single {
		responses[0].write(w, form)
		return
	}
	writeBatch(w, form, responses)
}

// run runs one operation.
func (s *Server) run(r *http.Request, params *graphql.RawParams) *response {
	ctx := r.Context()
	operation, errs := s.exec.CreateOperationContext(ctx, params)
	if errs != nil {
		return s.refused(graphql.WithOperationContext(ctx, operation), errs)
	}
	if operation.Operation.Operation != ast.Query && r.Method == http.MethodGet {
		return methodNotAllowed()
	}
	if operation.Operation.Operation == ast.Subscription {
		return s.refused(ctx, gqlerror.List{gqlerror.Errorf("subscriptions need a websocket or server-sent events")})
	}
	respond, ctx := s.exec.DispatchOperation(ctx, operation)
	return &response{Response: respond(ctx), executed: true}
}
