package bff

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"

	"minidouyin/bff/auth"
	"minidouyin/bff/gqlhttp"
	"minidouyin/bff/gqlhttp/guard"
	"minidouyin/bff/limit"
	"minidouyin/bff/live"
	"minidouyin/bff/media"
	"minidouyin/bff/middleware"
	"minidouyin/bff/playground"
	"minidouyin/bff/redisguard"
	"minidouyin/bff/rpc"
	"minidouyin/compat"
	"minidouyin/graph"
	graphlive "minidouyin/graph/live"
	"minidouyin/idl/codes"
)

// Limits of a request. Those of files are in Config.
const (
	stallTimeout = 30 * time.Second // a body must bring something within
	pauseTime    = 5 * time.Second  // that a subscription waits which has returned too much
)

// Site is everything that is served.
type Site struct {
	http.Handler
	graph *gqlhttp.Server
	live  *graphlive.Hub
	relay *live.Relay // nil = no other processes
}

// Shutdown ends what is open beyond a single answer: sockets, with the code 1001, and streams of events. It waits for
// them until ctx ends, whose error it returns then.
func (s *Site) Shutdown(ctx context.Context) error { return s.graph.Shutdown(ctx) }

// Close ends what feeds subscriptions, after the last request. It waits until ctx ends, whose error it returns then.
func (s *Site) Close(ctx context.Context) error {
	err := s.live.Close(ctx)
	if s.relay != nil {
		err = errors.Join(err, s.relay.Close(ctx))
	}
	return err
}

// Listening returns how many subscriptions listen.
func (s *Site) Listening() int { return s.live.Open() }

// NewHandler returns the whole site of a configuration that was validated; it must be shut down and closed. deleted is
// called after an operation that may have left something to remove.
func NewHandler(cfg Config, log *slog.Logger, services rpc.Services, files *media.Media, sessions *auth.Sessions, deleted func()) (*Site, error) {
	site := &Site{live: graphlive.NewHub(nil)}
	if cfg.Shared != nil {
		site.relay = live.New(cfg.Shared, log)
		site.live = site.relay.Hub()
	}
	schema := graph.NewSchema(graph.Config{
		Basics: services.Basics, Interaction: services.Interaction, Social: services.Social,
		Media: newMediaStore(cfg, files), IssueToken: sessions.Issue, Deleted: deleted, Live: site.live,
	})
	spool := spooler{files, int64(cfg.MaxUpload)}
	rest, err := compat.New(compat.Config{Schema: schema.Schema(), Authenticate: sessions.Authenticate, Spool: spool.spool})
	if err != nil {
		return nil, err
	}

	var shared *redisguard.Redis
	if cfg.Shared != nil {
		shared = redisguard.New(cfg.Shared, log)
	}
	rates := limit.NewRates(cfg.RateLimit, cfg.SignInLimit, shared)
	uploads := limit.NewConcurrent(cfg.UploadLimit)
	server, err := gqlhttp.NewServer(gqlhttp.Config{
		Schema: schema, Spool: spool.spool, Limits: gqlhttp.DefaultLimits(), Guard: guard.DefaultLimits(), Introspection: cfg.Introspection,
		Present: graph.Present(log), Recover: graph.Recover(log),
		RequestID: func(ctx context.Context) string { return middleware.RecordOf(ctx).ID },
		Trusted:   cfg.trusted, TrustedOnly: cfg.TrustedOnly,
		Redis:     shared,
		Origins:   cfg.formOrigins(),
		PageSize:  graph.PageSizeFor,
		Anonymous: visitor,
		Around:    []graphql.OperationMiddleware{note, rates.Operations(guard.CostOf, pauseTime)},

		Authenticate: sessions.Authenticate, ExpiresAt: auth.ExpiresAt,
		Acquire: limit.NewConcurrent(cfg.ConnectionLimit).Acquire,
		Begin: func(ctx context.Context) (context.Context, error) {
			return middleware.Fork(ctx), rates.Take(ctx, limit.Work{Requests: 1})
		},
	})
	if err != nil {
		return nil, err
	}

	r := chi.NewRouter()
	r.Use(chimiddleware.GetHead, middleware.Identify, middleware.ClientIP(cfg.TrustedProxies), middleware.LogRequests(log), middleware.Recover(log, refuseText),
		middleware.MoveDeadlines(stallTimeout), middleware.BaseURL(cfg.PublicURL), middleware.SecurityHeaders(cfg.PublicURL), middleware.CORS(cfg.CORSOrigins))
	if cfg.Web {
		page, err := webClient(cfg, services, newMediaStore(cfg, files))
		if err != nil {
			return nil, err
		}
		r.With(rates.Middleware(refuseText)).Mount("/", page)
	} else {
		r.Get("/", welcome)
	}
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { middleware.WriteText(w, http.StatusOK, "ok\n") })
	r.Get("/readyz", ready(services, files))
	r.Mount("/media", middleware.PlayDeadline(files))
	if cfg.Introspection {
		page := playground.Handler()
		r.Handle("/playground", page)
		r.Handle("/playground/*", page)
	}
	https := strings.HasPrefix(cfg.PublicURL, "https://")
	r.With(middleware.Recover(log, refuseGraphQL(server)), middleware.NoContent, rates.Middleware(refuseGraphQL(server)), uploads.Uploads(refuseGraphQL(server)),
		sessions.Cookie(https), sessions.Bearer(refuseGraphQL(server))).Handle("/graphql", server)
	ownPages, err := auth.OwnPagesOnly(cfg.PublicURL)
	if err != nil {
		return nil, err
	}
	r.With(middleware.NoContent, rates.Middleware(refuseText), ownPages).Post("/session", sessions.Keep(https))
	r.With(middleware.NoContent, rates.Middleware(refuseText), ownPages).Delete("/session", sessions.Forget(https))
	r.With(middleware.Recover(log, refuseREST(rest)), middleware.NoContent, rates.Middleware(refuseREST(rest)), uploads.Uploads(refuseREST(rest)),
		listLimit(cfg.ListLimit)).HandleFunc("/douyin/*",
		func(w http.ResponseWriter, r *http.Request) {
			rest.Do(w, r.WithContext(graphql.StartOperationTrace(r.Context())), server.Executor())
		})
	site.Handler, site.graph = r, server
	if site.relay != nil {
		site.relay.Start()
	}
	return site, nil
}

// visitor returns what the answers to visitors depend on beside the operation; ok is false for a viewer.
func visitor(ctx context.Context) (variant string, ok bool) {
	size := graph.PageSizeOf(ctx)
	return fmt.Sprintf("%s %d %d", middleware.BaseURLOf(ctx), size.Default, size.Max), graph.ViewerID(ctx) == 0
}

// note writes down what the request log says of an operation: its name and the code of its first error.
func note(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	name := graphql.GetOperationContext(ctx).Operation.Name // chosen by the client, and as long as it likes
	middleware.RecordOf(ctx).Operation = name[:min(len(name), 64)]
	respond := next(ctx)
	return func(ctx context.Context) *graphql.Response {
		response := respond(ctx)
		if response != nil && len(response.Errors) > 0 {
			middleware.RecordOf(ctx).Code, _ = response.Errors[0].Extensions["code"].(string)
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
func ready(services rpc.Services, files *media.Media) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := services.Ready(ctx); err != nil {
			middleware.WriteText(w, http.StatusServiceUnavailable, "a service does not answer\n")
			return
		}
		if err := files.Ready(ctx); err != nil {
			middleware.WriteText(w, http.StatusOK, "ok, but the store of files does not answer\n")
			return
		}
		middleware.WriteText(w, http.StatusOK, "ok\n")
	}
}

func refuseText(w http.ResponseWriter, _ *http.Request, err error) {
	middleware.WriteText(w, middleware.StatusOf(err), codes.Message(err)+"\n")
}

func refuseREST(rest *compat.Transport) middleware.Refuse {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		rest.Refuse(w, r, codes.Of(err).String(), codes.Message(err))
	}
}

func refuseGraphQL(server *gqlhttp.Server) middleware.Refuse {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		server.Refuse(w, r, middleware.StatusOf(err), err)
	}
}
