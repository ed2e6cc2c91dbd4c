package gqlhttp_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The server speaks GraphQL over HTTP as its specification says: what it must do, what it should, and what it may.
func TestGraphQLOverHTTP(t *testing.T) {
	var result struct {
		Audits   int
		Failures []struct{ ID, Name, Status, Reason string }
	}
	out := node(t, "audit.mjs", newServer(t).url)
	require.NoError(t, json.Unmarshal(out, &result), "%s", out)
	require.Empty(t, result.Failures)
	require.Equal(t, 61, result.Audits)
}

// node runs a script of the folder conformance and returns what it prints. The packages are installed at first.
func node(t *testing.T, script string, args ...string) []byte {
	t.Helper()
	run := func(name string, args ...string) []byte {
		ctx, cancel := context.WithTimeout(context.Background(), 5*patience)
		defer cancel()
		command := exec.CommandContext(ctx, name, args...)
		command.Dir = "conformance"
		command.Stderr = os.Stderr
		out, err := command.Output()
		require.NoError(t, err, "%s %v needs node and npm: %s", name, args, out)
		return out
	}
	if _, err := os.Stat(filepath.Join("conformance", "node_modules", ".package-lock.json")); err != nil {
		run("npm", "ci", "--omit=optional", "--ignore-scripts")
	}
	return run("node", append([]string{script}, args...)...)
}
