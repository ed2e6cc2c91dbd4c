package blob_test

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"minidouyin/bff/media/blob"
	"minidouyin/bff/media/blob/blobtest"
)

func mustOpen(t *testing.T, cfg blob.Config) blob.Store {
	t.Helper()
	cfg.Folder, cfg.Log = filepath.Join(t.TempDir(), "blobs"), slog.New(slog.DiscardHandler)
	s, err := blob.Open(t.Context(), cfg)
	require.NoError(t, err)
	return s
}

// mustPut stores content under a key.
func mustPut(t *testing.T, s blob.Store, key string, content []byte) {
	t.Helper()
	temp := filepath.Join(t.TempDir(), "temp")
	require.NoError(t, os.WriteFile(temp, content, 0o600))
	require.NoError(t, s.Put(t.Context(), temp, key))
}

// Every kind of store returns what was put into it, from any offset, until it is removed.
func TestStores(t *testing.T) {
	blobtest.Each(t, func(t *testing.T, cfg blob.Config) {
		s := mustOpen(t, cfg)
		content := blobtest.Noise(100_000)
		mustPut(t, s, blobtest.Key, content)
		require.NoError(t, s.Ready(t.Context()))

		f, err := s.Open(t.Context(), blobtest.Key, "")
		require.NoError(t, err)
		got, err := io.ReadAll(f)
		require.NoError(t, err)
		assert.Equal(t, content, got)
		for _, offset := range []int64{99_000, 10, 100_000, 0} {
			_, err = f.Seek(offset, io.SeekStart)
			require.NoError(t, err)
			got, err = io.ReadAll(f)
			require.NoError(t, err)
			assert.Equal(t, content[offset:], got)
		}
		require.NoError(t, f.Close())

		_, err = s.Open(t.Context(), blob.NewKey("videos", "mp4"), "")
		require.ErrorIs(t, err, os.ErrNotExist)
		for range 2 {
			require.NoError(t, s.Remove(t.Context(), blobtest.Key))
			_, err = s.Open(t.Context(), blobtest.Key, "")
			require.ErrorIs(t, err, os.ErrNotExist)
		}
	})
}
