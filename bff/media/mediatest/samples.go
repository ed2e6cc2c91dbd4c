// Package mediatest makes videos and pictures for tests with ffmpeg.
package mediatest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

var (
	mu  sync.Mutex
	dir string // of the samples; "" = none was made
)

// Run runs the tests of a package and removes the samples.
func Run(m *testing.M) int {
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	return code
}

const testSource = "testsrc2=size=144x256:rate=25:duration=2"

func with(args []string, more ...string) []string { return slices.Concat(args, more) }

// samples returns the arguments of ffmpeg for each sample.
func samples() map[string][]string {
	h264 := []string{"-f", "lavfi", "-i", testSource, "-f", "lavfi", "-i", "sine=duration=2",
		"-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "10", "-c:a", "aac"}
	vp8 := []string{"-f", "lavfi", "-i", testSource, "-c:v", "libvpx", "-b:v", "300k"}
	mpeg4 := []string{"-f", "lavfi", "-i", testSource, "-c:v", "mpeg4"}
	tiny := []string{"-f", "lavfi", "-i", "testsrc2=size=32x32:rate=5:duration=1", "-c:v", "libx264", "-pix_fmt", "yuv420p"}
	uhd := []string{"-f", "lavfi", "-i", "testsrc2=size=3840x2160:rate=30:duration=0.2"}
	shape := []string{"-f", "lavfi", "-i", "testsrc2=size=1501x999,format=rgba,colorchannelmixer=aa=0.5", "-frames:v", "1"}
	return map[string][]string{
		"tiny.mp4":      tiny,
		"tinyfrag.mp4":  with(tiny, "-movflags", "frag_keyframe+empty_moov"),
		"tiny.mov":      tiny,
		"tiny.jpg":      {"-f", "lavfi", "-i", "testsrc2=size=16x16", "-frames:v", "1"},
		"slow.mp4":      h264,
		"fast.mp4":      with(h264, "-movflags", "+faststart"),
		"frag.mp4":      with(h264, "-movflags", "frag_keyframe+empty_moov"),
		"dash.mp4":      with(h264, "-movflags", "frag_keyframe+empty_moov+default_base_moof+separate_moof"),
		"slow.mov":      h264,
		"vp8.webm":      vp8,
		"live.webm":     with(vp8, "-live", "1"),
		"vp8.mkv":       vp8,
		"mpeg4.avi":     mpeg4,
		"h264.flv":      with(h264, "-ar", "44100"),
		"h264.ts":       h264,
		"mpeg2.mpg":     {"-f", "lavfi", "-i", testSource, "-c:v", "mpeg2video"},
		"audio.mp4":     {"-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac"},
		"audio.mkv":     {"-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac"},
		"picture.jpg":   {"-f", "lavfi", "-i", testSource, "-frames:v", "1"},
		"picture.png":   {"-f", "lavfi", "-i", "testsrc2=size=3000x1500:duration=1", "-frames:v", "1"},
		"picture.webp":  {"-f", "lavfi", "-i", testSource, "-frames:v", "1"},
		"lossless.webp": {"-f", "lavfi", "-i", testSource, "-frames:v", "1", "-lossless", "1"},
		"black.mp4": {"-f", "lavfi", "-i", "color=black:size=144x256:rate=25:duration=1", "-f", "lavfi", "-i",
			"color=white:size=144x256:rate=25:duration=1", "-filter_complex", "[0][1]concat", "-c:v", "libx264", "-pix_fmt", "yuv420p"},
		"dark.mp4":      {"-f", "lavfi", "-i", "color=black:size=144x256:rate=25:duration=1", "-c:v", "libx264", "-pix_fmt", "yuv420p"},
		"hevc10-4k.mp4": with(uhd, "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=error"),
		"h264-4k.mp4":   with(uhd, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
		"lossy.webp":    with(shape, "-pix_fmt", "yuv420p"),
		"alpha.webp":    with(shape, "-pix_fmt", "yuva420p"),
		"graphic.webp":  with(shape, "-pix_fmt", "bgra", "-lossless", "1"),
		"wide.mp4":      {"-f", "lavfi", "-i", "testsrc2=size=1920x1080:duration=0.2", "-c:v", "libx264", "-pix_fmt", "yuv420p"},
	}
}

// Sample returns the content of a sample.
func Sample(tb testing.TB, name string) []byte {
	tb.Helper()
	content, err := os.ReadFile(SamplePath(tb, name))
	if err != nil {
		tb.Fatal(err)
	}
	return content
}

// SamplePath returns the path of a sample, which is made when it is first needed.
func SamplePath(tb testing.TB, name string) string {
	tb.Helper()
	mu.Lock()
	defer mu.Unlock()
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "media-samples-*"); err != nil {
			tb.Fatal(err)
		}
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	args := slices.Concat([]string{"-nostdin", "-v", "error", "-y"}, samples()[name], []string{path})
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		tb.Fatalf("these tests need ffmpeg: make %s: %v: %s", name, err, out)
	}
	return path
}

// FrameHashes decodes a whole file with ffmpeg, without errors, and returns a checksum of its frames.
func FrameHashes(tb testing.TB, path, demuxer string) string {
	tb.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("ffmpeg", "-nostdin", "-v", "error", "-f", demuxer, "-i", path, "-map", "0", "-f", "framemd5", "-")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		tb.Fatalf("decode %s: %v: %s", path, err, stderr.String())
	}
	if n := bytes.Count(out, []byte("\n0,")); n < 10 {
		tb.Fatalf("%s has %d frames", path, n)
	}
	return fmt.Sprintf("%x", sha256.Sum256(out))
}

// Box returns a box of an MP4.
func Box(boxType string, content []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(content)))
	return append(append(b, boxType...), content...)
}
