package auth_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/bff/auth"
)

// The first start creates the signing key, which only the owner can read. What a crash left of it does no harm.
func TestStoredKey(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "jwt.key.new"), []byte("half a k"), 0o600))
	sessions, err := auth.NewSessions("", dir, time.Hour)
	require.NoError(t, err)
	token, _, err := sessions.Issue(7)
	require.NoError(t, err)

	again, err := auth.NewSessions("", dir, time.Hour)
	require.NoError(t, err)
	_, err = again.Authenticate(t.Context(), token)
	require.NoError(t, err)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	info, err := entries[0].Info()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
}
