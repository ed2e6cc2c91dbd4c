package media

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/png"
	"slices"
	"strings"
	"testing"

	"minidouyin/bff/media/mediatest"
	"minidouyin/idl/codes"
)

// A JPEG, PNG or WebP becomes a JPEG of limited size. Any other file is refused and leaves no file.
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
				s.Keys = append(s.Keys, s.Keys[0]) // where decodeCover expects the cover
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
			"codes":     {lossless(10), codes.InvalidArgument, "the picture is damaged"},
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

// bomb returns a small PNG whose header has 10 thousand million pixels.
func bomb(tb testing.TB) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		tb.Fatal(err)
	}
	header := b.Bytes()[12:33] // type, content and checksum
	binary.BigEndian.PutUint32(header[4:], 100_000)
	binary.BigEndian.PutUint32(header[8:], 100_000)
	binary.BigEndian.PutUint32(header[17:], crc32.ChecksumIEEE(header[:17]))
	return b.Bytes()
}

// lossless returns a lossless WebP of one pixel with size bytes of codes.
func lossless(size int) []byte {
	content := append([]byte("RIFF....WEBPVP8L....\x2f"), make([]byte, size-1)...)
	binary.LittleEndian.PutUint32(content[4:], uint32(len(content)-8))
	binary.LittleEndian.PutUint32(content[16:], uint32(size))
	return content
}

// progressive returns a JPEG of 16 by 16 pixels with this number of scans.
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

// A picture may have some scans. Data behind its end does not count.
func TestScans(t *testing.T) {
	scans := func(content []byte) int { return readJPEGFrame(bufio.NewReader(bytes.NewReader(content))).scans }
	m := mustOpen(t, nil)
	s, err := m.StagePicture(context.Background(), bytes.NewReader(slices.Concat(progressive(64), progressive(1000))))
	if err != nil {
		t.Fatal(err)
	}
	s.Discard()
	wantNoFiles(t, m)
	for _, n := range []int{1, 2, 500} {
		if got := scans(slices.Concat([]byte{0xff, 0xd8, 0xff}, progressive(n)[2:])); got != n { // with a byte of padding
			t.Errorf("%d scans of %d", got, n)
		}
	}
	for _, broken := range []string{"", "\xff", "\xff\xd8", "\xff\xd8\xff", "\xff\xd8\xff\xda", "\xff\xd8\xff\xe0\x00", "\xff\xd8\xff\xe0\xff\xff", "\xff\xd8\xff\xe0\x00\x00"} {
		if got := scans([]byte(broken)); got > 1 {
			t.Errorf("%q has %d scans", broken, got)
		}
	}
}
