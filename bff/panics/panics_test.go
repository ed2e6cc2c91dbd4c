package panics

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

// A loop that panics is started again until its context ends.
func TestKeepRunning(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	KeepRunning(ctx, slog.New(slog.DiscardHandler), "test", func(context.Context) {
		if runs++; runs == 2 {
			cancel()
		}
		panic("oh")
	})
	require.Equal(t, 2, runs)
	KeepRunning(t.Context(), slog.New(slog.DiscardHandler), "test", func(context.Context) { runs++ })
	require.Equal(t, 3, runs, "a loop that returns has ended")
	require.ErrorContains(t, Recovered(func() error { panic(errors.New("oh")) })(), "panic: oh")
}
