//go:build unix

// Package s3test gives tests a real S3 server: versitygw, which keeps objects in a folder.
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

	"minidouyin/services/testenv/daemon"
	"minidouyin/services/testenv/testserver"
)

// Server is an S3 server that a test may kill and restart. It keeps its port and objects.
type Server struct {
	testserver.Server
	// Endpoint is its URL, such as http://127.0.0.1:9000. It takes any address style; the region is us-east-1.
	Endpoint string
	// AccessKey and SecretKey are the credentials of its owner.
	AccessKey, SecretKey string

	folder string
	health string
}

// Start starts an empty server, without buckets, on a free port and stops it when the test ends.
func Start(tb testing.TB) *Server {
	tb.Helper()
	testserver.SkipIfShort(tb)
	program, err := Find()
	if err != nil {
		tb.Fatal(err)
	}
	free, err := daemon.FreeAddrs(1)
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{Endpoint: "http://" + free[0], AccessKey: rand.Text(), SecretKey: rand.Text(), folder: tb.TempDir(),
		health: "/" + rand.Text()} // no other server answers this path
	if err := os.MkdirAll(s.Folder(), 0o700); err != nil {
		tb.Fatal(err)
	}
	s.Command = daemon.Command{Path: program, Log: filepath.Join(s.folder, "log"),
		Args: []string{"--port", free[0], "--health", s.health, "--quiet", "posix", s.Folder()},
		Env:  []string{"ROOT_ACCESS_KEY=" + s.AccessKey, "ROOT_SECRET_KEY=" + s.SecretKey}}
	s.Ready = s.ready
	s.Start(tb)
	return s
}

// Store returns the URL of a store in a bucket of its own. Opening the store creates the bucket.
func (s *Server) Store(bucket string) string {
	return StoreAt(s.Endpoint, bucket)
}

// StoreAt is like [Server.Store] for another endpoint of the server.
func StoreAt(endpoint, bucket string) string {
	return "s3://" + bucket + "?path-style=true&create=true&endpoint=" + endpoint
}

// Folder returns the folder of the objects: a folder for each bucket, with files by object name.
func (s *Server) Folder() string { return filepath.Join(s.folder, "objects") }

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

// Find returns the path of versitygw: DOUYIN_TEST_VERSITYGW, else the one that make builds, else the one in PATH.
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
