package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"minidouyin/idl/codes"
)

// Videos are known by their content, in every container, and always get a cover.
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
			s := mustStage(t, m, sample(t, c.name), "title")
			if len(s.Keys) != 2 || path.Ext(s.Keys[0]) != c.extension || path.Ext(s.Keys[1]) != ".jpg" {
				t.Fatalf("keys %v, want a %s and a .jpg", s.Keys, c.extension)
			}
			if err := s.Commit(context.Background()); err != nil {
				t.Fatal(err)
			}
			video := m.store.(local).path(s.Keys[0])
			if got, want := frameHashes(t, video, c.demuxer), frameHashes(t, samplePath(t, c.name), c.demuxer); got != want {
				t.Error("the stored video shows other frames than the uploaded one")
			}
			if got := decodeCover(t, m, s).Bounds().Size(); got != image.Pt(144, 256) {
				t.Errorf("cover is %v, want a frame", got)
			}
		})
	}
}

// What is no whole video is refused with a reason, and nothing is left behind.
func TestStageVideoRefuses(t *testing.T) {
	slow, fast, frag := sample(t, "slow.mp4"), sample(t, "fast.mp4"), sample(t, "frag.mp4")
	webm, avi := sample(t, "vp8.webm"), sample(t, "mpeg4.avi")
	secret := samplePath(t, "fast.mp4")
	for name, c := range map[string]struct {
		content []byte
		message string
	}{
		"empty":                    {nil, "the file is empty"},
		"one byte":                 {[]byte{0}, "the file is not a video"},
		"text":                     {[]byte("just some words, by no means a video"), "the file is not a video"},
		"web page":                 {[]byte("<!doctype html><script>alert(1)</script>"), "the file is not a video"},
		"playlist":                 {[]byte("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n" + secret + "\n#EXT-X-ENDLIST\n"), "the file is not a video"},
		"concat script":            {[]byte("ffconcat version 1.0\nfile '" + secret + "'\n"), "the file is not a video"},
		"jpeg":                     {sample(t, "picture.jpg"), "the file is not a video"},
		"file type alone":          {slow[:32], "the file is not a video"},
		"sound alone":              {sample(t, "audio.mp4"), "the file holds no video that can be played"},
		"sound alone, matroska":    {sample(t, "audio.mkv"), "the file holds no video that can be played"},
		"index at the end, cut":    {slow[:len(slow)/2], "the video is cut off"},
		"index at the end, absent": {slow[:bytes.Index(slow, []byte("moov"))-4], "the video is cut off"},
		"index in front, cut":      {fast[:len(fast)-1000], "the video is cut off"},
		"index in front, shorter":  {shortenMdat(fast, 1000), "the video is cut off"},
		"fragments, cut":           {frag[:len(frag)*2/3], "the video is cut off"},
		"fragments, none":          {frag[:bytes.Index(frag, []byte("moof"))-4], "the video has no length"},
		"webm, cut":                {webm[:len(webm)/2], "the video is cut off"},
		"webm, header alone":       {webm[:20], "the video is cut off"},
		"webm, then noise":         {append(bytes.Clone(webm[:300]), bytes.Repeat([]byte("noise"), len(webm))...), "the video is damaged"},
		"avi, cut":                 {avi[:len(avi)/2], "the video is cut off"},
		"huge index claimed":       {append(bytes.Clone(slow[:32]), 0x7f, 0xff, 0xff, 0xff, 'm', 'o', 'o', 'v'), "the video is cut off"},
		"huge index":               {append(bytes.Clone(slow[:32]), hugeIndex()...), "the video's index is too large"},
		"two indexes":              {append(bytes.Clone(fast), boxOf(fast, "moov")...), "the video is damaged"},
		"no length":                {setTimes(fast, 0), "the video has no length"},
		"too long":                 {setTimes(fast, 1<<24), "the video is longer than an hour"},
		"no width":                 {setWidth(fast, 0), "the file holds no video that can be played"},
		"huge width":               {setWidth(fast, 60000), "the file holds no video that can be played"},
		"unknown codec":            {bytes.Replace(bytes.Clone(fast), []byte("avc1\x00\x00\x00\x00\x00\x00\x00\x01"), []byte("encv\x00\x00\x00\x00\x00\x00\x00\x01"), 1), "the file holds no video that can be played"},
		"zero-sized box":           {append(bytes.Clone(slow[:32]), 0, 0, 0, 3, 'm', 'o', 'o', 'v'), "the video is damaged"},
		"chunks once more":         {chunksAgain(slow), "the video is damaged"},
		"nested tables":            {append(bytes.Clone(slow[:32]), nested("moov", "trak", "stbl", 200_000)...), "the file holds no video that can be played"},
	} {
		t.Run(name, func(t *testing.T) {
			m := mustOpen(t, nil)
			_, err := stage(t, m, c.content, "title")
			wantRefusal(t, err, codes.InvalidArgument, c.message)
			wantNoFiles(t, m)
		})
	}
}

// Without ffmpeg MP4 and MOV work as before, with a drawn cover; what cannot be examined is refused.
func TestWithoutFFmpeg(t *testing.T) {
	for _, name := range []string{"slow.mp4", "fast.mp4", "frag.mp4", "slow.mov"} {
		t.Run(name, func(t *testing.T) {
			m := mustOpen(t, withoutFFmpeg)
			s := mustStage(t, m, sample(t, name), "晚霞 sunset")
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
			_, err := stage(t, m, sample(t, name), "title")
			wantRefusal(t, err, codes.InvalidArgument, "this server takes MP4 and MOV videos only")
			wantNoFiles(t, m)
		})
	}
}

// A video whose index came last is stored with the index in front and the same frames; others are not touched.
func TestFaststart(t *testing.T) {
	for name, moved := range map[string]bool{
		"slow.mp4": true, "slow.mov": true, "fast.mp4": false, "frag.mp4": false, "wide 64": true, "index without size": true,
		"stray table": true,
	} {
		t.Run(name, func(t *testing.T) {
			var original []byte
			switch name {
			case "wide 64":
				original = wideOffsets(sample(t, "slow.mp4"))
			case "stray table":
				original = strayTable(sample(t, "slow.mp4"))
			case "index without size":
				original = sample(t, "slow.mp4")
				binary.BigEndian.PutUint32(original[bytes.LastIndex(original, []byte("moov"))-4:], 0)
			default:
				original = sample(t, name)
			}
			m := mustOpen(t, nil)
			s := mustStage(t, m, original, "title")
			stored, err := os.ReadFile(s.files[0].temp)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(stored, original) == moved {
				t.Errorf("file changed: %v, want %v", !moved, moved)
			}
			if len(stored) != len(original) {
				t.Errorf("%d bytes became %d", len(original), len(stored))
			}
			if bytes.Index(stored, []byte("moov")) > bytes.Index(stored, []byte("mdat")) {
				t.Error("the index is behind the media")
			}
			if moved && !bytes.Equal(boxOf(stored, "mdat"), boxOf(original, "mdat")) {
				t.Error("the media changed")
			}
			before := filepath.Join(t.TempDir(), "before")
			if err := os.WriteFile(before, original, 0o600); err != nil {
				t.Fatal(err)
			}
			if frameHashes(t, s.files[0].temp, "mov") != frameHashes(t, before, "mov") {
				t.Error("it shows other frames")
			}
			s.Discard()
			wantNoFiles(t, m)
		})
	}
}

// A file that was not spooled is copied; a spooled one stays usable until it is released.
func TestStageVideoSources(t *testing.T) {
	m := mustOpen(t, nil)
	s, err := m.StageVideo(context.Background(), bytes.NewReader(sample(t, "fast.mp4")), "title", nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Discard()
	wantNoFiles(t, m)

	f, err := m.Spool(bytes.NewReader(sample(t, "fast.mp4")), 1<<20)
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
	_, err = small.StageVideo(context.Background(), bytes.NewReader(sample(t, "fast.mp4")), "title", nil)
	wantRefusal(t, err, codes.TooLarge, "the file is larger than 1000 bytes")
	wantNoFiles(t, small)
}

// A caller that has gone away gets its own error, and nothing is left.
func TestStageVideoCancelled(t *testing.T) {
	fake := filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(fake, []byte("#!/bin/sh\nexec /bin/sleep 60\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	m := mustOpen(t, func(cfg *Config) { cfg.FFmpeg = fake; cfg.Jobs = 1 })
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	failed := make(chan error, 2)
	for range 2 { // one makes a cover, the other waits for its turn
		go func() {
			_, err := m.StageVideo(ctx, bytes.NewReader(sample(t, "slow.mp4")), "title", nil)
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

// A large video is streamed: staging it takes hardly any memory.
func TestStageVideoMemory(t *testing.T) {
	const size = 256 << 20
	m := mustOpen(t, func(cfg *Config) { withoutFFmpeg(cfg); cfg.MaxVideoBytes = 1 << 30 })
	f, err := m.Spool(bytes.NewReader(nil), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Release(f)
	// The media is a hole of 256 MiB behind the frames of a real video, the index follows it.
	slow := sample(t, "slow.mp4")
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
	cover := bytes.NewReader(sample(t, "picture.jpg"))
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

// Whatever the bytes are, the check answers: a video, which can be staged, or a refusal. Nothing is left.
func FuzzCheckVideo(f *testing.F) {
	for _, name := range []string{"tiny.mp4", "tinyfrag.mp4", "tiny.mov"} {
		f.Add(sample(f, name))
	}
	f.Add(nested("moov", "trak", "mdia", 50))
	f.Add([]byte("\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x80"))
	f.Add([]byte("RIFF\x04\x00\x00\x00AVI "))
	f.Add(bytes.Repeat([]byte{0x47}, 1000))
	m := mustOpen(f, withoutFFmpeg)
	cover := sample(f, "tiny.jpg")
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

// frameHashes decodes a whole file and returns the frames' checksums; ffmpeg must have no complaint.
func frameHashes(tb testing.TB, path, demuxer string) string {
	tb.Helper()
	var complaints bytes.Buffer
	cmd := exec.Command("ffmpeg", "-nostdin", "-v", "error", "-f", demuxer, "-i", path, "-map", "0", "-f", "framemd5", "-")
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		tb.Fatalf("decode %s: %v: %s", path, err, complaints.String())
	}
	if n := bytes.Count(out, []byte("\n0,")); n < 10 {
		tb.Fatalf("%s has %d frames", path, n)
	}
	return fmt.Sprintf("%x", sha256.Sum256(out))
}
