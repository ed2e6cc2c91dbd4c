// Package limit bounds what one client gets: work and attempts to sign in by the minute, uploads and connections by
// their number at the same time.
package limit

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"minidouyin/bff/middleware"
	"minidouyin/graph"
	"minidouyin/idl/codes"
)

// Work is what a client asks for, in the units of the limits.
type Work struct {
	Requests int // counted by address
	SignIns  int // attempts to log in or to register, which are expensive and how passwords are guessed; by address
	Items    int // that an operation may return; by user, or by address for an anonymous request
}

// Rates limits what each client asks for in a minute. Requests and items are units of one limit, sign-ins have their
// own. Processes with the same Redis count together, without Redis each process counts for itself.
type Rates struct {
	units, signIns *window // nil = no limit
}

// NewRates returns limits for a minute; 0 = no limit, shared nil = no other processes.
func NewRates(units, signIns int, shared redis.UniversalClient) *Rates {
	return &Rates{units: newWindow(units, shared, "work"), signIns: newWindow(signIns, shared, "signins")}
}

// client is whom a request is counted for.
type client struct {
	address string
	header  http.Header // of the response; nil where it is sent before operations run
}

type clientKey struct{}

// Middleware counts each request, and lets [Rates.Take] count what it asks for.
func (l *Rates) Middleware(refuse middleware.Refuse) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			from := &client{address: middleware.AddressOf(r), header: w.Header()}
			if r.Header.Get("Upgrade") != "" {
				from.header = nil
			}
			ctx := context.WithValue(r.Context(), clientKey{}, from)
			if err := l.Take(ctx, Work{Requests: 1}); err != nil {
				refuse(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// Take counts work for the client of the context. It returns a RateLimited error when that is more than its limit
// allows. Work that no HTTP request asks for is not counted.
func (l *Rates) Take(ctx context.Context, work Work) error {
	from, ok := ctx.Value(clientKey{}).(*client)
	if !ok {
		return nil
	}
	address := "address " + from.address
	items := address
	if user := graph.ViewerID(ctx); user != 0 {
		items = "viewer " + strconv.FormatInt(user, 10)
	}
	for _, part := range []struct {
		window *window
		key    string
		n      int
	}{{l.units, address, work.Requests}, {l.signIns, address, work.SignIns}, {l.units, items, work.Items}} {
		if part.window == nil || part.n == 0 {
			continue
		}
		usage := part.window.take(part.key, part.n, time.Now().UTC())
		usage.writeTo(from.header)
		if usage.exceeded {
			return codes.Errorf(codes.RateLimited, "too much at once, please try again in a minute")
		}
	}
	return nil
}
