package mp4

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"minidouyin/bff/media/mediatest"
)

// A file whose index comes last is written with the index in front, the same media and the same frames.
func TestFaststart(t *testing.T) {
	slow := mediatest.Sample(t, "slow.mp4")
	unsized := bytes.Clone(slow)
	binary.BigEndian.PutUint32(unsized[bytes.LastIndex(unsized, []byte("moov"))-4:], 0)
	for name, original := range map[string][]byte{
		"mp4": slow, "mov": mediatest.Sample(t, "slow.mov"), "64-bit offsets": wideOffsets(slow), "index without size": unsized,
		"stray table": strayTable(slow),
	} {
		t.Run(name, func(t *testing.T) {
			l, err := check(original)
			require.NoError(t, err)
			require.True(t, l.SlowStart())
			src, dst := create(t, original), create(t, nil)
			require.NoError(t, l.Faststart(t.Context(), dst, src))
			moved, err := os.ReadFile(dst.Name())
			require.NoError(t, err)
			assert.Len(t, moved, len(original))
			assert.Less(t, bytes.Index(moved, []byte("moov")), bytes.Index(moved, []byte("mdat")))
			assert.True(t, bytes.Equal(boxOf(moved, "mdat"), boxOf(original, "mdat")), "the media is the same")
			assert.Equal(t, mediatest.FrameHashes(t, src.Name(), "mov"), mediatest.FrameHashes(t, dst.Name(), "mov"))
		})
	}
}

// create returns an open file with this content.
func create(t *testing.T, content []byte) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	_, err = f.Write(content)
	require.NoError(t, err)
	return f
}
