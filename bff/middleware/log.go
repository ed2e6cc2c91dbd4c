package middleware

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"minidouyin/graph"
)

// LogRequests is middleware that logs each request in one line, without its query, which may have a token.
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

// WithRequestID returns a log handler that adds the id and the user of the request to each line.
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
