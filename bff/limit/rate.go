// Package limit bounds what one client gets.
package limit

import (
	"context"
	"hash/fnv"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/go-chi/httprate"

	"minidouyin/bff/gqlhttp/guard"
	"minidouyin/bff/middleware"
	"minidouyin/bff/redisguard"
	"minidouyin/graph"
	"minidouyin/idl/codes"
)

// rateWindow is what the limits are for.
const rateWindow = time.Minute

// Rates bounds what one client gets in a minute. Work is counted in units: one for each request, and one for each item
// that an operation can bring, of a subscription with each of its answers; by viewer, or by address for visitors.
// Attempts to sign in and to register, which cost much and are how passwords are guessed, are counted by address.
// Processes with the same Redis count together, each without it for itself.
type Rates struct {
	work, signIns *limiter // nil = no limit
}

// NewRates returns limits of units of work and of attempts to sign in; 0 = no limit, shared nil = no other processes.
func NewRates(work, signIns int, shared *redisguard.Redis) *Rates {
	return &Rates{work: newLimiter(work, shared, "work"), signIns: newLimiter(signIns, shared, "signins")}
}

// limiter limits each client. It is made of several: one lets a client at a time through, as long as Redis takes.
type limiter [64]*httprate.RateLimiter

func newLimiter(limit int, shared *redisguard.Redis, name string) *limiter {
	if limit == 0 {
		return nil
	}
	options := []httprate.Option{httprate.WithResponseHeaders(httprate.ResponseHeaders{
		Limit: "RateLimit-Limit", Remaining: "RateLimit-Remaining", Reset: headerReset, RetryAfter: "Retry-After"})}
	if shared != nil {
		options = append(options, httprate.WithLimitCounter(newSharedCounter(shared, name)))
	}
	l := &limiter{}
	for i := range l {
		l[i] = httprate.NewRateLimiter(limit, rateWindow, options...)
	}
	return l
}

// of returns the part that counts for a client.
func (l *limiter) of(key string) *httprate.RateLimiter {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(key)) // never fails
	return l[sum.Sum32()%uint32(len(l))]
}

const headerReset = "RateLimit-Reset"

// caller is who a request is counted for.
type caller struct {
	address string
	header  http.Header // of the answer; nil where it has long been sent when operations are run
}

type callerKey struct{}

// Count is middleware that counts requests. refuse answers those that are too many.
func (l *Rates) Count(refuse middleware.Refuse) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			from := &caller{address: middleware.AddressOf(r), header: w.Header()}
			if r.Header.Get("Upgrade") != "" {
				from.header = nil
			}
			if err := take(l.work, from, "address "+from.address, 1); err != nil {
				refuse(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, from)))
		})
	}
}

// Begin counts an operation of a socket as a request, and returns a context of its own for it. It returns a RateLimited
// error when it is too much.
func (l *Rates) Begin(ctx context.Context) (context.Context, error) {
	if from, ok := ctx.Value(callerKey{}).(*caller); ok {
		if err := take(l.work, from, "address "+from.address, 1); err != nil {
			return nil, err
		}
	}
	return middleware.Fork(ctx), nil
}

// Admit counts an operation. It returns a RateLimited error when it is too much.
func (l *Rates) Admit(ctx context.Context, operation *graphql.OperationContext) error {
	from, ok := ctx.Value(callerKey{}).(*caller)
	if !ok {
		return nil // not asked over HTTP
	}
	signIns := 0
	for _, field := range graphql.CollectFields(operation, operation.Operation.SelectionSet, []string{"Mutation"}) {
		if field.Name == "login" || field.Name == "register" {
			signIns++
		}
	}
	if err := take(l.signIns, from, "address "+from.address, signIns); err != nil {
		return err
	}
	return l.Charge(ctx, guard.CostOf(operation))
}

// Charge counts units of work. It returns a RateLimited error when it is too much.
func (l *Rates) Charge(ctx context.Context, units int) error {
	from, ok := ctx.Value(callerKey{}).(*caller)
	if !ok {
		return nil // not asked over HTTP
	}
	key := "address " + from.address
	if viewer := graph.ViewerID(ctx); viewer != 0 {
		key = "viewer " + strconv.FormatInt(viewer, 10)
	}
	return take(l.work, from, key, units)
}

// take counts n units and says in the answer's header how many are left, and in how many seconds the window ends.
func take(limits *limiter, from *caller, key string, n int) error {
	if limits == nil || n == 0 {
		return nil
	}
	header := http.Header{}
	r := (&http.Request{}).WithContext(httprate.WithIncrement(context.Background(), n))
	limited := limits.of(key).OnLimit(headerOnly(header), r, key)
	if from.header != nil {
		if end, err := strconv.ParseInt(header.Get(headerReset), 10, 64); err == nil {
			header.Set(headerReset, strconv.FormatInt(max(0, end-time.Now().Unix()), 10))
		}
		maps.Copy(from.header, header)
	}
	if limited {
		return codes.Errorf(codes.RateLimited, "too much at once, please try again in a minute")
	}
	return nil
}

// headerOnly is where a limiter writes its headers.
type headerOnly http.Header

var _ http.ResponseWriter = headerOnly{}

func (h headerOnly) Header() http.Header       { return http.Header(h) }
func (headerOnly) Write(p []byte) (int, error) { return len(p), nil }
func (headerOnly) WriteHeader(int)             {}
