package bff

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"minidouyin/graph"
	"minidouyin/idl/codes"
)

// restartPause is the time between the panic of a loop and its next run.
const restartPause = time.Second

// recoverPanics is middleware that turns a panic into an INTERNAL error, which refuse answers in the form of the route.
// An answer that has begun is cut off instead.
func recoverPanics(log *slog.Logger, refuse func(w http.ResponseWriter, r *http.Request, err error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				cause := recover()
				switch cause {
				case nil:
					return
				case http.ErrAbortHandler: // net/http's own way to end a connection
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

// keepRunning runs a loop until ctx ends. After a panic, which is logged, it starts the loop again.
func keepRunning(ctx context.Context, log *slog.Logger, name string, loop func(context.Context)) {
	run := recovered(func() error {
		loop(ctx)
		return nil
	})
	for {
		err := run()
		if err == nil || ctx.Err() != nil {
			return
		}
		log.Error("loop panicked, restarting it", "loop", name, "error", err)
		select {
		case <-time.After(restartPause):
		case <-ctx.Done():
			return
		}
	}
}

// recovered returns f with its panic as an error.
func recovered(f func() error) func() error {
	return func() (err error) {
		defer func() {
			if cause := recover(); cause != nil {
				err = fmt.Errorf("panic: %s", graph.DescribePanic(cause))
			}
		}()
		return f()
	}
}

// statusOf returns the HTTP status of an error that a middleware refuses a request with.
func statusOf(err error) int {
	if codes.Of(err) == codes.RateLimited {
		return http.StatusTooManyRequests
	}
	return http.StatusInternalServerError
}
