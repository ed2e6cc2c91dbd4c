package media

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"minidouyin/bff/media/blob"
	"minidouyin/bff/media/blob/blobtest"
	"minidouyin/bff/media/mediatest"
	"minidouyin/idl/codes"
	"minidouyin/services/testenv/s3test"
)

// Commit stores all files. Discard after it removes none. Remove does, and may be repeated.
func TestCommitDiscardRemove(t *testing.T) {
	eachStore(t, func(t *testing.T, on func(*Config)) {
		m := mustOpen(t, on)
		ctx := context.Background()

		discarded := mustStage(t, m, mediatest.Sample(t, "slow.mp4"), "title")
		discarded.Discard()
		discarded.Discard()
		wantNoFiles(t, m)

		s := mustStage(t, m, mediatest.Sample(t, "slow.mp4"), "title")
		if err := s.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		s.Discard()
		if got := files(t, m); len(got) != 2 || slices.ContainsFunc(got, func(path string) bool { return !strings.HasPrefix(path, "blobs/") }) {
			t.Errorf("files after the commit: %v", got)
		}
		for range 2 {
			for _, key := range s.Keys {
				if err := m.Remove(ctx, key); err != nil {
					t.Error(err)
				}
			}
		}
		wantNoFiles(t, m)
		for _, key := range []string{"", DefaultAvatar, "../../etc/passwd", "videos", strings.ToUpper(s.Keys[0])} {
			if err := m.Remove(ctx, key); err != nil {
				t.Errorf("remove %q: %v", key, err)
			}
		}
	})
}

// A commit that fails removes the files that it moved.
func TestCommitFails(t *testing.T) {
	m := mustOpen(t, nil)
	s := mustStage(t, m, mediatest.Sample(t, "fast.mp4"), "title")
	// A file in place of the folder of covers.
	if err := os.WriteFile(filepath.Join(m.cfg.Dir, "blobs", "covers"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(context.Background()); codes.Of(err) != codes.Internal {
		t.Errorf("commit: %v", err)
	}
	s.Discard()
	if got := files(t, m); !slices.Equal(got, []string{"blobs/covers"}) {
		t.Errorf("files are left: %v", got)
	}

	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	s = mustStage(t, m, mediatest.Sample(t, "fast.mp4"), "title")
	if err := s.Commit(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("commit for a caller that has gone away: %v", err)
	}
	s.Discard()
}

// If the store is killed during a commit, the error has a code. No file of the upload is left when it is back.
func TestCommitStoreDies(t *testing.T) {
	server := s3test.Start(t)
	front := s3test.NewFront(t, server)
	var log bytes.Buffer
	m := mustOpen(t, func(cfg *Config) {
		cfg.Store = blobtest.On(server)
		cfg.Store.URL = s3test.StoreAt(front.Endpoint, "media")
		cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	s := &Staged{m: m}
	for range 2 {
		temp, err := m.writeTemp(blobtest.Noise(4 << 20))
		if err != nil {
			t.Fatal(err)
		}
		s.add(temp, blob.NewKey("videos", "mp4"))
	}
	gone := front.KillAfter(t, 2<<20)
	err := s.Commit(t.Context())
	wantRefusal(t, err, codes.UpstreamUnavailable, "files cannot be stored at the moment, please try again")
	<-gone
	if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "the store is unavailable") {
		t.Errorf("the log says %q", log.String())
	}
	server.Restart(t)
	s.Discard()
	wantNoFiles(t, m)

	again := mustStage(t, m, mediatest.Sample(t, "fast.mp4"), "title")
	if err := again.Commit(t.Context()); err != nil {
		t.Errorf("when the store is back: %v", err)
	}
}
