//go:build unix

// Package redistest gives tests a real Redis.
package redistest

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"minidouyin/services/daemon"
)

// Server is a Redis that a test may kill and start again.
type Server struct {
	// URL names it, as for services.OpenRedis.
	URL string

	command daemon.Command
	daemon  *daemon.Daemon
}

// Start starts an empty Redis behind a unix socket; it ends with the test. Every write is on disk when it is
// answered, unless args, which are those of redis-server, say otherwise.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	folder, err := os.MkdirTemp("", "redis") // paths of sockets must be short
	if err != nil {
		tb.Fatal("redistest: ", err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(folder) })
	command, socket, err := daemon.Redis(folder, args...)
	if err != nil {
		tb.Fatal("redistest: ", err)
	}
	s := &Server{URL: "unix://" + socket, command: command}
	s.Restart(tb)
	tb.Cleanup(func() { s.Kill(tb) })
	return s
}

// Kill ends the server as a power cut does.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	if err := s.daemon.Kill(); err != nil {
		tb.Fatal("redistest: ", err)
	}
}

// Pause makes the server hang, as one does whose machine is gone, until Continue.
func (s *Server) Pause(tb testing.TB) { s.signal(tb, syscall.SIGSTOP) }

// Continue ends a Pause.
func (s *Server) Continue(tb testing.TB) { s.signal(tb, syscall.SIGCONT) }

func (s *Server) signal(tb testing.TB, signal syscall.Signal) {
	tb.Helper()
	if err := s.daemon.Signal(signal); err != nil {
		tb.Fatal("redistest: ", err)
	}
}

// Restart starts the server again, with what it kept, after Kill.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	var err error
	if s.daemon, err = daemon.Start(s.command); err != nil {
		tb.Fatal("redistest: ", err)
	}
	options, err := redis.ParseURL(s.URL)
	if err != nil {
		tb.Fatal("redistest: ", err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if err := s.daemon.Wait(ctx, func(ctx context.Context) error { return client.Ping(ctx).Err() }); err != nil {
		tb.Fatal("redistest: ", err)
	}
}
