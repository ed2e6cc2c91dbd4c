package media

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"minidouyin/bff/media/blob"
	"minidouyin/bff/media/blob/blobtest"
	"minidouyin/bff/media/mediatest"
	"minidouyin/idl/codes"
)

func TestMain(m *testing.M) {
	status := mediatest.Run(m)
	if ordinaryFolder != "" {
		_ = os.RemoveAll(ordinaryFolder)
	}
	os.Exit(status)
}

// mustOpen opens an empty store.
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

// eachStore runs a test with each kind of store. on configures an empty store.
func eachStore(t *testing.T, test func(t *testing.T, on func(*Config))) {
	blobtest.Each(t, func(t *testing.T, cfg blob.Config) { test(t, onStore(cfg)) })
}

func onStore(store blob.Config) func(*Config) { return func(cfg *Config) { cfg.Store = store } }

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

// files returns the paths of all files in the data folder, relative to it. Files in a store on S3 are listed as if they
// were in the folder blobs.
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
	if strings.HasPrefix(m.cfg.Store.URL, "s3:") {
		for _, key := range blobtest.List(tb, m.cfg.Store) {
			found = append(found, "blobs/"+key)
		}
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

// Open removes temporary files of an earlier process and keeps the store. It refuses a path without a program.
func TestOpen(t *testing.T) {
	eachStore(t, func(t *testing.T, on func(*Config)) {
		m := mustOpen(t, on)
		s := mustStage(t, m, mediatest.Sample(t, "fast.mp4"), "title")
		if err := s.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Spool(strings.NewReader("left behind"), 100); err != nil {
			t.Fatal(err)
		}
		mustStage(t, m, mediatest.Sample(t, "slow.mp4"), "neither committed nor discarded")
		if got := len(files(t, m)); got != 5 {
			t.Fatalf("%d files before the restart", got)
		}
		again, err := Open(t.Context(), m.cfg)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"blobs/" + s.Keys[0], "blobs/" + s.Keys[1]}
		slices.Sort(want)
		if got := files(t, again); !slices.Equal(got, want) {
			t.Errorf("after the restart: %v, want %v", got, want)
		}
		if _, err := Open(t.Context(), Config{Dir: t.TempDir(), FFmpeg: "/does/not/exist"}); err == nil {
			t.Error("a path without a program was accepted")
		}
	})
}

// Spool stores a body within the limit, and leaves no file of one that is too large or breaks off.
func TestSpool(t *testing.T) {
	m := mustOpen(t, nil)
	for _, c := range []struct {
		name    string
		body    io.Reader
		code    codes.Code
		message string
	}{
		{"as large as allowed", strings.NewReader("0123456789"), codes.OK, ""},
		{"empty", strings.NewReader(""), codes.OK, ""},
		{"too large", strings.NewReader("0123456789a"), codes.TooLarge, "the file is larger than 10 bytes"},
		{"endless", endless{}, codes.TooLarge, "the file is larger than 10 bytes"},
		{"request too large", iotest.ErrReader(&http.MaxBytesError{Limit: 3 << 20}), codes.TooLarge, "the file is larger than 3 MiB"},
		{"broken off", io.MultiReader(strings.NewReader("012"), iotest.ErrReader(io.ErrUnexpectedEOF)), codes.InvalidArgument, "the upload broke off"},
		{"bad multipart", iotest.ErrReader(errors.New("multipart: NextPart: EOF")), codes.InvalidArgument, "the upload broke off"},
		{"refused by the reader", iotest.ErrReader(codes.Errorf(codes.RateLimited, "slower")), codes.RateLimited, "slower"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := m.Spool(c.body, 10)
			if c.code != codes.OK {
				wantRefusal(t, err, c.code, c.message)
				wantNoFiles(t, m)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(f); err != nil || string(got) != "0123456789"[:len(got)] {
				t.Errorf("read %q, %v", got, err)
			}
			m.Release(f)
			wantNoFiles(t, m)
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
