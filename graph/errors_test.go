package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"minidouyin/idl/codes"
)

// Clients get a code and its message, and no internal details.
func TestPresent(t *testing.T) {
	for _, c := range []struct {
		name          string
		err           error
		code, message string
	}{
		{"with a code", codes.Errorf(codes.NotFound, "no such video"), "NOT_FOUND", "no such video"},
		{"with a code, wrapped", gqlerror.Wrap(codes.Errorf(codes.TooLarge, "too large")), "TOO_LARGE", "too large"},
		{"internal", errors.New("SELECT failed"), "INTERNAL", "internal error"},
		{"deadline exceeded", fmt.Errorf("wait for a slot: %w", context.DeadlineExceeded), "UPSTREAM_UNAVAILABLE",
			"the answer took too long, please try again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			shown := Present(slog.New(slog.DiscardHandler))(t.Context(), c.err)
			require.Equal(t, c.code, shown.Extensions["code"])
			require.Equal(t, c.message, shown.Message)
		})
	}
}
