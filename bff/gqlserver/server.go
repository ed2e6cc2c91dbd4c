// Package gqlserver serves a gqlgen schema to the web: GraphQL over HTTP as its specification says, with the limits that
// a server on the open internet needs.
//
// One concept, one file: a request is read (request.go, multipart.go), its answer's form is agreed on (accept.go), it is
// checked (csrf.go, guard.go, measure.go, cost.go), run and answered (server.go, response.go, errors.go), once for all
// who ask the same (share.go) and with leave to keep the answer (caching.go). The executor is gqlgen's own; other front doors, such as the REST routes, share it and its guards through [Server.Executor].
package gqlserver

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"golang.org/x/sync/singleflight"

	"minidouyin/bff/redisguard"
	"minidouyin/idl/codes"
)

// Config is what a server stands on. Every field but Origins, Admit, Visitor, Trusted, Redis and Around must be set.
type Config struct {
	Schema graphql.ExecutableSchema
	// Present turns errors into what clients see; Recover turns panics into errors.
	Present graphql.ErrorPresenterFunc
	Recover graphql.RecoverFunc
	// RequestID returns the id of the request, which every error holds.
	RequestID func(context.Context) string
	// Spool stores an uploaded file while it arrives and returns it with a func that frees it.
	Spool func(r io.Reader, filename, contentType string) (graphql.Upload, func(), error)
	// Limits bound every request; [DefaultLimits] suit most.
	Limits Limits
	// PageSize returns how many items a list has when the argument first or last, which would say it, is left out.
	PageSize func(ctx context.Context, argument string) int
	// Introspection lets clients ask for the schema; without it, errors do not suggest names either.
	Introspection bool
	// Origins are those of other sites whose pages may send files, as https://example.org.
	Origins []string
	// Admit is asked before an operation is run and returns why it may not, such as an error that is coded RateLimited.
	Admit func(ctx context.Context, operation *graphql.OperationContext) error
	// Visitor returns ok for who is nobody in particular: all such get the same answer to an operation, provided that
	// the variant is the same, such as the host that its URLs name. Without it, each gets an answer of one's own.
	Visitor func(ctx context.Context) (variant string, ok bool)
	// Trusted are documents that clients may name by their documentId; with TrustedOnly, [Server] runs no others.
	Trusted     Trusted
	TrustedOnly bool
	// Redis keeps automatic persisted queries for all processes that share it; nil = each process for itself.
	Redis *redisguard.Redis
	// Around is called around every operation, from the outside in.
	Around []graphql.OperationMiddleware
}

// Server is the GraphQL endpoint.
type Server struct {
	cfg     Config
	exec    *executor.Executor
	origins *http.CrossOriginProtection
	texts   *persisted
	flights singleflight.Group // answers that are being computed for several
}

var _ http.Handler = (*Server)(nil)

// New returns a server for the schema. It fails when one of the origins is none.
func New(cfg Config) (*Server, error) {
	s := &Server{cfg: cfg, exec: executor.New(cfg.Schema), origins: http.NewCrossOriginProtection(),
		texts: newPersisted(cfg.Trusted, cfg.TrustedOnly, cfg.Redis)}
	for _, origin := range cfg.Origins {
		if err := s.origins.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("trust origin: %w", err)
		}
	}
	cache := newDocumentCache()
	s.exec.SetErrorPresenter(s.present)
	s.exec.SetRecoverFunc(cfg.Recover)
	s.exec.SetQueryCache(cache)
	s.exec.SetParserTokenLimit(cfg.Limits.Tokens)
	s.exec.SetDisableSuggestion(!cfg.Introspection)
	if cfg.Introspection {
		s.exec.Use(extension.Introspection{})
	}
	s.exec.Use(guard{cfg.Limits, cache, cfg.PageSize})
	s.exec.AroundResponses(s.capErrors)
	s.exec.AroundOperations(s.bound)
	for _, around := range cfg.Around {
		s.exec.AroundOperations(around)
	}
	if cfg.Admit != nil {
		s.exec.AroundOperations(s.admit)
	}
	s.exec.AroundOperations(s.share)
	return s, nil
}

// Executor returns what runs the operations, for other front doors.
func (s *Server) Executor() graphql.GraphExecutor { return s.exec }

// bound gives every operation a deadline, which its calls to the services inherit.
func (s *Server) bound(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	respond := next(ctx)
	return func(ctx context.Context) *graphql.Response {
		ctx, cancel := context.WithTimeout(ctx, s.cfg.Limits.Timeout)
		defer cancel()
		return respond(ctx)
	}
}

// admit runs an operation if it is let in.
func (s *Server) admit(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if err := s.cfg.Admit(ctx, graphql.GetOperationContext(ctx)); err != nil {
		return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{s.present(ctx, err)}})
	}
	return next(ctx)
}

// ServeHTTP answers a GraphQL request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := graphql.StartOperationTrace(r.Context())
	r = r.WithContext(ctx)
	w.Header().Add("Vary", "Accept, Authorization")
	form, ok := negotiate(r)
	if !ok {
		s.fail(ctx, w, mediaJSON, &requestError{status: http.StatusNotAcceptable, code: codes.InvalidArgument,
			message: "the answer comes as " + mediaGraphQL + " or " + mediaJSON})
		return
	}
	if err := s.checkOrigin(r); err != nil {
		s.fail(ctx, w, form, err)
		return
	}
	batch, err := s.read(w, r)
	if err != nil {
		s.fail(ctx, w, form, err)
		return
	}
	defer batch.release()
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Limits.Timeout) // of all operations together
	defer cancel()
	responses := make([]*response, len(batch.params))
	for i, params := range batch.params {
		responses[i] = s.run(ctx, r.Method, params)
	}
	switch {
	case !batch.single:
		writeBatch(w, form, responses)
	case r.Method == http.MethodGet && responses[0].keep != "":
		writeCacheable(w, r, form, responses[0].keep, responses[0])
	default:
		responses[0].write(w, form)
	}
}

// run runs one operation.
func (s *Server) run(ctx context.Context, method string, params *graphql.RawParams) *response {
	if refusal := s.texts.resolve(ctx, params); refusal != nil {
		return answer(&graphql.Response{Errors: gqlerror.List{s.sign(ctx, refusal)}})
	}
	operation, errs := s.exec.CreateOperationContext(ctx, params)
	if errs != nil {
		return s.refused(graphql.WithOperationContext(ctx, operation), errs)
	}
	s.texts.remember(ctx, params)
	if operation.Operation.Operation != ast.Query && method == http.MethodGet {
		return &response{Response: &graphql.Response{Errors: s.coded(ctx, codes.InvalidArgument, "only queries can be sent with GET")},
			status: http.StatusMethodNotAllowed, allow: http.MethodPost}
	}
	respond, ctx := s.exec.DispatchOperation(ctx, operation)
	if r := respond(ctx); r != nil {
		a := answer(r)
		if a.executed && len(r.Errors) == 0 {
			_, visitor := s.visitor(ctx)
			a.keep = policyOf(s.cfg.Schema.Schema(), operation).cacheControl(visitor)
		}
		return a
	}
	return answer(&graphql.Response{Errors: s.coded(ctx, codes.UpstreamUnavailable, "the answer took too long, please try again")})
}
