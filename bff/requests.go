package bff

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"minidouyin/graph"
)

// record is what becomes known of a request while it is answered.
type record struct {
	id        string
	operation string
	code      string // of the first error, "" = none
}

type recordKey struct{}

// recordOf returns the record of the request, an empty one outside of a request.
func recordOf(ctx context.Context) *record {
	if r, ok := ctx.Value(recordKey{}).(*record); ok {
		return r
	}
	return &record{}
}

// identify is middleware that gives every request an id, in the answer's header X-Request-Id and in the log.
func identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), recordKey{}, &record{id: id})))
	})
}

// fork returns a context with a record of its own, for one of several operations of the same request.
func fork(ctx context.Context) context.Context {
	return context.WithValue(ctx, recordKey{}, &record{id: recordOf(ctx).id})
}

// logRequests is middleware that writes one line for each request. The query is left out: it may hold a token.
func logRequests(log *slog.Logger) func(http.Handler) http.Handler {
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
					"operation", recordOf(r.Context()).operation, "status", wrapped.Status(), "code", recordOf(r.Context()).code,
					"bytes", wrapped.BytesWritten(), "duration", time.Since(start))
			}()
			next.ServeHTTP(wrapped, r)
		})
	}
}

// moveDeadlines is middleware that ends a connection whose client stalls: the body must go on within the time given,
// and the answer must be taken within answerTimeout.
func moveDeadlines(stall time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := &movingBody{ReadCloser: r.Body, connection: http.NewResponseController(w), stall: stall}
			if r.Body == http.NoBody {
				body.stall = 0
			}
			body.extend()
			r.Body = body
			next.ServeHTTP(w, r)
		})
	}
}

// playDeadline gives the reader of a file more time than that of an answer.
func playDeadline(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(playTimeout))
		next.ServeHTTP(w, r)
	})
}

// movingBody moves the deadlines on as long as the body brings something. Once it has ended there is no deadline to
// read: net/http then waits for the client to go away, and would take a deadline that passes for that.
type movingBody struct {
	io.ReadCloser
	connection *http.ResponseController
	stall      time.Duration // 0 = there is nothing left to read
	moved      time.Time
}

func (b *movingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		b.stall = 0
		b.extend()
	case n > 0 && time.Since(b.moved) > b.stall/30:
		b.extend()
	}
	return n, err
}

func (b *movingBody) extend() {
	b.moved = time.Now()
	var readBy time.Time
	if b.stall > 0 {
		readBy = b.moved.Add(b.stall)
	}
	// Only connections that cannot have deadlines, such as those of tests, return an error.
	_ = b.connection.SetReadDeadline(readBy)
	_ = b.connection.SetWriteDeadline(b.moved.Add(answerTimeout))
}

// WithRequestID returns a handler that adds the request's id to each line that is logged for it.
func WithRequestID(next slog.Handler) slog.Handler { return requestIDHandler{next} }

type requestIDHandler struct{ slog.Handler }

func (h requestIDHandler) Handle(ctx context.Context, line slog.Record) error {
	if id := recordOf(ctx).id; id != "" {
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
