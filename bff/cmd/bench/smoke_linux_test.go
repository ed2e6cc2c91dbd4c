package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/services/testenv/testserver"
)

// TestMain lets the test's program be the reference as well, as the command is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "reference" {
		main()
		return
	}
	os.Exit(m.Run())
}

// One row of everything: the product's tables take the data, its counts agree with it, every answer is right, and
// nothing is left behind.
func TestBench(t *testing.T) {
	testserver.SkipIfShort(t)
	folder, err := os.MkdirTemp("", "bench") // paths of sockets must be short
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	douyin, data, table := filepath.Join(folder, "douyin"), filepath.Join(folder, "data"), filepath.Join(folder, "table.md")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", douyin, "../douyin").CombinedOutput()
	require.NoError(t, err, "%s", out)

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	c := runCmd{Targets: []string{"one", "four"}, Rows: []string{"spread"}, Runs: 1, Seconds: 1, Douyin: douyin, Data: data, Markdown: table}
	require.NoError(t, c.Run(ctx))
	text, err := os.ReadFile(table)
	require.NoError(t, err)
	var rows []string
	for _, line := range strings.Split(string(text), "\n")[4:] {
		if cells := strings.Split(line, "|"); len(cells) > 4 {
			rows = append(rows, strings.TrimSpace(cells[1])+": "+strings.TrimSpace(cells[2]))
			require.NotContains(t, cells[3], "–", line)
		}
	}
	require.Equal(t, []string{"reference: healthz", "reference: feed, visitor", "one: like + unlike, spread", "four: like + unlike, spread"}, rows)
	left, err := os.ReadDir(data)
	require.NoError(t, err)
	require.Empty(t, left)
}
