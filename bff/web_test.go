package bff_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"minidouyin/services/testenv/daemon"
)

// Two people spend a day with the web client of the real binary, which runs no other documents than the client's: one
// signs up, watches, likes, comments, follows, publishes, chats with the other and signs out. In the middle the server
// is stopped and started again.
func TestWebClient(t *testing.T) {
	const folder = "web"
	if _, err := os.Stat(filepath.Join(folder, "node_modules", ".package-lock.json")); err != nil {
		install := exec.Command("npm", "ci", "--ignore-scripts")
		install.Dir = folder
		out, err := install.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	free, err := daemon.FreeAddrs(1)
	require.NoError(t, err)
	addr := free[0]
	p := &product{site: &site{data: t.TempDir()}}
	p.start = func(tb testing.TB, p *product) {
		p.url = "http://" + p.launch(tb, "--demo", "--trusted-only", "--no-introspection", "--addr="+addr, "--data="+p.data)
	}
	p.startAll(t)
	t.Cleanup(func() { p.kill(t) })
	video := filepath.Join(t.TempDir(), "video.mp4")
	require.NoError(t, os.WriteFile(video, sampleVideo(t), 0o600))

	ctx, cancel := context.WithTimeout(t.Context(), 15*patience)
	defer cancel()
	browser := exec.CommandContext(ctx, "node", "browse.mjs", p.url, video, os.Getenv("DOUYIN_TEST_SCREENSHOT"))
	browser.Dir, browser.Stderr = folder, os.Stderr
	browser.Env = append(os.Environ(), "DOUYIN_TEST_CHROMIUM="+chromium(t))
	answers, err := browser.StdinPipe()
	require.NoError(t, err)
	asked, err := browser.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, browser.Start())
	t.Cleanup(func() { cancel(); _ = browser.Wait() })

	var seen struct{ Blocked, Problems, Violations, Scripts, Steps []string }
	lines := bufio.NewScanner(asked)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		switch line := lines.Text(); line {
		case "stop":
			p.stop(t)
			_, _ = fmt.Fprintln(answers, "stopped")
		case "start":
			p.startAll(t)
			_, _ = fmt.Fprintln(answers, "started")
		default:
			require.NoError(t, json.Unmarshal([]byte(line), &seen), line)
		}
	}
	t.Log(strings.Join(seen.Steps, "\n"))
	require.Empty(t, seen.Problems)
	require.Empty(t, seen.Blocked)
	require.Empty(t, seen.Violations)
	require.GreaterOrEqual(t, len(seen.Steps), 20)

	var size int64
	for _, script := range seen.Scripts {
		info, err := os.Stat(filepath.Join(folder, "dist", script+".gz"))
		require.NoError(t, err)
		size += info.Size()
	}
	t.Logf("first load: %d bytes of script with gzip", size)
	require.NotZero(t, size)
	require.Less(t, size, int64(150<<10))
}
