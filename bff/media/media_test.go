package media

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"testing"

	"minidouyin/bff/media/mediatest"
	"minidouyin/idl/codes"
)

func TestMain(m *testing.M) { os.Exit(mediatest.Run(m)) }

// mustOpen opens a fresh store.
func mustOpen(tb testing.TB, change func(*Config)) *Media {
	tb.Helper()
	cfg := Config{Dir: tb.TempDir(), Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&cfg)
	}
	m, err := Open(context.Background(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func withoutFFmpeg(cfg *Config) { cfg.FFmpeg, cfg.FFprobe = "-", "-" }

// mustStage stages a video, spooled as an upload is.
func mustStage(tb testing.TB, m *Media, content []byte, title string) *Staged {
	tb.Helper()
	s, err := stage(tb, m, content, title)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func stage(tb testing.TB, m *Media, content []byte, title string) (*Staged, error) {
	tb.Helper()
	f, err := m.Spool(bytes.NewReader(content), m.cfg.MaxVideoBytes)
	if err != nil {
		return nil, err
	}
	defer m.Release(f)
	return m.StageVideo(context.Background(), f, title, nil)
}

// files returns the paths of all files of a data folder, relative to it, and of its store, as those in the folder
// blobs.
func files(tb testing.TB, m *Media) []string {
	tb.Helper()
	found := []string{}
	err := fs.WalkDir(os.DirFS(m.cfg.Dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	if b, ok := m.store.(*bucket); ok {
		found = append(found, objects(tb, b)...)
		slices.Sort(found)
	}
	return found
}

func wantNoFiles(tb testing.TB, m *Media) {
	tb.Helper()
	if found := files(tb, m); len(found) > 0 {
		tb.Errorf("files are left: %v", found)
	}
}

func wantRefusal(tb testing.TB, err error, code codes.Code, message string) {
	tb.Helper()
	if codes.Of(err) != code || codes.Message(err) != message {
		tb.Errorf("got %v %q (%v), want %v %q", codes.Of(err), codes.Message(err), err, code, message)
	}
}
