//go:build unix

// Package etcdtest gives tests a real etcd.
package etcdtest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"minidouyin/services/testenv/daemon"
	"minidouyin/services/testenv/testserver"
)

// Server is an etcd that a test may kill and restart. It keeps its ports and data.
type Server struct {
	testserver.Server
	// Addr is the address for clients, host:port.
	Addr string

	data string
}

// Start starts an empty etcd on free ports and stops it when the test ends.
func Start(tb testing.TB) *Server {
	tb.Helper()
	testserver.SkipIfShort(tb)
	program := daemon.Find("etcd")
	if program == "" {
		tb.Fatal("no etcd: install it (apt-get install etcd-server, or brew install etcd)")
	}
	free, err := daemon.FreeAddrs(2)
	if err != nil {
		tb.Fatal(err)
	}
	folder := tb.TempDir()
	s := &Server{Addr: free[0], data: filepath.Join(folder, "data")}
	clients, peers := "http://"+free[0], "http://"+free[1]
	s.Command = daemon.Command{
		Path: program, Log: filepath.Join(folder, "log"),
		Args: []string{"--name", "test", "--data-dir", s.data,
			"--listen-client-urls", clients, "--advertise-client-urls", clients,
			"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "test=" + peers},
	}
	s.Ready = s.ready
	s.Start(tb)
	return s
}

func (s *Server) ready(ctx context.Context) error {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{s.Addr}, Logger: zap.NewNop()})
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.Get(ctx, "ready")
	return err
}

// Wipe deletes the data of a killed server.
func (s *Server) Wipe(tb testing.TB) {
	tb.Helper()
	if err := os.RemoveAll(s.data); err != nil {
		tb.Fatal(err)
	}
}
