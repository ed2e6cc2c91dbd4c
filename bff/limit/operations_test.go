package limit

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/go-chi/httprate"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
)

// reluctantCounter is at its limit two times of three.
type reluctantCounter struct {
	httprate.LimitCounter
	limit, reads int
	taken        []int
}

func (c *reluctantCounter) Get(string, time.Time, time.Time) (int, int, error) {
	if c.reads++; c.reads%3 != 0 {
		return c.limit, 0, nil
	}
	return 0, 0, nil
}

func (c *reluctantCounter) IncrementBy(_ string, _ time.Time, n int) error {
	c.taken = append(c.taken, n)
	return nil
}

// Every further event of a subscription is counted, several together when they return little. A subscription that has
// returned too much pauses, and goes on.
func TestSubscriptionsAreCounted(t *testing.T) {
	for name, c := range map[string]struct {
		items, events int
		taken         []int
	}{
		"much in each":   {151, 4, []int{151, 151, 151}},
		"little in each": {40, 8, []int{120, 120}},
	} {
		t.Run(name, func(t *testing.T) {
			counter := &reluctantCounter{limit: 1000, reads: 2} // the first one is let through
			rates := &Rates{units: &window{limit: counter.limit, counter: counter}}
			ctx := context.WithValue(t.Context(), clientKey{}, &client{header: http.Header{}})
			ctx = graphql.WithOperationContext(ctx, &graphql.OperationContext{Operation: &ast.OperationDefinition{Operation: ast.Subscription}})
			left := c.events
			respond := rates.Operations(func(*graphql.OperationContext) int { return c.items }, time.Millisecond)(ctx,
				func(context.Context) graphql.ResponseHandler {
					return func(context.Context) *graphql.Response {
						if left--; left < 0 {
							return nil
						}
						return &graphql.Response{}
					}
				})
			events := 0
			for respond(ctx) != nil {
				events++
			}
			require.Equal(t, c.events, events)
			require.Equal(t, append([]int{c.items}, c.taken...), counter.taken)
		})
	}
}
