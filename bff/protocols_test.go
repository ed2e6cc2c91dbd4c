package bff_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/bff/auth"
)

// The server speaks graphql-transport-ws and graphql-sse as their clients expect, up to its end.
func TestProtocols(t *testing.T) {
	s := newSite(t)
	_, token := s.register(t, "ann")
	video := s.publish(t, token, "first of all")
	sessions, err := auth.NewSessions("", s.data, 4*time.Second)
	require.NoError(t, err)

	folder := filepath.Join("gqlhttp", "conformance")
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "graphql-ws")); err != nil {
		install := exec.CommandContext(ctx, "npm", "ci", "--omit=optional", "--ignore-scripts")
		install.Dir, install.Stderr = folder, os.Stderr
		require.NoError(t, install.Run(), "needs node and npm")
	}
	short, _, err := sessions.Issue(1)
	require.NoError(t, err)
	script := exec.CommandContext(ctx, "node", "live.mjs", s.url+"/graphql", token, short, video)
	script.Dir, script.Stderr = folder, os.Stderr
	out, err := script.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, script.Start())
	var result struct {
		Checks   int
		Failures []string
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if lines.Text() == "stop" {
			require.NoError(t, s.handler.Shutdown(ctx))
			continue
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &result), lines.Text())
	}
	require.NoError(t, script.Wait())
	for _, failure := range result.Failures {
		t.Error(failure)
	}
	t.Logf("%d checks", result.Checks)
	require.Greater(t, result.Checks, 50)
}
