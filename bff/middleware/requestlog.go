// Package middleware holds what every HTTP request passes before its route.
package middleware

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"minidouyin/graph"
)

// Record is what becomes known of a request while it is answered.
type Record struct {
	ID        string
	Operation string
	Code      string // of the first error, "" = none
}

type recordKey struct{}

// RecordOf returns the record of the request, an empty one outside of a request.
func RecordOf(ctx context.Context) *Record {
	if r, ok := ctx.Value(recordKey{}).(*Record); ok {
		return r
	}
	return &Record{}
}

// Identify is middleware that gives every request an id, in the answer's header X-Request-Id and in the log.
func Identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), recordKey{}, &Record{ID: id})))
	})
}

// Fork returns a context with a record of its own, for one of several operations of the same request.
func Fork(ctx context.Context) context.Context {
	return context.WithValue(ctx, recordKey{}, &Record{ID: RecordOf(ctx).ID})
}

// LogRequests is middleware that writes one line for each request. The query is left out: it may hold a token.
func LogRequests(log *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			wrapped := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
			defer func() {
				level := slog.LevelInfo
				if strings.HasPrefix(r.URL.Path, "/media/") || r.URL.Path == "/healthz" || r.URL.Path == "/readyz" {
					level = slog.LevelDebug
				}
				log.Log(r.Context(), level, "request", "method", r.Method, "path", r.URL.Path,
					"operation", RecordOf(r.Context()).Operation, "status", wrapped.Status(), "code", RecordOf(r.Context()).Code,
					"bytes", wrapped.BytesWritten(), "duration", time.Since(start))
			}()
			next.ServeHTTP(wrapped, r)
		})
	}
}

// WithRequestID returns a handler that adds the request's id to each line that is logged for it.
func WithRequestID(next slog.Handler) slog.Handler { return requestIDHandler{next} }

type requestIDHandler struct{ slog.Handler }

func (h requestIDHandler) Handle(ctx context.Context, line slog.Record) error {
	if id := RecordOf(ctx).ID; id != "" {
		line.AddAttrs(slog.String("request_id", id))
	}
	if viewer := graph.ViewerID(ctx); viewer != 0 {
		line.AddAttrs(slog.Int64("viewer", viewer))
	}
	return h.Handler.Handle(ctx, line)
}

func (h requestIDHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestIDHandler{h.Handler.WithAttrs(attrs)}
}

func (h requestIDHandler) WithGroup(name string) slog.Handler {
	return requestIDHandler{h.Handler.WithGroup(name)}
}
