package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"io"
	"log/slog"
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"minidouyin/bff/media/mediatest"
	"minidouyin/idl/codes"
)

// Videos in every container are recognized by their content and get a cover.
func TestStageVideoAccepts(t *testing.T) {
	for _, c := range []struct{ name, extension, demuxer string }{
		{"slow.mp4", ".mp4", "mov"},
		{"fast.mp4", ".mp4", "mov"},
		{"frag.mp4", ".mp4", "mov"},
		{"dash.mp4", ".mp4", "mov"},
		{"slow.mov", ".mov", "mov"},
		{"vp8.webm", ".webm", "matroska"},
		{"live.webm", ".webm", "matroska"},
		{"vp8.mkv", ".mkv", "matroska"},
		{"mpeg4.avi", ".avi", "avi"},
		{"h264.flv", ".flv", "flv"},
		{"h264.ts", ".ts", "mpegts"},
		{"mpeg2.mpg", ".mpg", "mpeg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mustOpen(t, nil)
			s := mustStage(t, m, mediatest.Sample(t, c.name), "title")
			if len(s.Keys) != 2 || path.Ext(s.Keys[0]) != c.extension || path.Ext(s.Keys[1]) != ".jpg" {
				t.Fatalf("keys %v, want a %s and a .jpg", s.Keys, c.extension)
			}
			if err := s.Commit(context.Background()); err != nil {
				t.Fatal(err)
			}
			video := filepath.Join(m.cfg.Dir, "blobs", s.Keys[0])
			if got, want := mediatest.FrameHashes(t, video, c.demuxer), mediatest.FrameHashes(t, mediatest.SamplePath(t, c.name), c.demuxer); got != want {
				t.Error("the stored video shows other frames than the uploaded one")
			}
			if got := decodeCover(t, m, s).Bounds().Size(); got != image.Pt(144, 256) {
				t.Errorf("cover is %v, want a frame", got)
			}
		})
	}
}

// A file that is not a whole video is refused with the reason and leaves no file.
func TestStageVideoRefuses(t *testing.T) {
	slow, fast := mediatest.Sample(t, "slow.mp4"), mediatest.Sample(t, "fast.mp4")
	webm, avi := mediatest.Sample(t, "vp8.webm"), mediatest.Sample(t, "mpeg4.avi")
	secret := mediatest.SamplePath(t, "fast.mp4")
	for name, c := range map[string]struct {
		content []byte
		message string
	}{
		"empty":                 {nil, "the file is empty"},
		"one byte":              {[]byte{0}, "the file is not a video"},
		"text":                  {[]byte("just some words, by no means a video"), "the file is not a video"},
		"web page":              {[]byte("<!doctype html><script>alert(1)</script>"), "the file is not a video"},
		"playlist":              {[]byte("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n" + secret + "\n#EXT-X-ENDLIST\n"), "the file is not a video"},
		"concat script":         {[]byte("ffconcat version 1.0\nfile '" + secret + "'\n"), "the file is not a video"},
		"jpeg":                  {mediatest.Sample(t, "picture.jpg"), "the file is not a video"},
		"sound alone":           {mediatest.Sample(t, "audio.mp4"), "the file holds no video that can be played"},
		"sound alone, matroska": {mediatest.Sample(t, "audio.mkv"), "the file holds no video that can be played"},
		"index at the end, cut": {slow[:len(slow)/2], "the video is cut off"},
		"index in front, cut":   {fast[:len(fast)-1000], "the video is cut off"},
		"webm, cut":             {webm[:len(webm)/2], "the video is cut off"},
		"webm, header alone":    {webm[:20], "the video is cut off"},
		"webm, then noise":      {append(bytes.Clone(webm[:300]), bytes.Repeat([]byte("noise"), len(webm))...), "the video is damaged"},
		"avi, cut":              {avi[:len(avi)/2], "the video is cut off"},
		"huge index claimed":    {append(bytes.Clone(slow[:32]), 0x7f, 0xff, 0xff, 0xff, 'm', 'o', 'o', 'v'), "the video is cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			m := mustOpen(t, nil)
			_, err := stage(t, m, c.content, "title")
			wantRefusal(t, err, codes.InvalidArgument, c.message)
			wantNoFiles(t, m)
		})
	}
}

// Without ffmpeg, MP4 and MOV videos get the placeholder. Other containers are refused.
func TestWithoutFFmpeg(t *testing.T) {
	for _, name := range []string{"slow.mp4", "fast.mp4", "frag.mp4", "slow.mov"} {
		t.Run(name, func(t *testing.T) {
			m := mustOpen(t, withoutFFmpeg)
			s := mustStage(t, m, mediatest.Sample(t, name), "晚霞 sunset")
			if err := s.Commit(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got := decodeCover(t, m, s).Bounds().Size(); got != image.Pt(360, 640) {
				t.Errorf("cover is %v, want the placeholder", got)
			}
		})
	}
	for _, name := range []string{"vp8.webm", "vp8.mkv", "h264.ts"} {
		t.Run(name, func(t *testing.T) {
			m := mustOpen(t, withoutFFmpeg)
			_, err := stage(t, m, mediatest.Sample(t, name), "title")
			wantRefusal(t, err, codes.InvalidArgument, "this server takes MP4 and MOV videos only")
			wantNoFiles(t, m)
		})
	}
}

// A reader is copied. A spooled file stays usable until it is released.
func TestStageVideoSources(t *testing.T) {
	m := mustOpen(t, nil)
	s, err := m.StageVideo(context.Background(), bytes.NewReader(mediatest.Sample(t, "fast.mp4")), "title", nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Discard()
	wantNoFiles(t, m)

	f, err := m.Spool(bytes.NewReader(mediatest.Sample(t, "fast.mp4")), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = m.StageVideo(context.Background(), f, "title", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	again, err := m.StageVideo(context.Background(), f, "title", nil)
	if err != nil {
		t.Fatal(err)
	}
	again.Discard()
	m.Release(f)
	if got := len(files(t, m)); got != 2 {
		t.Errorf("%d files, want the video and its cover", got)
	}
	small := mustOpen(t, func(cfg *Config) { cfg.MaxVideoBytes = 1000 })
	_, err = small.StageVideo(context.Background(), bytes.NewReader(mediatest.Sample(t, "fast.mp4")), "title", nil)
	wantRefusal(t, err, codes.TooLarge, "the file is larger than 1000 bytes")
	wantNoFiles(t, small)
}

// A cancelled caller gets the error of its context, and no file is left.
func TestStageVideoCancelled(t *testing.T) {
	fake := filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(fake, []byte("#!/bin/sh\nexec /bin/sleep 60\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	m := mustOpen(t, func(cfg *Config) { cfg.FFmpeg = fake; cfg.Jobs = 1 })
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	failed := make(chan error, 2)
	for range 2 { // one makes a cover, the other waits
		go func() {
			_, err := m.StageVideo(ctx, bytes.NewReader(mediatest.Sample(t, "slow.mp4")), "title", nil)
			failed <- err
		}()
	}
	for range 2 {
		if err := <-failed; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
	}
	wantNoFiles(t, m)
}

// A large video is streamed: it takes little memory.
func TestStageVideoMemory(t *testing.T) {
	const size = 256 << 20
	m := mustOpen(t, func(cfg *Config) { withoutFFmpeg(cfg); cfg.MaxVideoBytes = 1 << 30 })
	f, err := m.Spool(bytes.NewReader(nil), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Release(f)
	// The media is a hole of 256 MiB behind the frames of a real video, the index follows it.
	slow := mediatest.Sample(t, "slow.mp4")
	mdat := bytes.Index(slow, []byte("mdat")) - 4
	grown := bytes.Clone(slow)
	end := mdat + int(binary.BigEndian.Uint32(grown[mdat:]))
	binary.BigEndian.PutUint32(grown[mdat:], uint32(size))
	if _, err := f.WriteAt(grown[:end], 0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(grown[end:], int64(mdat+size)); err != nil {
		t.Fatal(err)
	}
	cover := bytes.NewReader(mediatest.Sample(t, "picture.jpg"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s, err := m.StageVideo(context.Background(), f, "title", cover)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
		t.Errorf("staging allocated %d KiB", grown>>10)
	}
	info, err := os.Stat(s.files[0].temp)
	if err != nil || info.Size() < size {
		t.Fatalf("stored %v, %v", info, err)
	}
	head := make([]byte, 64)
	stored, err := os.Open(s.files[0].temp)
	if err != nil {
		t.Fatal(err)
	}
	defer stored.Close()
	if _, err := io.ReadFull(stored, head); err != nil || !bytes.Contains(head, []byte("moov")) {
		t.Errorf("the index is not in front: %q, %v", head, err)
	}
	s.Discard()
}

// A video whose index cannot be moved is stored as it is.
func TestStageVideoKept(t *testing.T) {
	var log bytes.Buffer
	m := mustOpen(t, func(cfg *Config) { cfg.MaxVideoBytes, cfg.Log = 8<<30, slog.New(slog.NewTextHandler(&log, nil)) })
	f, err := m.Spool(bytes.NewReader(nil), 0)
	require.NoError(t, err)
	defer m.Release(f)
	// The media ends in a hole of more than 4 GiB. The offset of the last chunk is nearly the largest of 32 bits.
	slow := mediatest.Sample(t, "slow.mp4")
	free, moov := bytes.Index(slow, []byte("free"))-4, bytes.LastIndex(slow, []byte("moov"))-4
	const size = 1<<32 + 1<<20
	media, index := bytes.Clone(slow[:moov]), bytes.Clone(slow[moov:])
	binary.BigEndian.PutUint32(media[free:], 1) // a 64-bit size follows the type, in place of the next header
	copy(media[free+4:], "mdat")
	binary.BigEndian.PutUint64(media[free+8:], size)
	table := bytes.Index(index, []byte("stco")) + 4
	last := table + 4 + 4*int(binary.BigEndian.Uint32(index[table+4:]))
	binary.BigEndian.PutUint32(index[last:], math.MaxUint32-100)
	_, err = f.WriteAt(media, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(index, int64(free)+size)
	require.NoError(t, err)

	s, err := m.StageVideo(t.Context(), f, "title", bytes.NewReader(mediatest.Sample(t, "tiny.jpg")))
	require.NoError(t, err)
	uploaded, err := f.Stat()
	require.NoError(t, err)
	stored, err := os.Stat(s.files[0].temp)
	require.NoError(t, err)
	assert.True(t, os.SameFile(uploaded, stored))
	assert.Contains(t, log.String(), "storing it as it is")
	s.Discard()
	assert.Len(t, files(t, m), 1, "the upload alone is left")
}

// Any bytes are staged as a video or refused with a code. No file is left.
func FuzzCheckVideo(f *testing.F) {
	for _, name := range []string{"tiny.mp4", "tinyfrag.mp4", "tiny.mov"} {
		f.Add(mediatest.Sample(f, name))
	}
	f.Add([]byte("\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x80"))
	f.Add([]byte("RIFF\x04\x00\x00\x00AVI "))
	f.Add(bytes.Repeat([]byte{0x47}, 1000))
	m := mustOpen(f, withoutFFmpeg)
	cover := mediatest.Sample(f, "tiny.jpg")
	f.Fuzz(func(t *testing.T, content []byte) {
		s, err := m.StageVideo(context.Background(), bytes.NewReader(content), "title", bytes.NewReader(cover))
		if err == nil {
			s.Discard()
		} else if codes.Of(err) != codes.InvalidArgument {
			t.Errorf("%v: %v", codes.Of(err), err)
		}
		wantNoFiles(t, m)
	})
}
