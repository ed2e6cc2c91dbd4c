package media

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"minidouyin/idl/codes"
)

// Tests make their own videos with ffmpeg, once for all of them.
var sampleDir string

func TestMain(m *testing.M) {
	var err error
	if sampleDir, err = os.MkdirTemp("", "media-samples-*"); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := os.RemoveAll(sampleDir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

const testSource = "testsrc2=size=144x256:rate=25:duration=2"

func with(args []string, more ...string) []string { return slices.Concat(args, more) }

// samples says how ffmpeg makes each of them.
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

var making sync.Mutex

// sample returns a test file; samplePath its place. It is made when it is first needed.
func sample(tb testing.TB, name string) []byte {
	tb.Helper()
	content, err := os.ReadFile(samplePath(tb, name))
	if err != nil {
		tb.Fatal(err)
	}
	return content
}

func samplePath(tb testing.TB, name string) string {
	tb.Helper()
	making.Lock()
	defer making.Unlock()
	path := filepath.Join(sampleDir, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	args := slices.Concat([]string{"-nostdin", "-v", "error", "-y"}, samples()[name], []string{path})
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		tb.Fatalf("these tests need ffmpeg: make %s: %v: %s", name, err, out)
	}
	return path
}

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
