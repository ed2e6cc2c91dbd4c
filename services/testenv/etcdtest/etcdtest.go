//go:build unix

// Package etcdtest gives tests a real etcd.
package etcdtest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"minidouyin/services/testenv/daemon"
)

// Server is an etcd that a test may kill and start again.
type Server struct {
	// Addr is where clients connect, host:port.
	Addr string

	peers  string
	folder string
	daemon *daemon.Daemon
}

// Start starts an empty etcd on free ports; it ends with the test.
func Start(tb testing.TB) *Server {
	tb.Helper()
	free, err := daemon.FreeAddrs(2)
	if err != nil {
		tb.Fatal("etcdtest: ", err)
	}
	s := &Server{Addr: free[0], peers: free[1], folder: tb.TempDir()}
	s.Restart(tb)
	tb.Cleanup(func() { s.Kill(tb) })
	return s
}

// Kill ends the server as a power cut does.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	if err := s.daemon.Kill(); err != nil {
		tb.Fatal("etcdtest: ", err)
	}
}

// Wipe takes away all that a killed server has kept.
func (s *Server) Wipe(tb testing.TB) {
	tb.Helper()
	if err := os.RemoveAll(filepath.Join(s.folder, "data")); err != nil {
		tb.Fatal("etcdtest: ", err)
	}
}

// Restart starts the server again on the same ports, with what it kept, after Kill.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	program := daemon.Find("etcd")
	if program == "" {
		tb.Fatal("etcdtest: no etcd: install it (apt-get install etcd-server, or brew install etcd)")
	}
	client, peers := "http://"+s.Addr, "http://"+s.peers
	var err error
	s.daemon, err = daemon.Start(daemon.Command{
		Path: program, Log: filepath.Join(s.folder, "log"),
		Args: []string{"--name", "test", "--data-dir", filepath.Join(s.folder, "data"),
			"--listen-client-urls", client, "--advertise-client-urls", client,
			"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "test=" + peers},
	})
	if err != nil {
		tb.Fatal("etcdtest: ", err)
	}
	ask, err := clientv3.New(clientv3.Config{Endpoints: []string{s.Addr}, Logger: zap.NewNop()})
	if err != nil {
		tb.Fatal("etcdtest: ", err)
	}
	defer ask.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.daemon.Wait(ctx, func(ctx context.Context) error { _, err := ask.Get(ctx, "ready"); return err }); err != nil {
		tb.Fatal("etcdtest: ", err)
	}
}
