package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"minidouyin/bff/media/mediatest"
	"minidouyin/idl/codes"
)

// What does not fit waits in order of arrival, until its context ends or the time-out. What never fits is refused.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100)
		release, err := b.acquire(t.Context(), 60)
		require.NoError(t, err)
		var order []int64
		wait := func(n int64) {
			go func() {
				release, err := b.acquireHeap(t.Context(), n)
				if assert.NoError(t, err) {
					order = append(order, n) // one after the other: two never fit
					release()
				}
			}()
			synctest.Wait()
		}
		wait(90)
		wait(80) // does not fit either
		wait(70)
		ended, end := context.WithTimeout(t.Context(), time.Second)
		defer end()
		_, err = b.acquire(ended, 10) // would fit, but waits behind the others
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Empty(t, order)
		release()
		synctest.Wait()
		assert.Equal(t, []int64{90, 80, 70}, order)

		release, err = b.acquire(t.Context(), 100)
		require.NoError(t, err)
		start := time.Now()
		_, err = b.acquire(t.Context(), 1)
		wantRefusal(t, err, codes.RateLimited, "too many files are processed at the moment, please try again later")
		assert.Equal(t, queueTimeout, time.Since(start))
		release()
		_, err = b.acquire(t.Context(), 101)
		assert.Equal(t, codes.TooLarge, codes.Of(err))
		release, err = b.acquire(t.Context(), 100)
		require.NoError(t, err)
		release()
	})
}

// The budget depends on the smallest memory limit of the process.
func TestProcessMemory(t *testing.T) {
	without := processMemory() // of a cgroup, or the default
	before := debug.SetMemoryLimit(min(400<<20, without))
	defer debug.SetMemoryLimit(before)
	assert.Equal(t, min(400<<20, without), processMemory())
	m := mustOpen(t, nil)
	assert.InDelta(t, min(400<<20, without)*2/3, m.memory.size, 2)
}

// A file that waits too long for a job is refused.
func TestJobsWait(t *testing.T) {
	m := mustOpen(t, func(cfg *Config) { cfg.Jobs = 1 })
	end, err := m.acquireJob(t.Context())
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		m := &Media{jobs: make(chan struct{})}
		_, err := m.acquireJob(t.Context())
		assert.Equal(t, codes.RateLimited, codes.Of(err))
	})
	end()
	end, err = m.acquireJob(t.Context())
	require.NoError(t, err)
	end()
}

// Garbage is collected before its memory is released.
func TestBudgetCollects(t *testing.T) {
	b := newBudget(80 << 20)
	var stats runtime.MemStats
	for range 4 {
		release, err := b.acquireHeap(t.Context(), 11<<20)
		require.NoError(t, err)
		keep := make([]byte, 11<<20)
		runtime.KeepAlive(keep)
		runtime.ReadMemStats(&stats)
		collected := stats.NumForcedGC
		release()
		runtime.ReadMemStats(&stats)
		assert.Equal(t, collected+1, stats.NumForcedGC)
	}
	release, err := b.acquireHeap(t.Context(), 1<<20)
	require.NoError(t, err)
	runtime.ReadMemStats(&stats)
	collected := stats.NumForcedGC
	release()
	runtime.ReadMemStats(&stats)
	assert.Equal(t, collected, stats.NumForcedGC)
}

// The estimate for a picture is at least what is allocated for it in total, and not much more.
func TestPictureMemory(t *testing.T) {
	if ranOrdinarily(t) {
		return
	}
	encoded := func(encode func(io.Writer) error) []byte {
		var b bytes.Buffer
		require.NoError(t, encode(&b))
		return b.Bytes()
	}
	large := speckled(1250, 700)
	palette := image.NewPaletted(image.Rect(0, 0, 1250, 700), color.Palette{color.Black, color.White})
	for name, content := range map[string][]byte{
		"jpeg, colours at half":            flatJPEG(1501, 999, false, -1, 0x22, 0x11, 0x11),
		"jpeg, full colours":               flatJPEG(1501, 999, false, -1, 0x11, 0x11, 0x11),
		"jpeg, colours at an eighth":       flatJPEG(1501, 999, false, -1, 0x42, 0x11, 0x11),
		"jpeg, colours at a quarter":       flatJPEG(1501, 999, true, -1, 0x41, 0x11, 0x11),
		"jpeg, grey":                       flatJPEG(1501, 999, false, -1, 0x22),
		"jpeg, RGB":                        flatJPEG(1501, 999, false, 0, 0x11, 0x11, 0x11),
		"jpeg, CMYK":                       flatJPEG(1501, 999, false, 0, 0x11, 0x11, 0x11, 0x11),
		"jpeg, YCbCrK":                     flatJPEG(1501, 999, false, 2, 0x22, 0x11, 0x11, 0x22),
		"jpeg, one row in units":           flatJPEG(65500, 1, false, -1, 0x42, 0x11, 0x11),
		"jpeg, one column":                 flatJPEG(1, 65500, true, -1, 0x42, 0x11, 0x11),
		"jpeg, noise":                      encoded(func(w io.Writer) error { return jpeg.Encode(w, speckled(1024, 1024), nil) }),
		"jpeg, tiny":                       flatJPEG(16, 16, true, 0, 0x11, 0x11, 0x11, 0x11),
		"progressive, colours at half":     flatJPEG(1501, 999, true, -1, 0x22, 0x11, 0x11),
		"progressive, full colours":        flatJPEG(1501, 999, true, -1, 0x11, 0x11, 0x11),
		"progressive, grey":                flatJPEG(1501, 999, true, -1, 0x11),
		"progressive, RGB":                 flatJPEG(1501, 999, true, 0, 0x21, 0x11, 0x11),
		"progressive, CMYK":                largeAvatar(),
		"progressive, YCbCrK":              flatJPEG(1501, 999, true, 2, 0x22, 0x11, 0x11, 0x22),
		"png, noise":                       encoded(func(w io.Writer) error { return png.Encode(w, large) }),
		"png, two colours":                 encoded(func(w io.Writer) error { return png.Encode(w, palette) }),
		"png, grey of a bit":               flatPNG(1250, 700, 1, 0, false),
		"png, grey of 16 bits":             flatPNG(1250, 700, 16, 0, false),
		"png, RGB":                         flatPNG(1250, 700, 8, 2, false),
		"png, palette":                     flatPNG(1250, 700, 8, 3, false),
		"png, grey with alpha of 16 bits":  flatPNG(1250, 700, 16, 4, false),
		"png, RGBA of 16 bits":             flatPNG(1250, 700, 16, 6, false),
		"png, RGBA of 16 bits, interlaced": flatPNG(1251, 699, 16, 6, true),
		"png, palette, interlaced":         flatPNG(1251, 699, 4, 3, true),
		"png, one row of RGBA of 16 bits":  flatPNG(1<<22, 1, 16, 6, false),
		"png, one row, interlaced":         flatPNG(1<<22, 1, 16, 6, true),
		"png, one column, interlaced":      flatPNG(1, 1<<16, 16, 6, true),
		"webp":                             mediatest.Sample(t, "lossy.webp"),
		"webp, transparency":               mediatest.Sample(t, "alpha.webp"),
		"webp, without loss":               mediatest.Sample(t, "graphic.webp"),
	} {
		for _, side := range []int{coverSide, pictureSide} {
			h, err := readHeader(bytes.NewReader(content), int64(len(content)))
			require.NoError(t, err, name)
			estimate := h.memory + shrinkBytes(h.width, h.height, side) + encodeBytes
			allocated := allocates(func() {
				_, err := transcode(bytes.NewReader(content), h, side)
				assert.NoError(t, err, name)
			})
			assert.LessOrEqual(t, allocated, estimate, name)
			if !h.lossless {
				assert.LessOrEqual(t, estimate, 2*allocated+encodeBytes, name)
			}
			t.Logf("%-35s %4d: estimated %6.1f MiB, allocated %6.1f MiB", name, side, float64(estimate)/(1<<20), float64(allocated)/(1<<20))
		}
	}
}

// allocates returns how many bytes f allocates in total.
func allocates(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// The codes of a WebP take no more than the estimate.
func TestCodesMemory(t *testing.T) {
	for _, groups := range []int{1, 2000, 5000} {
		content := manyCodes(groups)
		h, err := readHeader(bytes.NewReader(content), int64(len(content)))
		require.NoError(t, err)
		require.True(t, h.lossless)
		// The file ends inside its chunk, so that the decoder reads the end of the file.
		binary.LittleEndian.PutUint32(content[4:], uint32(len(content)+100))
		binary.LittleEndian.PutUint32(content[16:], uint32(len(content)))
		r := &measured{Reader: bytes.NewReader(content), live: live()}
		before := r.live
		_, err = decodePicture(r, h)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF) // at the start of the pixels
		held := r.live - before
		assert.LessOrEqual(t, held, h.memory)
		assert.Greater(t, held, int64(groups-1)*35_000, "the codes are large")
		t.Logf("%d KiB in %d groups: estimated %d MiB, held %d MiB", len(content)>>10, groups, h.memory>>20, held>>20)
	}
}

// measured measures the live memory at the end of its reader.
type measured struct {
	io.Reader
	live int64
}

func (m *measured) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if err == io.EOF {
		m.live = live()
	}
	return n, err
}

// live returns the bytes of live memory.
func live() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// A picture that needs more memory than the budget is refused and leaves no file.
func TestMemoryRefuses(t *testing.T) {
	m := mustOpen(t, func(cfg *Config) { withoutFFmpeg(cfg); cfg.Memory = 64 << 20 })
	for name, c := range map[string]struct {
		content []byte
		message string // a pattern
	}{
		"progressive CMYK": {largeAvatar(), "^the picture needs 41[0-9] MiB of memory to decode, at most 64 MiB are allowed: send it with fewer pixels$"},
		"without loss":     {mediatest.Sample(t, "lossless.webp"), "^the WebP picture is compressed without loss, which needs too much memory: send it as PNG or JPEG$"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := m.StagePicture(t.Context(), bytes.NewReader(c.content))
			assert.Equal(t, codes.TooLarge, codes.Of(err))
			assert.Regexp(t, c.message, codes.Message(err))
			_, err = m.StageVideo(t.Context(), bytes.NewReader(mediatest.Sample(t, "tiny.mp4")), "title", bytes.NewReader(c.content))
			assert.Equal(t, codes.TooLarge, codes.Of(err))
			assert.Regexp(t, c.message, codes.Message(err))
			wantNoFiles(t, m)
		})
	}
	t.Run("a chunk longer than the file", func(t *testing.T) {
		content := bytes.Clone(mediatest.Sample(t, "lossy.webp"))
		binary.LittleEndian.PutUint32(content[4:], 1<<30)
		binary.LittleEndian.PutUint32(content[bytes.Index(content, []byte("VP8 "))+4:], 1<<27)
		_, err := m.StagePicture(t.Context(), bytes.NewReader(content))
		wantRefusal(t, err, codes.InvalidArgument, "the picture is damaged")
	})
}
