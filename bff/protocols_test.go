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
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/bff/auth"
)

// The server speaks graphql-transport-ws and graphql-sse as their clients expect, up to its end.
func TestProtocols(t *testing.T) {
	s := newSite(t)
	_, token := s.register(t, "ann")
	video := s.publish(t, token, "first of all")
	issue := func(ttl time.Duration) string {
		sessions, err := auth.NewSessions("", s.data, ttl)
		require.NoError(t, err)
		token, _, err := sessions.Issue(1)
		require.NoError(t, err)
		return token
	}

	folder := filepath.Join("gqlhttp", "conformance")
	ctx, cancel := context.WithTimeout(context.Background(), 10*patience)
	defer cancel()
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "graphql-ws")); err != nil {
		install := exec.CommandContext(ctx, "npm", "ci", "--omit=optional", "--ignore-scripts")
		install.Dir, install.Stderr = folder, os.Stderr
		require.NoError(t, install.Run(), "needs node and npm")
	}
	script := exec.CommandContext(ctx, "node", "live.mjs", s.url+"/graphql", token, video)
	script.Dir, script.Stderr = folder, os.Stderr
	out, err := script.StdoutPipe()
	require.NoError(t, err)
	in, err := script.StdinPipe()
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
		if seconds, ok := strings.CutPrefix(lines.Text(), "token "); ok {
			ttl, err := time.ParseDuration(seconds + "s")
			require.NoError(t, err)
			_, err = fmt.Fprintln(in, issue(ttl))
			require.NoError(t, err)
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
