package media

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"minidouyin/bff/media/mediatest"
	"minidouyin/idl/codes"
)

// Open makes the folders, sweeps what an earlier process left, keeps the store, and finds a wrong path at once.
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

// Spool keeps what fits, byte for byte, and nothing of what does not or breaks off.
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

// Commit stores all files, Discard after it takes none away, Remove does, and may be repeated.
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

// A commit that fails half-way takes back what it moved.
func TestCommitFails(t *testing.T) {
	m := mustOpen(t, nil)
	s := mustStage(t, m, mediatest.Sample(t, "fast.mp4"), "title")
	// A file where the folder of covers should be.
	if err := os.WriteFile(filepath.Join(m.store.(local).folder, "covers"), nil, 0o600); err != nil {
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

// Keys come from chance alone, and no two are alike.
func TestKeys(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		key := newKey("videos", "mp4")
		if !isKey(key) || seen[key] {
			t.Fatalf("bad key %q", key)
		}
		seen[key] = true
	}
}

// A picture of any accepted kind becomes a JPEG of bounded size; anything else is refused and leaves nothing.
func TestStagePicture(t *testing.T) {
	eachStore(t, func(t *testing.T, on func(*Config)) {
		m := mustOpen(t, on)
		for name, want := range map[string]image.Point{
			"picture.jpg": {X: 144, Y: 256}, "picture.webp": {X: 144, Y: 256}, "lossless.webp": {X: 144, Y: 256}, "picture.png": {X: 1024, Y: 512},
		} {
			t.Run(name, func(t *testing.T) {
				s, err := m.StagePicture(context.Background(), bytes.NewReader(mediatest.Sample(t, name)))
				if err != nil {
					t.Fatal(err)
				}
				if len(s.Keys) != 1 || !strings.HasPrefix(s.Keys[0], "pictures/") {
					t.Fatalf("keys %v", s.Keys)
				}
				if err := s.Commit(context.Background()); err != nil {
					t.Fatal(err)
				}
				s.Keys = append(s.Keys, s.Keys[0]) // where a video has its cover
				if got := decodeCover(t, m, s).Bounds().Size(); got != want {
					t.Errorf("size %v, want %v", got, want)
				}
				if err := m.Remove(context.Background(), s.Keys[0]); err != nil {
					t.Fatal(err)
				}
			})
		}
		jpg := mediatest.Sample(t, "picture.jpg")
		for name, c := range map[string]struct {
			content []byte
			code    codes.Code
			message string
		}{
			"empty":     {nil, codes.InvalidArgument, "the file is empty"},
			"text":      {[]byte("no picture"), codes.InvalidArgument, "the file is not a JPEG, PNG or WebP picture"},
			"svg":       {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), codes.InvalidArgument, "the file is not a JPEG, PNG or WebP picture"},
			"video":     {mediatest.Sample(t, "fast.mp4"), codes.InvalidArgument, "the file is not a JPEG, PNG or WebP picture"},
			"cut off":   {jpg[:len(jpg)/2], codes.InvalidArgument, "the picture is damaged"},
			"bomb":      {bomb(t), codes.InvalidArgument, "the picture has more than 16 million pixels"},
			"scans":     {progressive(1000), codes.InvalidArgument, "the picture is made of too many scans"},
			"codes":     {withoutLoss(10), codes.InvalidArgument, "the picture is damaged"},
			"too large": {make([]byte, 5<<20+1), codes.TooLarge, "the file is larger than 5 MiB"},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := m.StagePicture(context.Background(), bytes.NewReader(c.content))
				wantRefusal(t, err, c.code, c.message)
				wantNoFiles(t, m)
			})
		}
	})
}

// bomb returns a small PNG that says it has 10 thousand million pixels.
func bomb(tb testing.TB) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		tb.Fatal(err)
	}
	header := b.Bytes()[12:33] // its kind, its 13 bytes and their checksum
	binary.BigEndian.PutUint32(header[4:], 100_000)
	binary.BigEndian.PutUint32(header[8:], 100_000)
	binary.BigEndian.PutUint32(header[17:], crc32.ChecksumIEEE(header[:17]))
	return b.Bytes()
}

// withoutLoss returns a WebP of one pixel, compressed without loss, whose codes may take so many bytes.
func withoutLoss(size int) []byte {
	content := append([]byte("RIFF....WEBPVP8L....\x2f"), make([]byte, size-1)...)
	binary.LittleEndian.PutUint32(content[4:], uint32(len(content)-8))
	binary.LittleEndian.PutUint32(content[16:], uint32(size))
	return content
}

// progressive returns a JPEG of 16 by 16 pixels that gets better so many times.
func progressive(scans int) []byte {
	segment := func(marker byte, content ...byte) []byte {
		b := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(2+len(content)))
		return append(b, content...)
	}
	b := []byte{0xff, 0xd8}
	b = append(b, segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)...)
	b = append(b, segment(0xc2, 8, 0, 16, 0, 16, 1, 1, 0x11, 0)...)
	for kind, symbol := range map[byte]byte{0x00: 0x00, 0x10: 0xe0} { // no difference, and 16384 empty blocks
		b = append(b, segment(0xc4, append(append([]byte{kind, 1}, make([]byte, 15)...), symbol)...)...)
	}
	b = append(b, segment(0xda, 1, 1, 0, 0, 0, 0)...)
	b = append(b, 0)
	for range scans - 1 {
		b = append(b, segment(0xda, 1, 1, 0, 1, 63, 0)...)
		b = append(b, 0, 0)
	}
	return append(b, 0xff, 0xd9)
}

// A picture may get better some times, and what stands behind its end does not count.
func TestScans(t *testing.T) {
	scans := func(content []byte) int { return readFrame(bufio.NewReader(bytes.NewReader(content))).scans }
	m := mustOpen(t, nil)
	s, err := m.StagePicture(context.Background(), bytes.NewReader(slices.Concat(progressive(64), progressive(1000))))
	if err != nil {
		t.Fatal(err)
	}
	s.Discard()
	wantNoFiles(t, m)
	for _, n := range []int{1, 2, 500} {
		if got := scans(slices.Concat([]byte{0xff, 0xd8, 0xff}, progressive(n)[2:])); got != n { // with a byte of filling
			t.Errorf("%d scans of %d", got, n)
		}
	}
	for _, broken := range []string{"", "\xff", "\xff\xd8", "\xff\xd8\xff", "\xff\xd8\xff\xda", "\xff\xd8\xff\xe0\x00", "\xff\xd8\xff\xe0\xff\xff", "\xff\xd8\xff\xe0\x00\x00"} {
		if got := scans([]byte(broken)); got > 1 {
			t.Errorf("%q has %d scans", broken, got)
		}
	}
}

// Every title gives a placeholder of its own: long ones, Chinese ones, and those that no font can show.
func TestPlaceholder(t *testing.T) {
	seen := map[string]string{}
	for _, title := range []string{"", "今天的晚霞", "今天的晚霞。", "臺灣繁體", "Hello, world", strings.Repeat("长", 50), strings.Repeat("w", 50), "🎉", "\x00\xff"} {
		content, err := drawPlaceholder(title)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[string(content)]; ok {
			t.Errorf("%q and %q look the same", title, other)
		}
		seen[string(content)] = title
	}
	for title, want := range map[string]int{"": 0, "今天": 1, "one two": 1, strings.Repeat("长", 50): 7, "🎉": 0} {
		if got := wrap(title, 100<<6); len(got) != want {
			t.Errorf("%q has the lines %s, want %d", title, fmt.Sprintf("%q", got), want)
		}
	}
}
