package gqlhttp_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"minidouyin/bff/gqlhttp"
	"minidouyin/bff/gqlhttp/guard"
	"minidouyin/idl/codes"
)

// refuseAbove returns middleware that refuses operations by what they may return.
func refuseAbove(limited func(cost int) bool) graphql.OperationMiddleware {
	return func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		if limited(guard.CostOf(graphql.GetOperationContext(ctx))) {
			return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{
				{Message: "too much", Extensions: map[string]any{"code": codes.RateLimited.String()}}}})
		}
		return next(ctx)
	}
}

// An operation that middleware refuses is answered with 429 and never runs. A batch is 429 if all of it is refused.
func TestAdmit(t *testing.T) {
	left := 0
	s := newServer(t, func(cfg *gqlhttp.Config) {
		cfg.Around = append(cfg.Around, refuseAbove(func(cost int) bool {
			left -= cost
			return left < 0
		}))
	})
	const one = `{"query": "{ __typename }"}`
	for _, accept := range []string{"application/json", "application/graphql-response+json"} {
		left = 0
		a := s.send(t, http.MethodPost, "", one, "Accept", accept)
		require.Equal(t, http.StatusTooManyRequests, a.status)
		requireErrors(t, a.text)
	}
	require.Equal(t, http.StatusTooManyRequests, s.send(t, http.MethodPost, "", "["+one+","+one+"]").status)
	require.Zero(t, s.schema.executed.Load())
	left = 1
	a := s.send(t, http.MethodPost, "", "["+one+","+one+"]")
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.text, `[{"data":{"__typename":"Query"}},{"errors":`)
	require.EqualValues(t, 1, s.schema.executed.Load())
}
