package gqlhttp_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/bff/gqlhttp"
	"minidouyin/services/testenv/pipetest"
)

// newPipedServer returns a server that is reached by pipes, by the clock of the test.
func newPipedServer(t *testing.T, configure ...func(*gqlhttp.Config)) *server {
	t.Helper()
	s, handler := newHandler(t, configure...)
	ln := pipetest.Listen()
	httpServer := &http.Server{Handler: handler}
	go func() { _ = httpServer.Serve(ln) }()
	transport := &http.Transport{DialContext: ln.Dial}
	s.url, s.client = "http://pipes", &http.Client{Transport: transport}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		require.NoError(t, httpServer.Close())
		require.NoError(t, handler.Shutdown(context.Background()))
	})
	return s
}

// A silent client is pinged: one that answers stays, another one is disconnected.
func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const silence = 100 * time.Millisecond
		c := newPipedServer(t, func(cfg *gqlhttp.Config) { cfg.Limits.KeepAlive = silence }).connect(t)
		begin := time.Now()
		for range 5 {
			require.Equal(t, "ping", c.read().Type)
			c.send(frame{Type: "pong"})
		}
		require.Equal(t, 5*silence, time.Since(begin))
		require.EqualValues(t, -1, c.ended(), "it is disconnected without a close frame")
		require.Equal(t, 7*silence, time.Since(begin), "a ping that was not answered, and then the end")
	})
}

// A stream of events in which nothing happens carries comments.
func TestKeepAliveOfEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newPipedServer(t, func(cfg *gqlhttp.Config) {
			cfg.Limits.KeepAlive, cfg.Schema = 50*time.Millisecond, blocking{cfg.Schema}
		})
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+`?query={__typename}`, nil)
		require.NoError(t, err)
		request.Header.Set("Accept", "text/event-stream")
		begin := time.Now()
		response, err := s.client.Do(request)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		comments := make([]byte, 12)
		_, err = io.ReadFull(response.Body, comments)
		require.NoError(t, err)
		require.Equal(t, ":\n\n:\n\n:\n\n:\n\n", string(comments))
		require.Equal(t, 3*50*time.Millisecond, time.Since(begin))
	})
}
