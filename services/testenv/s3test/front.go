//go:build unix

package s3test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Front is a proxy of a server that can kill it in the middle of a request.
type Front struct {
	// Endpoint is the URL of the proxy.
	Endpoint string

	server *Server
	left   atomic.Int64 // bytes until the server is killed, when armed
	armed  atomic.Bool
	kill   func()
}

// NewFront starts a proxy of a server and stops it when the test ends.
func NewFront(tb testing.TB, s *Server) *Front {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	f := &Front{Endpoint: "http://" + ln.Addr().String(), server: s}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() { f.pass(conn) })
		}
	})
	tb.Cleanup(func() {
		_ = ln.Close()
		s.Kill(tb) // which closes the connections
		running.Wait()
	})
	return f
}

// KillAfter kills the server after n more bytes of requests. The channel is closed when it is gone.
func (f *Front) KillAfter(tb testing.TB, n int64) <-chan struct{} {
	gone := make(chan struct{})
	f.kill = sync.OnceFunc(func() {
		f.server.Kill(tb)
		close(gone)
	})
	f.left.Store(n)
	f.armed.Store(true)
	return gone
}

func (f *Front) pass(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", f.server.Endpoint[len("http://"):])
	if err != nil {
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(client, server) // until one side closes
		_ = client.Close()
	})
	buffer := make([]byte, 512)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			break
		}
		if f.armed.Load() && f.left.Add(-int64(n)) < 0 {
			f.armed.Store(false)
			f.kill()
			break
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			break
		}
	}
	_ = server.Close()
	back.Wait()
}
