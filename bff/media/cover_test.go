package media

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minidouyin/bff/media/mediatest"
	"minidouyin/idl/codes"
)

// The cover is the given picture, else the first frame that is not black, else the first frame.
func TestCover(t *testing.T) {
	m := mustOpen(t, nil)
	brightness := func(s *Staged) uint8 {
		if err := s.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		picture := decodeCover(t, m, s)
		return color8(picture, picture.Bounds().Dx()/2, picture.Bounds().Dy()/2)
	}
	if got := brightness(mustStage(t, m, mediatest.Sample(t, "black.mp4"), "title")); got < 200 {
		t.Errorf("a video that begins black has a cover of brightness %d, want white", got)
	}
	if got := brightness(mustStage(t, m, mediatest.Sample(t, "dark.mp4"), "title")); got > 40 {
		t.Errorf("a black video has a cover of brightness %d, want its first frame", got)
	}

	s := mustStage(t, m, mediatest.Sample(t, "wide.mp4"), "title")
	if err := s.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := decodeCover(t, m, s).Bounds().Size(); got.X != 720 || got.Y < 404 || got.Y > 406 {
		t.Errorf("cover of a wide video is %v", got)
	}

	s, err := m.StageVideo(context.Background(), bytes.NewReader(mediatest.Sample(t, "fast.mp4")), "title", bytes.NewReader(mediatest.Sample(t, "picture.png")))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := decodeCover(t, m, s).Bounds().Size(); got != image.Pt(720, 360) {
		t.Errorf("given cover is %v", got)
	}
	count := len(files(t, m))
	_, err = m.StageVideo(context.Background(), bytes.NewReader(mediatest.Sample(t, "fast.mp4")), "title", strings.NewReader("no picture"))
	wantRefusal(t, err, codes.InvalidArgument, "the file is not a JPEG, PNG or WebP picture")
	if got := len(files(t, m)); got != count {
		t.Errorf("a refused cover left %d files", got-count)
	}
}

// If ffmpeg fails in any way, the video is staged in time with the placeholder.
func TestCoverFallsBack(t *testing.T) {
	content := mediatest.Sample(t, "fast.mp4")
	for name, script := range map[string]string{
		"fails":          "exit 1",
		"writes no JPEG": "echo text",
		"hangs":          "exec sleep 60",
		"floods":         "exec cat /dev/zero",
		"writes errors":  "cat /dev/zero | head -c 10000000 >&2; exit 1",
	} {
		t.Run(name, func(t *testing.T) {
			fake := filepath.Join(t.TempDir(), "ffmpeg")
			if err := os.WriteFile(fake, []byte("#!/bin/sh\nPATH=/usr/bin:/bin\n"+script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			m := mustOpen(t, func(cfg *Config) { cfg.FFmpeg, cfg.CoverTimeout = fake, time.Second })
			start := time.Now()
			s := mustStage(t, m, content, "title")
			if took := time.Since(start); took > 30*time.Second { // half of what it takes to hang
				t.Errorf("it took %v", took)
			}
			if err := s.Commit(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got := decodeCover(t, m, s).Bounds().Size(); got != image.Pt(360, 640) {
				t.Errorf("cover is %v, want the placeholder", got)
			}
		})
	}
}

func decodeCover(tb testing.TB, m *Media, s *Staged) image.Image {
	tb.Helper()
	picture, err := jpeg.Decode(get(m, "GET", "/media/"+s.Keys[1], "", "").Body)
	if err != nil {
		tb.Fatal(err)
	}
	return picture
}

func color8(picture image.Image, x, y int) uint8 {
	r, g, b, _ := picture.At(x, y).RGBA()
	return uint8((r + g + b) / 3 >> 8)
}
