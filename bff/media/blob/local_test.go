package blob

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A file from another file system is copied. A partial copy, left by a crash, is removed with the file.
func TestLocal(t *testing.T) {
	const key = "videos/aa/aaaaaaaaaaaaaaaaaaaaaaaaaa.mp4"
	folder := filepath.Join(t.TempDir(), "elsewhere")
	s, err := Open(t.Context(), Config{URL: "file://" + filepath.ToSlash(folder), Folder: t.TempDir()})
	require.NoError(t, err)
	temp := filepath.Join(t.TempDir(), "temp")
	require.NoError(t, os.WriteFile(temp, []byte("content"), 0o600))
	require.NoError(t, s.Put(t.Context(), temp, key))
	path := filepath.Join(folder, filepath.FromSlash(key))
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "content", string(got))

	require.NoError(t, copyFile(path, path+"2"))
	got, err = os.ReadFile(path + "2")
	require.NoError(t, err)
	assert.Equal(t, "content", string(got))

	require.NoError(t, os.WriteFile(part(path), []byte("con"), 0o600))
	require.NoError(t, s.Remove(t.Context(), key))
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1)
	assert.Equal(t, filepath.Base(path)+"2", left[0].Name())
}
