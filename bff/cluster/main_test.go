//go:build unix

package cluster_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"minidouyin/bff/cluster"
	"minidouyin/services/testenv/s3test"
	"minidouyin/services/testenv/testserver"
)

// programs is the folder of the binaries that the tests build.
var programs string

func TestMain(m *testing.M) {
	var err error
	if programs, err = os.MkdirTemp("", "douyin-cluster-programs"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(programs)
	os.Exit(code)
}

// douyin returns the path of the product's program, built once.
var douyin = sync.OnceValues(func() (string, error) {
	path := filepath.Join(programs, "douyin")
	if out, err := exec.Command("go", "build", "-o", path, "../cmd/douyin").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return path, nil
})

// start starts a cluster in a folder of its own; it ends with the test.
func start(tb testing.TB, flags map[string][]string) *cluster.Cluster {
	tb.Helper()
	testserver.SkipIfShort(tb)
	program, err := douyin()
	require.NoError(tb, err)
	versitygw, err := s3test.Find()
	require.NoError(tb, err)
	folder, err := os.MkdirTemp("", "cluster") // paths of sockets must be short
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = os.RemoveAll(folder) })
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	all := map[string][]string{"bff": {"--sign-in-limit=0", "--rate-limit=0", "--ffmpeg=-", "--log-level=warn"}}
	for kind, more := range flags {
		all[kind] = append(all[kind], more...)
	}
	c, err := cluster.Start(ctx, cluster.Config{Folder: folder, Douyin: program, VersityGW: versitygw, Flags: all})
	require.NoError(tb, err)
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Error(err)
		}
		if tb.Failed() {
			show(tb, c)
		}
	})
	return c
}

// show prints the end of the logs of our own parts.
func show(tb testing.TB, c *cluster.Cluster) {
	tb.Helper()
	for _, name := range ours(c) {
		text, err := os.ReadFile(c.Log(name))
		if err != nil {
			tb.Log(err)
		}
		tb.Logf("%s: %s", name, text[max(0, len(text)-600):])
	}
}
