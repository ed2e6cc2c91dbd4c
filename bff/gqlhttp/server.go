// Package gqlhttp serves a gqlgen schema to the web: GraphQL over HTTP as its specification says, with the limits that
// a server on the open internet needs.
//
// One concept, one file: a request is read (request.go, multipart.go), its answer's form is agreed on (accept.go), it is
// checked (csrf.go, guard.go, measure.go, cost.go), run and answered (server.go, response.go, errors.go), once for all
// who ask the same (share.go) and with leave to keep the answer (caching.go). What goes on after the first answer
// (subscription.go) is sent over a WebSocket (websocket.go) or as events (sse.go), and ends in time when the server does
// (connections.go). The executor is gqlgen's own; other front doors, such as the REST routes, share it and its guards
// through [Server.Executor].
package gqlhttp

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"minidouyin/bff/gqlhttp/documents"
	"minidouyin/bff/gqlhttp/guard"
	"minidouyin/bff/gqlhttp/httpcache"
	"minidouyin/bff/redisguard"
	"minidouyin/idl/codes"
)

// Config is what a server stands on. Every field but Origins, Visitor, Trusted, Redis, Around and those
// behind it must be set.
type Config struct {
	Schema graphql.ExecutableSchema
	// Present turns errors into what clients see; Recover turns panics into errors.
	Present graphql.ErrorPresenterFunc
	Recover graphql.RecoverFunc
	// RequestID returns the id of the request, which every error holds.
	RequestID func(context.Context) string
	// Spool stores an uploaded file while it arrives and returns it with a func that frees it.
	Spool func(r io.Reader, filename, contentType string) (graphql.Upload, func(), error)
	// Limits bound every request, Guard every operation; the default ones suit most.
	Limits Limits
	Guard  guard.Limits
	// PageSize returns how many items a list has when the argument first or last, which would say it, is left out.
	PageSize func(ctx context.Context, argument string) int
	// Introspection lets clients ask for the schema; without it, errors do not suggest names either.
	Introspection bool
	// Origins are those of other sites whose pages may send files, as https://example.org.
	Origins []string
	// Visitor returns ok for who is nobody in particular: all such get the same answer to an operation, provided that
	// the variant is the same, such as the host that its URLs name. Without it, each gets an answer of one's own.
	Visitor func(ctx context.Context) (variant string, ok bool)
	// Trusted are documents that clients may name by their documentId; with TrustedOnly, [Server] runs no others.
	Trusted     documents.Trusted
	TrustedOnly bool
	// Redis keeps automatic persisted queries for all processes that share it; nil = each process for itself.
	Redis *redisguard.Redis
	// Around is called around every operation, from the outside in. An operation that it does not let run is answered with
	// its errors, which have codes.
	Around []graphql.OperationMiddleware
	// Authenticate returns a context in which the bearer of a token asks. Without it, sockets take no tokens.
	Authenticate func(ctx context.Context, token string) (context.Context, error)
	// ExpiresAt returns when the one who asks stops to be who he is, the zero time for never.
	ExpiresAt func(ctx context.Context) time.Time
	// Acquire counts a connection of a client until release is called. ok is false when the client has too many.
	Acquire func(r *http.Request) (release func(), ok bool)
	// Begin is asked before an operation of a socket is read. It returns the context of this one, for several run at the
	// same time, or why it is not taken.
	Begin func(ctx context.Context) (context.Context, error)
}

// Server is the GraphQL endpoint.
type Server struct {
	cfg     Config
	exec    recovering
	origins *http.CrossOriginProtection
	texts   *documents.Persisted
	cache   *httpcache.Cache
	open    *connections
}

var _ http.Handler = (*Server)(nil)

// New returns a server for the schema. It fails when one of the origins is none.
func New(cfg Config) (*Server, error) {
	exec := executor.New(streams{cfg.Schema})
	s := &Server{cfg: cfg, origins: http.NewCrossOriginProtection(),
		texts: documents.New(cfg.Trusted, cfg.TrustedOnly, cfg.Redis), open: newConnections()}
	s.cache = &httpcache.Cache{Schema: cfg.Schema, Anonymous: cfg.Visitor, Timeout: cfg.Limits.Timeout, Sign: s.sign}
	for _, origin := range cfg.Origins {
		if err := s.origins.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("trust origin: %w", err)
		}
	}
	s.exec = recovering{exec, cfg.Recover, s.signAll}
	cache := documents.NewCache()
	exec.SetErrorPresenter(s.present)
	exec.SetRecoverFunc(cfg.Recover)
	exec.SetQueryCache(cache)
	exec.SetParserTokenLimit(cfg.Guard.Tokens)
	exec.SetDisableSuggestion(!cfg.Introspection)
	if cfg.Introspection {
		exec.Use(extension.Introspection{})
	}
	exec.Use(guard.Guard{Limits: cfg.Guard, Cache: cache, PageSize: cfg.PageSize})
	exec.AroundResponses(s.capErrors)
	exec.AroundOperations(s.bound)
	for _, around := range cfg.Around {
		exec.AroundOperations(around)
	}
	exec.AroundOperations(s.cache.Share)
	return s, nil
}

// Executor returns what runs the operations, for other front doors.
func (s *Server) Executor() graphql.GraphExecutor { return s.exec }

// bound gives every operation a deadline, which its calls to the services inherit. A subscription has none as a whole.
func (s *Server) bound(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	respond := next(ctx)
	if isSubscription(graphql.GetOperationContext(ctx)) {
		return respond
	}
	return func(ctx context.Context) *graphql.Response {
		ctx, cancel := context.WithTimeout(ctx, s.cfg.Limits.Timeout)
		defer cancel()
		return respond(ctx)
	}
}

// ServeHTTP answers a GraphQL request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := graphql.StartOperationTrace(r.Context())
	r = r.WithContext(ctx)
	if isUpgrade(r) {
		s.serveSocket(w, r)
		return
	}
	w.Header().Add("Vary", "Accept, Authorization")
	form, ok := negotiate(r)
	if !ok {
		s.fail(ctx, w, mediaJSON, &requestError{status: http.StatusNotAcceptable, code: codes.InvalidArgument,
			message: "the answer comes as " + mediaGraphQL + ", " + mediaJSON + " or " + mediaEvents})
		return
	}
	if form == mediaEvents {
		s.serveEvents(w, r)
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
		if batch.unread[params] {
			responses[i] = answer(&graphql.Response{Errors: s.coded(ctx, codes.InvalidArgument,
				"the file was not read, as another operation of the request cannot be run")})
			continue
		}
		responses[i] = s.run(ctx, r.Method, params)
	}
	switch {
	case !batch.single:
		writeBatch(w, form, responses)
	case r.Method == http.MethodGet && responses[0].keep != "" && w.Header().Get("Set-Cookie") == "": // a cookie is for one client
		httpcache.Write(w, r, form, responses[0].keep, encode(responses[0]))
	default:
		responses[0].write(w, form)
	}
}

// prepare finds the document of an operation and checks it. What may not be run is refused.
func (s *Server) prepare(ctx context.Context, params *graphql.RawParams) (_ *graphql.OperationContext, refused *response) {
	if refusal := s.texts.Resolve(ctx, params); refusal != nil {
		return nil, answer(&graphql.Response{Errors: gqlerror.List{s.sign(ctx, refusal)}})
	}
	operation, errs := s.exec.CreateOperationContext(ctx, params)
	if errs != nil {
		return nil, s.refused(graphql.WithOperationContext(ctx, operation), errs)
	}
	s.texts.Remember(ctx, params)
	return operation, nil
}

// run runs one operation. A panic is its error, so that the other operations of a batch are answered.
func (s *Server) run(ctx context.Context, method string, params *graphql.RawParams) (result *response) {
	defer func() {
		if cause := recover(); cause != nil {
			result = s.panicked(ctx, cause)
		}
	}()
	operation, refused := s.prepare(ctx, params)
	if refused != nil {
		return refused
	}
	if isSubscription(operation) {
		return &response{Response: &graphql.Response{Errors: s.coded(ctx, codes.InvalidArgument, "subscriptions are answered as "+mediaEvents+", or over a WebSocket")},
			status: http.StatusNotAcceptable}
	}
	if operation.Operation.Operation != ast.Query && method == http.MethodGet {
		return &response{Response: &graphql.Response{Errors: s.coded(ctx, codes.InvalidArgument, "only queries can be sent with GET")},
			status: http.StatusMethodNotAllowed, allow: http.MethodPost}
	}
	respond, ctx := s.exec.DispatchOperation(ctx, operation)
	if r := respond(ctx); r != nil {
		a := answer(r)
		if a.executed && len(r.Errors) == 0 {
			a.keep = s.cache.Control(ctx, operation)
		}
		return a
	}
	return answer(&graphql.Response{Errors: s.coded(ctx, codes.UpstreamUnavailable, "the answer took too long, please try again")})
}
