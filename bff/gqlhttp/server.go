// Package gqlhttp serves a gqlgen schema over HTTP, with the limits that a server on the open internet needs.
//
// It has the shape of gqlgen's own handler.Server: [New] takes a schema, [Server.AddTransport] adds a way in which
// requests come, Use and the Around methods add what happens around operations. [NewServer] puts together what this
// product serves. Each transport is a file: get.go, post.go, multipart.go, sse.go, websocket.go. Extensions are packages:
// guard limits what an operation asks for, documents finds the documents that clients name, httpcache says who may keep a
// response.
//
// gqlgen's handler.Server itself is not used, for these reasons:
//   - Its executor recovers panics of resolvers only, and can be neither replaced nor shared. Here a panic fails its
//     operation, over every transport and for the REST routes, which run their operations by [Server.Executor].
//   - It recovers what panics outside of operations itself, [http.ErrAbortHandler] included, and in one form.
//   - It answers a request that no transport supports with 400. GraphQL over HTTP has 405, 406 and 415.
//   - Its transports write errors as they like. Here each error has a code and the id of its request.
package gqlhttp

import (
	"context"
	"fmt"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"

	"minidouyin/bff/gqlhttp/documents"
	"minidouyin/idl/codes"
)

// Server answers GraphQL requests over the transports that were added to it.
type Server struct {
	exec        *executor.Executor // gqlgen's
	documents   *documents.Persisted
	transports  []graphql.Transport
	origins     *http.CrossOriginProtection
	connections *Connections

	presenter graphql.ErrorPresenterFunc
	recover   graphql.RecoverFunc
	requestID func(context.Context) string
}

var _ http.Handler = (*Server)(nil)

// New returns a server for the schema. It needs transports.
func New(schema graphql.ExecutableSchema) *Server {
	s := &Server{exec: executor.New(streams{schema}), origins: http.NewCrossOriginProtection(),
		presenter: graphql.DefaultErrorPresenter, requestID: func(context.Context) string { return "" }}
	s.connections = &Connections{open: map[*connection]struct{}{}, closed: make(chan struct{})}
	s.SetRecoverFunc(graphql.DefaultRecover)
	s.exec.SetErrorPresenter(s.present)
	return s
}

// AddTransport adds a transport. The first one that supports a request answers it.
func (s *Server) AddTransport(transport graphql.Transport) {
	s.transports = append(s.transports, transport)
}

// Use adds an extension. Extensions run in the order in which they were added.
func (s *Server) Use(extension graphql.HandlerExtension) { s.exec.Use(extension) }

// AroundOperations adds middleware of operations. An operation that it does not let run is answered with its errors,
// which must have codes.
func (s *Server) AroundOperations(f graphql.OperationMiddleware) { s.exec.AroundOperations(f) }

// AroundResponses adds middleware that runs for each response. A subscription has many.
func (s *Server) AroundResponses(f graphql.ResponseMiddleware) { s.exec.AroundResponses(f) }

// SetErrorPresenter sets what turns errors into those that clients see.
func (s *Server) SetErrorPresenter(f graphql.ErrorPresenterFunc) { s.presenter = f }

// SetRecoverFunc sets what logs a panic and returns the error of its operation.
func (s *Server) SetRecoverFunc(f graphql.RecoverFunc) {
	s.recover = f
	s.connections.recover = f
	s.exec.SetRecoverFunc(f)
}

// SetQueryCache sets the cache of valid documents.
func (s *Server) SetQueryCache(cache graphql.Cache[*ast.QueryDocument]) { s.exec.SetQueryCache(cache) }

// SetParserTokenLimit sets how many tokens a document has at most.
func (s *Server) SetParserTokenLimit(limit int) { s.exec.SetParserTokenLimit(limit) }

// SetDisableSuggestion sets whether errors suggest no names of the schema.
func (s *Server) SetDisableSuggestion(value bool) { s.exec.SetDisableSuggestion(value) }

// SetDocuments sets the documents that the requests of transports may name. Those of [Server.Executor] name none.
func (s *Server) SetDocuments(d *documents.Persisted) { s.documents = d }

// SetRequestID sets what returns the id of a request, which every error has.
func (s *Server) SetRequestID(f func(context.Context) string) { s.requestID = f }

// TrustOrigin lets the pages of an origin, such as https://example.org, send forms and open connections.
func (s *Server) TrustOrigin(origin string) error {
	if err := s.origins.AddTrustedOrigin(origin); err != nil {
		return fmt.Errorf("trust origin: %w", err)
	}
	return nil
}

// Connections returns the connections that outlive a response, for the transports that open them.
func (s *Server) Connections() *Connections { return s.connections }

// Executor returns what runs operations, for other front doors.
func (s *Server) Executor() graphql.GraphExecutor { return s.recovering(s.exec) }

// transportExecutor returns what runs the operations of transports.
func (s *Server) transportExecutor() graphql.GraphExecutor {
	if s.documents == nil {
		return s.Executor()
	}
	return s.recovering(documents.Executor{GraphExecutor: s.exec, Documents: s.documents})
}

func (s *Server) recovering(exec graphql.GraphExecutor) recovering {
	return recovering{exec: exec, recover: s.recover, sign: s.signAll}
}

// ServeHTTP answers a GraphQL request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = r.WithContext(graphql.StartOperationTrace(r.Context()))
	exec := s.transportExecutor()
	if !isUpgrade(r) {
		w.Header().Add("Vary", "Accept, Authorization")
		if _, ok := negotiate(r); !ok {
			fail(w, r, exec, &requestError{status: http.StatusNotAcceptable, code: codes.InvalidArgument,
				message: "the answer comes as " + mediaGraphQL + ", " + mediaJSON + " or " + mediaEvents})
			return
		}
	}
	if err := s.checkOrigin(r); err != nil {
		fail(w, r, exec, err)
		return
	}
	for _, transport := range s.transports {
		if transport.Supports(r) {
			transport.Do(w, r, exec)
			return
		}
	}
	fail(w, r, exec, unsupported(r))
}

// Refuse answers a request that middleware does not let through, with a status and an error that has a code.
func (s *Server) Refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	fail(w, r, s.Executor(), &requestError{status: status, code: codes.Of(err), message: codes.Message(err)})
}

// Shutdown ends all connections that outlive a response, see [Connections.Shutdown].
func (s *Server) Shutdown(ctx context.Context) error { return s.connections.Shutdown(ctx) }
