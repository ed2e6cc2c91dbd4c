package bff_test

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/bff"
	"minidouyin/idl/kitex_gen/basics"
)

// A file that cannot be removed keeps neither the site from starting nor the other files from going.
func TestSweepGoesOn(t *testing.T) {
	s := newSite(t)
	stuck, loose := "videos/aa/aaaaaaaaaaaaaaaaaaaaaaaaaa.mp4", "videos/bb/bbbbbbbbbbbbbbbbbbbbbbbbbb.mp4"
	for _, key := range []string{stuck, loose} {
		_, err := s.ground.Basics.ReserveFiles(t.Context(), &basics.ReserveFilesRequest{Keys: []string{key}})
		require.NoError(t, err)
	}
	path := func(key string) string { return filepath.Join(s.data, "blobs", key) }
	require.NoError(t, os.MkdirAll(filepath.Join(path(stuck), "a folder in its place"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Dir(path(loose)), 0o755))
	require.NoError(t, os.WriteFile(path(loose), []byte("x"), 0o644))

	ctx, stop := context.WithCancel(t.Context())
	ln, err := bff.Listen(ctx, "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	cfg := bff.Config{Data: s.data, TokenTTL: time.Hour, MaxUpload: 1 << 20, ListLimit: 1000, SoleWriter: true}
	go func() { ended <- bff.Run(ctx, cfg, slog.New(slog.DiscardHandler), s.ground, s.media, ln) }()
	require.Eventually(t, func() bool {
		response, err := http.Get("http://" + ln.Addr().String() + "/healthz")
		return err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusOK
	}, patience, 20*time.Millisecond)
	require.NoFileExists(t, path(loose))
	stop()
	require.NoError(t, <-ended)

	left, err := s.ground.Basics.ListRemovals(t.Context(), &basics.ListRemovalsRequest{Limit: 10})
	require.NoError(t, err)
	require.Len(t, left.Removals, 1)
	require.Equal(t, stuck, left.Removals[0].FileKey)
}
