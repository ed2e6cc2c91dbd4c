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

	"minidouyin/services/testenv/daemon"
)

// startTime bounds how long a server may take until it answers.
const startTime = time.Minute

// Server is a Redis that a test may kill and start again: one process, or a cluster of them.
type Server struct {
	// URL names it, as for services.OpenRedis.
	URL string

	nodes []*node
}

// node is one process.
type node struct {
	folder  string
	url     string
	port    string // of a cluster's
	joined  bool   // the cluster
	command daemon.Command
	daemon  *daemon.Daemon
}

// Start starts an empty Redis behind a unix socket; it ends with the test. Every write is on disk when it is
// answered, unless args, which are those of redis-server, say otherwise.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	n := newNode(tb, args...)
	tb.Cleanup(func() { _ = os.RemoveAll(n.folder) })
	s := &Server{URL: n.url, nodes: []*node{n}}
	s.Restart(tb)
	tb.Cleanup(func() { s.Kill(tb) })
	return s
}

func newNode(tb testing.TB, args ...string) *node {
	tb.Helper()
	folder, err := os.MkdirTemp("", "redis") // paths of sockets must be short
	if err != nil {
		tb.Fatal("redistest: ", err)
	}
	command, socket, err := daemon.Redis(folder, args...)
	if err != nil {
		tb.Fatal("redistest: ", err)
	}
	return &node{folder: folder, url: "unix://" + socket, command: command}
}

// Kill ends the server as a power cut does.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	for _, n := range s.nodes {
		if err := n.daemon.Kill(); err != nil {
			tb.Fatal("redistest: ", err)
		}
	}
}

// Pause makes the server hang, as one does whose machine is gone, until Continue.
func (s *Server) Pause(tb testing.TB) { s.signal(tb, syscall.SIGSTOP) }

// Continue ends a Pause.
func (s *Server) Continue(tb testing.TB) { s.signal(tb, syscall.SIGCONT) }

func (s *Server) signal(tb testing.TB, signal syscall.Signal) {
	tb.Helper()
	for _, n := range s.nodes {
		if err := n.daemon.Signal(signal); err != nil {
			tb.Fatal("redistest: ", err)
		}
	}
}

// Restart starts the server again, with what it kept, after Kill. One of a cluster then takes commands, if all others
// do.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	var err error
	for _, n := range s.nodes {
		if n.daemon, err = daemon.Start(n.command); err != nil {
			tb.Fatal("redistest: ", err)
		}
	}
	for _, n := range s.nodes {
		n.wait(tb, func(ctx context.Context, client *redis.Client) error { return client.Ping(ctx).Err() })
		if n.joined {
			n.waitForCluster(tb)
		}
	}
}

// wait waits until ready returns nil.
func (n *node) wait(tb testing.TB, ready func(ctx context.Context, client *redis.Client) error) {
	tb.Helper()
	options, err := redis.ParseURL(n.url)
	if err != nil {
		tb.Fatal("redistest: ", err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	if err := n.daemon.Wait(ctx, func(ctx context.Context) error { return ready(ctx, client) }); err != nil {
		tb.Fatal("redistest: ", err)
	}
}
