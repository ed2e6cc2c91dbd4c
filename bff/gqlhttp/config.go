package gqlhttp

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/redis/go-redis/v9"

	"minidouyin/bff/gqlhttp/documents"
	"minidouyin/bff/gqlhttp/guard"
	"minidouyin/bff/gqlhttp/httpcache"
)

// Config is what [NewServer] puts together. Schema, Present, Recover, RequestID, Spool, Limits, Guard and PageSize must
// be set.
type Config struct {
	Schema graphql.ExecutableSchema
	// Present turns errors into those that clients see; Recover logs a panic and returns the error of its operation.
	Present graphql.ErrorPresenterFunc
	Recover graphql.RecoverFunc
	// RequestID returns the id of the request, which every error has.
	RequestID func(context.Context) string
	// Spool stores an uploaded file while it arrives. release removes it.
	Spool Spool
	// Limits bound every request, Guard every operation; the default ones suit most.
	Limits Limits
	Guard  guard.Limits
	// PageSize returns how many items a list has without the argument first or last, which is named.
	PageSize func(ctx context.Context, argument string) int
	// Introspection lets clients read the schema. Without it, errors do not suggest names of the schema either.
	Introspection bool
	// Origins are those of other sites whose pages may send files and open connections, such as https://example.org.
	Origins []string
	// Anonymous reports whether the request is anonymous. Anonymous requests with the same variant, such as the host of
	// their URLs, may share a response. Without it, no requests do.
	Anonymous Anonymous
	// Trusted are documents that clients may name by their documentId. With TrustedOnly no others are run.
	Trusted     documents.Trusted
	TrustedOnly bool
	// Redis keeps automatic persisted queries for all processes that share it; nil = each process for itself.
	Redis redis.UniversalClient
	// Around is called around every operation, see [Server.AroundOperations].
	Around []graphql.OperationMiddleware
	// Authenticate returns a context with the user of a token. Without it, WebSockets take no tokens.
	Authenticate func(ctx context.Context, token string) (context.Context, error)
	// ExpiresAt returns when the caller's token expires; zero means never.
	ExpiresAt func(ctx context.Context) time.Time
	// Acquire counts a connection of a client until release is called. ok is false when the client has too many.
	Acquire func(r *http.Request) (release func(), ok bool)
	// Begin is called before an operation of a WebSocket is read. It returns the context of this operation, or why it is
	// refused.
	Begin func(ctx context.Context) (context.Context, error)
}

// Spool stores a file while it arrives. release removes it.
type Spool func(r io.Reader, filename, contentType string) (upload graphql.Upload, release func(), err error)

// Anonymous reports whether a request is anonymous, and returns what the responses to such requests depend on beside
// the operation.
type Anonymous func(ctx context.Context) (variant string, ok bool)

// NewServer returns a server with all transports and extensions. It fails when one of the origins is none.
func NewServer(cfg Config) (*Server, error) {
	s := New(cfg.Schema)
	s.SetErrorPresenter(cfg.Present)
	s.SetRecoverFunc(cfg.Recover)
	s.SetRequestID(cfg.RequestID)
	for _, origin := range cfg.Origins {
		if err := s.TrustOrigin(origin); err != nil {
			return nil, err
		}
	}
	valid := documents.NewCache()
	s.SetQueryCache(valid)
	s.SetParserTokenLimit(cfg.Guard.Tokens)
	s.SetDisableSuggestion(!cfg.Introspection)
	s.SetDocuments(documents.New(cfg.Trusted, cfg.TrustedOnly, cfg.Redis))
	if cfg.Introspection {
		s.Use(extension.Introspection{})
	}
	s.Use(guard.Guard{Limits: cfg.Guard, Cache: valid, PageSize: cfg.PageSize})
	s.AroundResponses(capErrors(cfg.Limits.Errors))
	s.AroundOperations(bound(cfg.Limits.Timeout))
	for _, around := range cfg.Around {
		s.AroundOperations(around)
	}
	cache := &httpcache.Cache{Schema: cfg.Schema, Anonymous: cfg.Anonymous, Timeout: cfg.Limits.Timeout, Sign: s.sign}
	s.AroundOperations(cache.Share)

	form := MultipartForm{Limits: cfg.Limits, Spool: cfg.Spool, Anonymous: cfg.Anonymous}
	s.AddTransport(WebSocket{Limits: cfg.Limits, Connections: s.Connections(), Acquire: cfg.Acquire,
		Authenticate: cfg.Authenticate, ExpiresAt: cfg.ExpiresAt, Begin: cfg.Begin})
	s.AddTransport(SSE{Limits: cfg.Limits, Connections: s.Connections(), Acquire: cfg.Acquire, ExpiresAt: cfg.ExpiresAt, Form: form})
	s.AddTransport(GET{Limits: cfg.Limits, Cache: cache})
	s.AddTransport(POST{Limits: cfg.Limits})
	s.AddTransport(form)
	return s, nil
}
