//go:build unix

package daemon_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/services/testenv/daemon"
)

// patience bounds the wait for a condition.
const patience = time.Minute

// Stop ends a program and reports its failure with the end of its output.
func TestStop(t *testing.T) {
	for _, c := range []struct {
		name, script, err string
		wait              time.Duration
	}{
		{"it ends well", `trap "exit 0" TERM; touch $1; while :; do sleep 0.01; done`, "", patience},
		{"it leaves it to the signal", `touch $1; exec sleep 600`, "", patience},
		{"it ends badly", `trap "echo no disk; exit 3" TERM; touch $1; while :; do sleep 0.01; done`, "exit status 3\nno disk", patience},
		{"it does not end", `trap "" TERM; touch $1; while :; do sleep 0.01; done`, "does not end", time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			started := filepath.Join(folder, "started")
			d, err := daemon.Start(daemon.Command{
				Path: "/bin/sh", Args: []string{"-c", c.script, "sh", started}, Log: filepath.Join(folder, "log")})
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			require.NoError(t, d.Wait(ctx, func(context.Context) error { _, err := os.Stat(started); return err }))
			stopping, cancel := context.WithTimeout(ctx, c.wait)
			defer cancel()
			err = d.Stop(stopping)
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
			}
			<-d.Exited()
			require.NoError(t, d.Kill(), "killing an ended program does nothing")
		})
	}
}

// A program that ends before it is ready is reported at once.
func TestWait(t *testing.T) {
	d, err := daemon.Start(daemon.Command{Path: "/bin/sh", Args: []string{"-c", "echo no disk; exit 3"}, Log: filepath.Join(t.TempDir(), "log")})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err = d.Wait(ctx, func(context.Context) error { return errors.New("not yet") })
	require.ErrorContains(t, err, "no disk")
	require.NoError(t, d.Kill())
}
