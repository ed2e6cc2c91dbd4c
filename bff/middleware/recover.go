package middleware

import (
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5/middleware"

	"minidouyin/graph"
	"minidouyin/idl/codes"
)

// Refuse answers a request that middleware does not let through, in the form of its route.
type Refuse func(w http.ResponseWriter, r *http.Request, err error)

// Recover is middleware that turns a panic into an INTERNAL error, which refuse answers. A response that has begun is
// broken off.
func Recover(log *slog.Logger, refuse Refuse) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				cause := recover()
				switch cause {
				case nil:
					return
				case http.ErrAbortHandler: // by which net/http ends a connection
					panic(cause)
				}
				err := graph.Recover(log)(r.Context(), cause)
				if wrapped, ok := w.(middleware.WrapResponseWriter); ok && wrapped.Status() != 0 {
					panic(http.ErrAbortHandler)
				}
				refuse(w, r, err)
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// StatusOf returns the HTTP status of an error of middleware.
func StatusOf(err error) int {
	switch codes.Of(err) {
	case codes.RateLimited:
		return http.StatusTooManyRequests
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	default:
		return http.StatusInternalServerError
	}
}
