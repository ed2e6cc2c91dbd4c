package bff

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"minidouyin/bff/media"
	"minidouyin/compat"
	"minidouyin/graph"
	"minidouyin/idl/codes"
)

// Limits of a request. Those of files are in Config.
const (
	maxBody          = 1 << 20          // bytes of a GraphQL document with its variables
	maxTokens        = 1500             // tokens of a document: the time to check one grows with their square
	operationTimeout = 60 * time.Second // from the whole request to the whole answer
	stallTimeout     = 30 * time.Second // a body must bring something within
	answerTimeout    = 2 * time.Minute  // an answer must be taken within
	playTimeout      = time.Hour        // a file must be taken within
)

// NewHandler returns the whole site. deleted is called after an operation that may have left something to remove.
func NewHandler(cfg Config, log *slog.Logger, services Services, files *media.Media, sessions *Sessions, deleted func()) (http.Handler, error) {
	schema := graph.NewSchema(graph.Config{
		Basics: services.Basics, Interaction: services.Interaction, Social: services.Social,
		Media: mediaStore{files}, IssueToken: sessions.Issue, Deleted: deleted,
	})
	spool := spooler{files, int64(cfg.MaxUpload)}
	rest, err := compat.New(compat.Config{Schema: schema.Schema(), Authenticate: sessions.Authenticate, Spool: spool.spool})
	if err != nil {
		return nil, err
	}

	server := handler.New(schema)
	server.AddTransport(rest)
	server.AddTransport(transport.GET{})
	server.AddTransport(transport.POST{})
	server.AddTransport(multipartForm{spool})
	server.SetQueryCache(lru.New[*ast.QueryDocument](100))
	server.SetParserTokenLimit(maxTokens)
	server.Use(answerLimit{})
	server.SetErrorPresenter(graph.Present(log))
	server.SetRecoverFunc(graph.Recover(log))
	server.AroundOperations(bound)
	server.AroundOperations(note)
	server.AroundResponses(noteRefusal)
	if cfg.Introspection {
		server.Use(extension.Introspection{})
	}

	r := chi.NewRouter()
	r.Use(middleware.GetHead, identify, logRequests(log), recoverPanics(log), moveDeadlines(stallTimeout), baseURL(cfg.PublicURL))
	r.Get("/", welcome)
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") })
	r.Get("/readyz", ready(services))
	r.Mount("/media", playDeadline(files))
	r.With(limitBody, sessions.bearer).Handle("/graphql", server)
	r.With(listLimit(cfg.ListLimit)).Handle("/douyin/*", server)
	return r, nil
}

// bound gives every operation a deadline, which its calls to the services inherit.
func bound(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	respond := next(ctx)
	return func(ctx context.Context) *graphql.Response {
		ctx, cancel := context.WithTimeout(ctx, operationTimeout)
		defer cancel()
		return respond(ctx)
	}
}

// note writes down what the request log says of an operation.
func note(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	name := graphql.GetOperationContext(ctx).OperationName // chosen by the client, and as long as it likes
	recordOf(ctx).operation = name[:min(len(name), 64)]
	return next(ctx)
}

// noteRefusal writes down the code of the first error.
func noteRefusal(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	response := next(ctx)
	if response != nil && len(response.Errors) > 0 {
		recordOf(ctx).code, _ = response.Errors[0].Extensions["code"].(string)
	}
	return response
}

// listLimit is middleware that sets the size of lists for the REST routes.
func listLimit(limit int) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx := graph.WithPageSize(r.Context(), graph.PageSize{Default: limit, Max: max(limit, 50)})
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// limitBody is middleware that refuses bodies over the limit; files have limits of their own.
func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isMultipart(r) {
			// gqlgen reads the whole body too, but answers as if one over the limit were merely broken.
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
			if errors.As(err, new(*http.MaxBytesError)) {
				writeGraphQLError(w, http.StatusRequestEntityTooLarge,
					codes.Errorf(codes.TooLarge, "a request has at most %d bytes", maxBody))
				return
			}
			if err != nil {
				writeGraphQLError(w, http.StatusBadRequest, codes.Errorf(codes.InvalidArgument, "the request broke off"))
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		next.ServeHTTP(w, r)
	})
}

func ready(services Services) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := services.Ready(ctx); err != nil {
			writeText(w, http.StatusServiceUnavailable, "a service does not answer\n")
			return
		}
		writeText(w, http.StatusOK, "ok\n")
	}
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the client may be gone
}

// writeGraphQLError answers with a single GraphQL error that has a code.
func writeGraphQLError(w http.ResponseWriter, status int, err error) {
	shown := &gqlerror.Error{Message: codes.Message(err)}
	errcode.Set(shown, codes.Of(err).String())
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(graphql.Response{Errors: gqlerror.List{shown}}) // the client may be gone
}
