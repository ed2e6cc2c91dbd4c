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
	"minidouyin/bff/rpc"
	"minidouyin/compat"
	"minidouyin/graph"
	graphlive "minidouyin/graph/live"
	"minidouyin/idl/codes"
)

const (
	stallTimeout = 30 * time.Second // a body makes progress within
	eventPause   = 5 * time.Second  // of a subscription that has returned too much
)

// Site is everything that is served.
type Site struct {
	http.Handler
	graphql  *gqlhttp.Server
	rest     *compat.Transport
	sessions *auth.Sessions
	rates    *limit.Rates
	live     *graphlive.Hub
	relay    *live.Relay // nil = no other processes
}

// Shutdown ends what outlives a response: WebSockets, with the code 1001, and streams of events. It waits for them until
// ctx ends, whose error it returns then.
func (s *Site) Shutdown(ctx context.Context) error { return s.graphql.Shutdown(ctx) }

// Close ends the events of subscriptions, after the last request. It waits until ctx ends, whose error it returns then.
func (s *Site) Close(ctx context.Context) error {
	err := s.live.Close(ctx)
	if s.relay != nil {
		err = errors.Join(err, s.relay.Close(ctx))
	}
	return err
}

// Listening returns how many subscriptions are open.
func (s *Site) Listening() int { return s.live.Open() }

// NewHandler returns the site of a valid configuration. It must be shut down and closed. deleted is called after an
// operation that may have deleted something.
func NewHandler(cfg Config, log *slog.Logger, services rpc.Services, files *media.Media, sessions *auth.Sessions, deleted func()) (*Site, error) {
	site := &Site{sessions: sessions, live: graphlive.NewHub(nil)}
	if cfg.Shared != nil {
		site.relay = live.New(cfg.Shared, log)
		site.live = site.relay.Hub()
	}
	schema := graph.NewSchema(graph.Config{
		Basics: services.Basics, Interaction: services.Interaction, Social: services.Social,
		Media: newMediaStore(cfg, files), IssueToken: sessions.Issue, Deleted: deleted, Live: site.live,
	})
	site.rates = limit.NewRates(cfg.RateLimit, cfg.SignInLimit, cfg.Shared)
	uploads := spooler{files, int64(cfg.MaxUpload)}
	var err error
	if site.rest, err = compat.New(compat.Config{Schema: schema.Schema(), Authenticate: sessions.Authenticate, Spool: uploads.spool}); err != nil {
		return nil, err
	}
	if site.graphql, err = site.newGraphQL(cfg, log, schema, uploads); err != nil {
		return nil, err
	}
	if site.Handler, err = site.routes(cfg, log, services, files); err != nil {
		return nil, err
	}
	if site.relay != nil {
		site.relay.Start()
	}
	return site, nil
}

// newGraphQL returns the server of /graphql.
func (s *Site) newGraphQL(cfg Config, log *slog.Logger, schema graphql.ExecutableSchema, uploads spooler) (*gqlhttp.Server, error) {
	return gqlhttp.NewServer(gqlhttp.Config{
		Schema: schema, Present: graph.Present(log), Recover: graph.Recover(log), RequestID: middleware.RequestID,
		Spool: uploads.spool, Limits: gqlhttp.DefaultLimits(), Guard: guard.DefaultLimits(), PageSize: graph.PageSizeFor,
		Introspection: cfg.Introspection, Origins: cfg.formOrigins(), Anonymous: anonymous,
		Trusted: cfg.trusted, TrustedOnly: cfg.TrustedOnly, Redis: cfg.Shared,
		Around:       []graphql.OperationMiddleware{middleware.RecordOperation, s.rates.Operations(guard.CostOf, eventPause)},
		Authenticate: s.sessions.Authenticate, ExpiresAt: auth.ExpiresAt,
		Acquire: limit.NewConcurrent(cfg.ConnectionLimit).Acquire,
		Begin: func(ctx context.Context) (context.Context, error) {
			return middleware.ForkRecord(ctx), s.rates.Take(ctx, limit.Work{Requests: 1})
		},
	})
}

// routes returns the handler of all routes.
func (s *Site) routes(cfg Config, log *slog.Logger, services rpc.Services, files *media.Media) (http.Handler, error) {
	page, err := root(cfg, services, newMediaStore(cfg, files))
	if err != nil {
		return nil, err
	}
	sameOrigin, err := auth.SameOrigin(cfg.PublicURL)
	if err != nil {
		return nil, err
	}
	https := strings.HasPrefix(cfg.PublicURL, "https://")
	uploads := limit.NewConcurrent(cfg.UploadLimit)

	r := chi.NewRouter()
	r.Use(chimiddleware.GetHead, middleware.Identify, middleware.ClientIP(cfg.TrustedProxies), middleware.LogRequests(log),
		middleware.Recover(log, refuseText), middleware.ExtendDeadlines(stallTimeout), middleware.BaseURL(cfg.PublicURL),
		middleware.SecurityHeaders(cfg.PublicURL), middleware.CORS(cfg.CORSOrigins))
	if cfg.Web {
		r.With(s.rates.Middleware(refuseText)).Mount("/", page)
	} else {
		r.Get("/", page.ServeHTTP)
	}
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { middleware.WriteText(w, http.StatusOK, "ok\n") })
	r.Get("/readyz", ready(services, files))
	r.Mount("/media", middleware.MediaDeadline(files))
	if cfg.Introspection {
		explorer := playground.Handler()
		r.Handle("/playground", explorer)
		r.Handle("/playground/*", explorer)
	}
	r.Group(func(r chi.Router) {
		r.Use(middleware.Recover(log, s.refuseGraphQL), middleware.APIHeaders, s.rates.Middleware(s.refuseGraphQL),
			uploads.Uploads(s.refuseGraphQL), s.sessions.Cookie(https), s.sessions.Bearer(s.refuseGraphQL))
		r.Handle("/graphql", s.graphql)
	})
	r.Group(func(r chi.Router) {
		r.Use(middleware.APIHeaders, s.rates.Middleware(refuseText), sameOrigin)
		r.Post("/session", s.sessions.Keep(https))
		r.Delete("/session", s.sessions.Forget(https))
	})
	r.Group(func(r chi.Router) {
		r.Use(middleware.Recover(log, s.refuseREST), middleware.APIHeaders, s.rates.Middleware(s.refuseREST),
			uploads.Uploads(s.refuseREST), listLimit(cfg.ListLimit))
		r.HandleFunc("/douyin/*", func(w http.ResponseWriter, r *http.Request) {
			s.rest.Do(w, r.WithContext(graphql.StartOperationTrace(r.Context())), s.graphql.Executor())
		})
	})
	return r, nil
}

// anonymous reports whether a request is anonymous. Its variant is what responses to such requests depend on beside the
// operation: the URL of this server, and the size of pages.
func anonymous(ctx context.Context) (variant string, ok bool) {
	size := graph.PageSizeOf(ctx)
	return fmt.Sprintf("%s %d %d", middleware.BaseURLOf(ctx), size.Default, size.Max), graph.ViewerID(ctx) == 0
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

func refuseText(w http.ResponseWriter, _ *http.Request, err error) {
	middleware.WriteText(w, middleware.StatusOf(err), codes.Message(err)+"\n")
}

func (s *Site) refuseREST(w http.ResponseWriter, r *http.Request, err error) {
	s.rest.Refuse(w, r, codes.Of(err).String(), codes.Message(err))
}

func (s *Site) refuseGraphQL(w http.ResponseWriter, r *http.Request, err error) {
	s.graphql.Refuse(w, r, middleware.StatusOf(err), err)
}
