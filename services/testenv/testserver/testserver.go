//go:build unix

// Package testserver runs a server that a test may kill and restart.
package testserver

import (
	"context"
	"syscall"
	"testing"
	"time"

	"minidouyin/services/testenv/daemon"
)

// startTimeout bounds the time until a server is ready.
const startTimeout = time.Minute

// Server is a server of a test.
type Server struct {
	Command daemon.Command
	// Ready returns nil when the server answers.
	Ready  func(ctx context.Context) error
	daemon *daemon.Daemon
}

// SkipIfShort skips a test that needs a real server if -short is set.
func SkipIfShort(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("it needs a real server, and -short tests run without servers")
	}
}

// Start starts the server and kills it when the test ends.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	s.Restart(tb)
	tb.Cleanup(func() { s.Kill(tb) })
}

// Restart starts the server again after Kill, with the same command, and waits until it is ready.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	var err error
	if s.daemon, err = daemon.Start(s.Command); err != nil {
		tb.Fatal(err)
	}
	s.Wait(tb, s.Ready)
}

// Wait waits until ready returns nil.
func (s *Server) Wait(tb testing.TB, ready func(ctx context.Context) error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := s.daemon.Wait(ctx, ready); err != nil {
		tb.Fatal(err)
	}
}

// Kill kills the server with SIGKILL, like a power cut, and waits until it is gone.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	if err := s.daemon.Kill(); err != nil {
		tb.Fatal(err)
	}
}

// Signal sends a signal to the server.
func (s *Server) Signal(tb testing.TB, signal syscall.Signal) {
	tb.Helper()
	if err := s.daemon.Signal(signal); err != nil {
		tb.Fatal(err)
	}
}
