package gqlhttp_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"minidouyin/bff/gqlhttp"
	"minidouyin/bff/gqlhttp/guard"
	"minidouyin/idl/codes"
)

// An operation that is not let in is answered with 429 and never run; a batch says 429 when none of it is let in.
func TestAdmit(t *testing.T) {
	left := 0
	s := newServer(t, func(cfg *gqlhttp.Config) {
		cfg.Admit = func(_ context.Context, operation *graphql.OperationContext) error {
			if left -= guard.CostOf(operation); left < 0 {
				return codes.Errorf(codes.RateLimited, "too much")
			}
			return nil
		}
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
