//go:build unix

package daemon_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"minidouyin/services/testenv/daemon"
	"minidouyin/services/testenv/testserver"
)

// A server that starts keeps the temporary tables of another: it clears its own folder of them.
func TestMySQLBesideAnother(t *testing.T) {
	testserver.SkipIfShort(t)
	if daemon.Find("mariadbd", "mysqld") == "" {
		t.Skip("no server is installed; the other tests use a container")
	}
	t.Setenv("TMPDIR", t.TempDir())
	theirs := filepath.Join(os.TempDir(), "#sql-temptable-1-1-1.MAI")
	require.NoError(t, os.WriteFile(theirs, nil, 0o600))

	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	command, socket, err := daemon.MySQL(ctx, t.TempDir())
	require.NoError(t, err)
	require.FileExists(t, theirs, "while the data is initialized")
	server, err := daemon.Start(command)
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Kill()) }()
	conns, err := sql.Open("mysql", "root@unix("+socket+")/")
	require.NoError(t, err)
	defer conns.Close()
	require.NoError(t, server.Wait(ctx, conns.PingContext))
	require.FileExists(t, theirs, "while the server starts")
}
