package bff_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"minidouyin/bff"
	"minidouyin/services/testenv/testserver"
)

// The page works in a browser that reaches nothing but the server: a visitor asks, then somebody signs in, asks, and
// sees what others do.
func TestPlayground(t *testing.T) {
	s := newSite(t)
	_, token := s.register(t, "ann")
	s.publish(t, token, "first of all")
	_, bob := s.register(t, "bob")

	const folder = "playground"
	run := func(name string, args ...string) []byte {
		ctx, cancel := context.WithTimeout(context.Background(), 10*patience)
		defer cancel()
		command := exec.CommandContext(ctx, name, args...)
		command.Dir, command.Stderr = folder, os.Stderr
		command.Env = append(os.Environ(), "DOUYIN_TEST_CHROMIUM="+chromium(t))
		out, err := command.Output()
		require.NoError(t, err, "%s %v: %s", name, args, out)
		return out
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules", ".package-lock.json")); err != nil {
		run("npm", "ci", "--ignore-scripts")
	}
	var seen struct {
		Blocked, Problems        []string
		Visitor, Session, Viewer string
		Counts, Message          string
		Operations               int
	}
	require.NoError(t, json.Unmarshal(run("node", "browse.mjs", s.url, "ann", "secret", bob, os.Getenv("DOUYIN_TEST_SCREENSHOT")), &seen))
	require.Empty(t, seen.Blocked)
	require.Empty(t, seen.Problems)
	require.Contains(t, seen.Visitor, `"first of all"`)
	require.Contains(t, seen.Session, "Signed in as ann")
	require.Contains(t, seen.Viewer, `"name":"ann"`)
	require.Contains(t, seen.Counts, "first of all")
	require.Contains(t, seen.Message, "hello-ann")
	require.GreaterOrEqual(t, seen.Operations, 4) // the schema, two queries, the login
}

// chromium returns the path of a browser, the one of DOUYIN_TEST_CHROMIUM first.
func chromium(t *testing.T) string {
	t.Helper()
	testserver.SkipIfShort(t)
	const onMac = "/Applications/Chromium.app/Contents/MacOS/Chromium"
	for _, name := range []string{os.Getenv("DOUYIN_TEST_CHROMIUM"), "chromium", "chromium-browser", "google-chrome", onMac} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	require.FailNow(t, "no chromium: install it, or name one with DOUYIN_TEST_CHROMIUM")
	return ""
}

// Without introspection there is nothing to explore with.
func TestNoPlayground(t *testing.T) {
	s := newSite(t, func(cfg *bff.Config) { cfg.Introspection = false })
	require.Equal(t, http.StatusNotFound, s.rest(t, "GET", "/playground").status)
	require.Equal(t, http.StatusNotFound, s.rest(t, "GET", "/playground/").status)
}
