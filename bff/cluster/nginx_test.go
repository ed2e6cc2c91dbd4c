//go:build unix

package cluster

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/services/testenv/daemon"
)

// patience is how long a test waits for what must come: it bounds a test that fails.
const patience = time.Minute

// front starts nginx in front of two servers with the handler, and returns its address and the servers.
func front(t *testing.T, handler http.HandlerFunc) (addr string, bffs []*httptest.Server, log string) {
	t.Helper()
	var addrs []string
	for range 2 {
		bff := httptest.NewServer(handler)
		t.Cleanup(bff.Close)
		bffs, addrs = append(bffs, bff), append(addrs, strings.TrimPrefix(bff.URL, "http://"))
	}
	free, err := daemon.FreeAddrs(1)
	require.NoError(t, err)
	addr = free[0]
	p, err := nginx(t.TempDir(), addr, addrs)
	require.NoError(t, err)
	d, err := daemon.Start(p.command)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Kill()) })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, d.Wait(ctx, p.ready))
	return addr, bffs, p.command.Log
}

// A read is repeated at the other server when one breaks off in the middle; a write never is.
func TestNginxRepeats(t *testing.T) {
	for _, c := range []struct {
		method, path  string
		times, status int
	}{
		{"GET", "/douyin/feed/", 2, 200},
		{"GET", "/graphql?query={}", 2, 200},
		{"GET", "/media/videos/x.mp4", 2, 200},
		{"POST", "/douyin/favorite/action/", 1, 502},
		{"POST", "/douyin/publish/action/", 1, 502},
		{"POST", "/graphql", 1, 502},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			var times atomic.Int32
			addr, _, _ := front(t, func(w http.ResponseWriter, _ *http.Request) {
				if times.Add(1) == 1 {
					panic(http.ErrAbortHandler)
				}
				_, _ = io.WriteString(w, "well")
			})
			r, err := http.NewRequest(c.method, "http://"+addr+c.path, http.NoBody)
			require.NoError(t, err)
			response, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, c.status, response.StatusCode)
			require.EqualValues(t, c.times, times.Load())
		})
	}
}

// While a server is away, every request goes to the other one, also writes: nothing of them was sent.
func TestNginxServerAway(t *testing.T) {
	addr, bffs, _ := front(t, func(http.ResponseWriter, *http.Request) {})
	bffs[0].Close()
	for range 20 {
		for _, path := range []string{"/graphql", "/douyin/publish/action/", "/douyin/comment/action/"} {
			response, err := http.Post("http://"+addr+path, "text/plain", strings.NewReader("hello"))
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusOK, response.StatusCode, path)
		}
	}
}

// The client is who connects, whatever it says of itself, and no log has what may be a token.
func TestNginxClient(t *testing.T) {
	var forwarded, host atomic.Value
	addr, bffs, log := front(t, func(_ http.ResponseWriter, r *http.Request) {
		forwarded.Store(r.Header.Get("X-Forwarded-For"))
		host.Store(r.Host)
	})
	ask := func() (status int) {
		r, err := http.NewRequest(http.MethodGet, "http://"+addr+"/douyin/feed/?token=mysecret", nil)
		require.NoError(t, err)
		r.Header.Set("X-Forwarded-For", "192.0.2.1")
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	require.Equal(t, http.StatusOK, ask())
	require.Equal(t, "127.0.0.1", forwarded.Load())
	require.Equal(t, addr, host.Load(), "addresses of files are made from it")
	for _, bff := range bffs {
		bff.Close()
	}
	require.Equal(t, http.StatusBadGateway, ask())
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(log)
		require.NoError(t, err)
		require.NotContains(t, string(text), "mysecret")
		return strings.Contains(string(text), "GET /douyin/feed/ 502")
	}, patience, 10*time.Millisecond)
}

// An upload reaches the server while it is being sent, however large it is, and an event reaches the client while the
// answer goes on.
func TestNginxStreams(t *testing.T) {
	for _, path := range []string{"/graphql", "/douyin/publish/action/"} {
		t.Run(path, func(t *testing.T) {
			first := make(chan string, 1)
			addr, _, _ := front(t, func(w http.ResponseWriter, r *http.Request) {
				part := make([]byte, 5)
				_, _ = io.ReadFull(r.Body, part)
				first <- string(part)
				n, _ := io.Copy(io.Discard, r.Body)
				fmt.Fprintf(w, "%d", n)
			})
			body, sender := io.Pipe()
			answered := make(chan string, 1)
			go func() {
				response, err := http.Post("http://"+addr+path, "application/octet-stream", body)
				if err != nil {
					answered <- err.Error()
					return
				}
				defer response.Body.Close()
				text, _ := io.ReadAll(response.Body)
				answered <- string(text)
			}()
			_, err := io.WriteString(sender, "begin")
			require.NoError(t, err)
			select {
			case text := <-first:
				require.Equal(t, "begin", text)
			case <-time.After(patience):
				t.Fatal("the server gets nothing before the end")
			}
			const rest = 5 << 20
			_, err = io.Copy(sender, bytes.NewReader(make([]byte, rest)))
			require.NoError(t, err)
			require.NoError(t, sender.Close())
			require.Equal(t, fmt.Sprint(rest), <-answered)
		})
	}
	t.Run("events", func(t *testing.T) {
		addr, _, _ := front(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "event: next\n\n")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/graphql", nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer response.Body.Close()
		line, err := bufio.NewReader(response.Body).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "event: next\n", line)
	})
}

// A connection becomes a websocket, in both directions.
func TestNginxUpgrade(t *testing.T) {
	addr, _, _ := front(t, func(w http.ResponseWriter, r *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprintf(buffered, "HTTP/1.1 101 Switching Protocols\r\nConnection: %s\r\nUpgrade: %s\r\n\r\n", r.Header.Get("Connection"), r.Header.Get("Upgrade"))
		_ = buffered.Flush()
		line, _ := buffered.ReadString('\n')
		_, _ = io.WriteString(conn, "heard "+line)
	})
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, "GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	require.NoError(t, err)
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
	_, err = io.WriteString(conn, "hello\n")
	require.NoError(t, err)
	line, err := reader.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "heard hello\n", line)
}

// Answers in JSON are compressed for those who can read that.
func TestNginxCompresses(t *testing.T) {
	text := strings.Repeat(`{"a":1}`, 1000)
	addr, _, _ := front(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/graphql-response+json; charset=utf-8")
		_, _ = io.WriteString(w, text)
	})
	r, err := http.NewRequest(http.MethodGet, "http://"+addr+"/graphql", nil)
	require.NoError(t, err)
	r.Header.Set("Accept-Encoding", "gzip")
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, "gzip", response.Header.Get("Content-Encoding"))
	require.Equal(t, "Accept-Encoding", response.Header.Get("Vary"))
	plain, err := gzip.NewReader(response.Body)
	require.NoError(t, err)
	got, err := io.ReadAll(plain)
	require.NoError(t, err)
	require.Equal(t, text, string(got))
}
