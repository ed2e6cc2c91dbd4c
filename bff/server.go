package bff

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"minidouyin/bff/gqlserver"
	"minidouyin/bff/media"
	"minidouyin/bff/playground"
	"minidouyin/compat"
	"minidouyin/graph"
	"minidouyin/idl/codes"
)

// Limits of a request. Those of files are in Config.
const (
	stallTimeout  = 30 * time.Second // a body must bring something within
	answerTimeout = 2 * time.Minute  // an answer must be taken within
	playTimeout   = time.Hour        // a file must be taken within
)

// NewHandler returns the whole site. deleted is called after an operation that may have left something to remove.
func NewHandler(cfg Config, log *slog.Logger, services Services, files *media.Media, sessions *Sessions, deleted func()) (http.Handler, error) {
	schema := graph.NewSchema(graph.Config{
		Basics: services.Basics, Interaction: services.Interaction, Social: services.Social,
		Media: newMediaStore(cfg, files), IssueToken: sessions.Issue, Deleted: deleted,
	})
	spool := spooler{files, int64(cfg.MaxUpload)}
	rest, err := compat.New(compat.Config{Schema: schema.Schema(), Authenticate: sessions.Authenticate, Spool: spool.spool})
	if err != nil {
		return nil, err
	}

	trusted, err := cfg.trusted()
	if err != nil {
		return nil, err
	}
	rates := newRates(cfg)
	server, err := gqlserver.New(gqlserver.Config{
		Schema: schema, Spool: spool.spool, Limits: gqlserver.DefaultLimits(), Introspection: cfg.Introspection,
		Present: graph.Present(log), Recover: graph.Recover(log),
		RequestID: func(ctx context.Context) string { return recordOf(ctx).id },
		Trusted:   trusted, TrustedOnly: cfg.TrustedOnly,
		Origins: cfg.formOrigins(),
		Admit:   rates.admit,
		Around:  []graphql.OperationMiddleware{note},
	})
	if err != nil {
		return nil, err
	}

	r := chi.NewRouter()
	r.Use(middleware.GetHead, identify, clientIP(cfg.TrustedProxies), logRequests(log), recoverPanics(log),
		moveDeadlines(stallTimeout), baseURL(cfg.PublicURL), secure(cfg.PublicURL), crossOrigin(cfg.CORSOrigins))
	r.Get("/", welcome)
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") })
	r.Get("/readyz", ready(services, files))
	r.Mount("/media", playDeadline(files))
	if cfg.Introspection {
		page := playground.Handler()
		r.Handle("/playground", page)
		r.Handle("/playground/*", page)
	}
	r.With(noContent, rates.count(refuseGraphQL), sessions.bearer).Handle("/graphql", server)
	r.With(noContent, rates.count(refuseREST(rest)), listLimit(cfg.ListLimit)).HandleFunc("/douyin/*",
		func(w http.ResponseWriter, r *http.Request) {
			rest.Do(w, r.WithContext(graphql.StartOperationTrace(r.Context())), server.Executor())
		})
	return r, nil
}

// note writes down what the request log says of an operation: its name and the code of its first error.
func note(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	name := graphql.GetOperationContext(ctx).OperationName // chosen by the client, and as long as it likes
	recordOf(ctx).operation = name[:min(len(name), 64)]
	respond := next(ctx)
	return func(ctx context.Context) *graphql.Response {
		response := respond(ctx)
		if response != nil && len(response.Errors) > 0 {
			recordOf(ctx).code, _ = response.Errors[0].Extensions["code"].(string)
		}
		return response
	}
}

// listLimit is middleware that sets the size of lists for the REST routes.
func listLimit(limit int) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx := graph.WithPageSize(r.Context(), graph.PageSize{Default: limit, Max: max(limit, graph.ConversationPage)})
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// ready says whether this server should be sent requests. That the store of files is away is said but is no reason not
// to: all servers share the store, and pages, likes and chats go on without it.
func ready(services Services, files *media.Media) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := services.Ready(ctx); err != nil {
			writeText(w, http.StatusServiceUnavailable, "a service does not answer\n")
			return
		}
		if err := files.Ready(ctx); err != nil {
			writeText(w, http.StatusOK, "ok, but the store of files does not answer\n")
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

func refuseREST(rest *compat.Transport) func(http.ResponseWriter, *http.Request, error) {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		rest.Refuse(w, r, codes.Of(err).String(), codes.Message(err))
	}
}

func refuseGraphQL(w http.ResponseWriter, r *http.Request, err error) {
	writeGraphQLError(w, r, http.StatusTooManyRequests, err)
}

// writeGraphQLError answers with a single GraphQL error that has a code.
func writeGraphQLError(w http.ResponseWriter, r *http.Request, status int, err error) {
	shown := &gqlerror.Error{Message: codes.Message(err), Extensions: map[string]any{
		"code": codes.Of(err).String(), "requestId": recordOf(r.Context()).id}}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": gqlerror.List{shown}}) // the client may be gone
}
