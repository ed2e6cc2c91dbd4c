package mp4

import (
	"bytes"
	"encoding/binary"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"minidouyin/bff/media/mediatest"
	"minidouyin/idl/codes"
)

func TestMain(m *testing.M) { os.Exit(mediatest.Run(m)) }

func check(content []byte) (Layout, error) {
	r, size := bytes.NewReader(content), int64(len(content))
	boxes, err := ReadBoxes(r, size)
	if err != nil {
		return Layout{}, err
	}
	return boxes.Check(r, size)
}

// A whole file passes the check, which reports whether it is a MOV and whether players must fetch its end first.
func TestCheck(t *testing.T) {
	for name, want := range map[string]struct{ quickTime, slowStart bool }{
		"slow.mp4": {false, true},
		"fast.mp4": {false, false},
		"frag.mp4": {false, false},
		"dash.mp4": {false, false},
		"slow.mov": {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			content := mediatest.Sample(t, name)
			assert.True(t, Sniff(content))
			l, err := check(content)
			require.NoError(t, err)
			assert.Equal(t, want.quickTime, l.QuickTime)
			assert.Equal(t, want.slowStart, l.SlowStart())
		})
	}
	for _, head := range []string{"", "ftyp", "\x00\x00\x00\x20ftyP", "#EXTM3U\n", "RIFF....AVI "} {
		assert.False(t, Sniff([]byte(head)), head)
	}
}

// A file that is cut off, damaged or over the limits is refused with the reason.
func TestCheckRefuses(t *testing.T) {
	slow, fast, frag := mediatest.Sample(t, "slow.mp4"), mediatest.Sample(t, "fast.mp4"), mediatest.Sample(t, "frag.mp4")
	avc1, encv := []byte("avc1\x00\x00\x00\x00\x00\x00\x00\x01"), []byte("encv\x00\x00\x00\x00\x00\x00\x00\x01")
	for name, c := range map[string]struct {
		content []byte
		want    error
	}{
		"file type alone":          {slow[:32], ErrNotVideo},
		"sound alone":              {mediatest.Sample(t, "audio.mp4"), ErrNoVideo},
		"index at the end, cut":    {slow[:len(slow)/2], ErrCutOff},
		"index at the end, absent": {slow[:bytes.Index(slow, []byte("moov"))-4], ErrCutOff},
		"index in front, cut":      {fast[:len(fast)-1000], ErrCutOff},
		"index in front, shorter":  {shortenMdat(fast, 1000), ErrCutOff},
		"fragments, cut":           {frag[:len(frag)*2/3], ErrCutOff},
		"fragments, none":          {frag[:bytes.Index(frag, []byte("moof"))-4], ErrNoLength},
		"huge index claimed":       {append(bytes.Clone(slow[:32]), 0x7f, 0xff, 0xff, 0xff, 'm', 'o', 'o', 'v'), ErrCutOff},
		"huge index":               {append(bytes.Clone(slow[:32]), hugeIndex()...), errLargeIndex},
		"two indexes":              {append(bytes.Clone(fast), boxOf(fast, "moov")...), ErrDamaged},
		"no length":                {setTimes(fast, 0), ErrNoLength},
		"too long":                 {setTimes(fast, 1<<24), ErrTooLong},
		"no width":                 {setWidth(fast, 0), ErrNoVideo},
		"huge width":               {setWidth(fast, 60000), ErrNoVideo},
		"unknown codec":            {bytes.Replace(bytes.Clone(fast), avc1, encv, 1), ErrNoVideo},
		"zero-sized box":           {append(bytes.Clone(slow[:32]), 0, 0, 0, 3, 'm', 'o', 'o', 'v'), ErrDamaged},
		"chunks once more":         {chunksAgain(slow), ErrDamaged},
		"nested tables":            {append(bytes.Clone(slow[:32]), nested("moov", "trak", "stbl", 200_000)...), ErrNoVideo},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := check(c.content)
			assert.Equal(t, c.want, err)
		})
	}
}

// The estimate of an index is no less than what reading it allocates.
func TestMemory(t *testing.T) {
	tiny := mediatest.Sample(t, "tiny.mp4")
	for name, content := range map[string][]byte{
		"small":  tiny,
		"chunks": withTables(tiny, func(boxType string, b []byte) []byte { return moreEntries(boxType, b, "stco", 4) }),
		"times":  withTables(tiny, func(boxType string, b []byte) []byte { return moreEntries(boxType, b, "stts", 8) }),
		"sizes":  withTables(tiny, func(boxType string, b []byte) []byte { return moreEntries(boxType, b, "stsz", 4) }),
	} {
		r, size := bytes.NewReader(content), int64(len(content))
		boxes, err := ReadBoxes(r, size)
		require.NoError(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = boxes.Check(r, size) // the added entries are refused after they are read
		runtime.ReadMemStats(&after)
		allocated := int64(after.TotalAlloc - before.TotalAlloc)
		assert.LessOrEqual(t, allocated, boxes.Memory()+64<<10, name)
		t.Logf("%s: estimated %d KiB, allocated %d KiB", name, boxes.Memory()>>10, allocated>>10)
	}
}

// moreEntries adds two million entries of size bytes to a table of the type table.
func moreEntries(boxType string, b []byte, table string, size int) []byte {
	if boxType != table {
		return b
	}
	const more = 2_000_000
	count := 12 // offset
	if boxType == "stsz" {
		count = 16
	}
	b = slices.Concat(b, make([]byte, more*size))
	binary.BigEndian.PutUint32(b[count:], binary.BigEndian.Uint32(b[count:])+more)
	return mediatest.Box(boxType, b[8:])
}

// Any bytes are accepted or refused with a code.
func FuzzCheck(f *testing.F) {
	for _, name := range []string{"tiny.mp4", "tinyfrag.mp4", "tiny.mov"} {
		f.Add(mediatest.Sample(f, name))
	}
	f.Add(nested("moov", "trak", "mdia", 50))
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, err := check(content); err != nil {
			assert.Equal(t, codes.InvalidArgument, codes.Of(err), "%v", err)
		}
	})
}
