//go:build unix

// Package redistest gives tests a real Redis.
package redistest

import (
	"context"
	"os"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"minidouyin/services/testenv/daemon"
	"minidouyin/services/testenv/testserver"
)

// Server is a Redis that a test may kill and restart: one process, or a cluster of them. It keeps its data.
type Server struct {
	// URL is for services.OpenRedis.
	URL string

	nodes []*node
}

// node is one process.
type node struct {
	testserver.Server
	folder string
	url    string
	port   string // in a cluster
	joined bool   // to the cluster
}

// Start starts an empty Redis on a unix socket and stops it when the test ends. Every write is on disk before the reply,
// unless args, which are arguments of redis-server, change that.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	testserver.SkipIfShort(tb)
	n := newNode(tb, args...)
	tb.Cleanup(func() { _ = os.RemoveAll(n.folder) })
	n.Start(tb)
	return &Server{URL: n.url, nodes: []*node{n}}
}

func newNode(tb testing.TB, args ...string) *node {
	tb.Helper()
	folder, err := os.MkdirTemp("", "redis") // the path of a socket must be short
	if err != nil {
		tb.Fatal(err)
	}
	command, socket, err := daemon.Redis(folder, args...)
	if err != nil {
		tb.Fatal(err)
	}
	n := &node{folder: folder, url: "unix://" + socket}
	n.Command, n.Ready = command, n.with(func(ctx context.Context, client *redis.Client) error { return client.Ping(ctx).Err() })
	return n
}

// with returns a function that runs a command on the node.
func (n *node) with(run func(ctx context.Context, client *redis.Client) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		options, err := redis.ParseURL(n.url)
		if err != nil {
			return err
		}
		client := redis.NewClient(options)
		defer client.Close()
		return run(ctx, client)
	}
}

// Kill kills the server with SIGKILL, like a power cut.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	for _, n := range s.nodes {
		n.Kill(tb)
	}
}

// Pause makes the server hang until Continue, as if its machine were unreachable.
func (s *Server) Pause(tb testing.TB) { s.signal(tb, syscall.SIGSTOP) }

// Continue ends a Pause.
func (s *Server) Continue(tb testing.TB) { s.signal(tb, syscall.SIGCONT) }

func (s *Server) signal(tb testing.TB, signal syscall.Signal) {
	tb.Helper()
	for _, n := range s.nodes {
		n.Signal(tb, signal)
	}
}

// Restart starts the server again after Kill, and waits until it takes commands. A node of a cluster does so when all
// nodes run.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	for _, n := range s.nodes {
		n.Restart(tb)
	}
	for _, n := range s.nodes {
		if n.joined {
			n.waitForCluster(tb)
		}
	}
}
