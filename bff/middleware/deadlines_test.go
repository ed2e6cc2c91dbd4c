package middleware

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/services/testenv/pipetest"
)

// A body that stalls ends its request. The deadline for that is not one of the answer, which may take longer, nor of
// the next request on the connection. All of this happens by a clock of its own, so no machine is too slow for it.
func TestExtendDeadlines(t *testing.T) { synctest.Test(t, testExtendDeadlines) }

func testExtendDeadlines(t *testing.T) {
	const stall = 300 * time.Millisecond
	ln := pipetest.Listen()
	server := &http.Server{Handler: ExtendDeadlines(stall)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			w.WriteHeader(http.StatusRequestTimeout)
			return
		}
		time.Sleep(2 * stall)
		if r.Context().Err() != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))}
	go func() { _ = server.Serve(ln) }()
	client := &http.Client{Transport: &http.Transport{DialContext: ln.Dial}}
	defer func() {
		client.CloseIdleConnections()
		require.NoError(t, server.Close())
	}()
	send := func(method string, body io.Reader) int {
		r, err := http.NewRequest(method, "http://pipes/", body)
		require.NoError(t, err)
		response, err := client.Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	for range 2 {
		require.Equal(t, http.StatusOK, send("GET", nil))
		require.Equal(t, http.StatusOK, send("POST", strings.NewReader("hello")))
		require.Equal(t, http.StatusOK, send("POST", io.MultiReader(bytes.NewReader(make([]byte, 1<<20)))), "no length announced")
	}
	slow, w := io.Pipe()
	go func() {
		for range 12 { // twice the time in which a stalled one ends
			time.Sleep(stall / 6)
			_, _ = io.WriteString(w, "more")
		}
		_ = w.Close()
	}()
	require.Equal(t, http.StatusOK, send("POST", slow))
	stalled, w := io.Pipe()
	defer func() { _ = w.Close() }()
	go func() { _, _ = io.WriteString(w, "and then nothing") }()
	require.Equal(t, http.StatusRequestTimeout, send("POST", stalled))
}
