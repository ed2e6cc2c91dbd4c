//go:build unix

// Package s3test gives tests a real server of S3: versitygw, which keeps objects in a folder.
package s3test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"minidouyin/services/testenv/daemon"
)

// Server is a server of S3 that a test may kill and start again.
type Server struct {
	// Endpoint is where it is, such as http://127.0.0.1:9000; any address style and region us-east-1.
	Endpoint string
	// AccessKey and SecretKey are those of its owner.
	AccessKey, SecretKey string

	folder string
	health string
	daemon *daemon.Daemon
}

// Start starts an empty server on a free port; it ends with the test. It has no bucket yet.
func Start(tb testing.TB) *Server {
	tb.Helper()
	free, err := daemon.FreeAddrs(1)
	if err != nil {
		tb.Fatal("s3test: ", err)
	}
	s := &Server{Endpoint: "http://" + free[0], AccessKey: rand.Text(), SecretKey: rand.Text(), folder: tb.TempDir(),
		health: "/" + rand.Text()} // nobody else answers there
	s.Restart(tb)
	tb.Cleanup(func() { s.Kill(tb) })
	return s
}

// Store returns the URL of a store in a bucket of its own, which is made when the store is opened.
func (s *Server) Store(bucket string) string {
	return StoreAt(s.Endpoint, bucket)
}

// StoreAt returns the same for another way to the server.
func StoreAt(endpoint, bucket string) string {
	return "s3://" + bucket + "?path-style=true&create=true&endpoint=" + endpoint
}

// Folder returns where the server keeps its objects: a folder for each bucket, files by their names in it.
func (s *Server) Folder() string { return filepath.Join(s.folder, "objects") }

// Kill ends the server as a power cut does.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	if err := s.daemon.Kill(); err != nil {
		tb.Fatal("s3test: ", err)
	}
}

// Restart starts the server again on the same port, with what it kept, after Kill.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	program, err := Find()
	if err != nil {
		tb.Fatal("s3test: ", err)
	}
	if err := os.MkdirAll(s.Folder(), 0o700); err != nil {
		tb.Fatal("s3test: ", err)
	}
	log := filepath.Join(s.folder, "log")
	s.daemon, err = daemon.Start(daemon.Command{Path: program, Log: log,
		Args: []string{"--port", s.Endpoint[len("http://"):], "--health", s.health, "--quiet", "posix", s.Folder()},
		Env:  []string{"ROOT_ACCESS_KEY=" + s.AccessKey, "ROOT_SECRET_KEY=" + s.SecretKey}})
	if err != nil {
		tb.Fatal("s3test: ", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.daemon.Wait(ctx, s.ready); err != nil {
		tb.Fatal("s3test: ", err)
	}
}

func (s *Server) ready(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint+s.health, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}

// Find returns the path of versitygw: as DOUYIN_TEST_VERSITYGW says, else the one that make builds, else that in PATH.
func Find() (string, error) {
	if path := os.Getenv("DOUYIN_TEST_VERSITYGW"); path != "" {
		return exec.LookPath(path)
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := here; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if path, err := exec.LookPath(filepath.Join(dir, "bin", "versitygw")); err == nil {
			return path, nil
		}
	}
	if path := daemon.Find("versitygw"); path != "" {
		return path, nil
	}
	return "", fmt.Errorf("no versitygw: `make bin/versitygw` builds it; or set DOUYIN_TEST_VERSITYGW to its path")
}
