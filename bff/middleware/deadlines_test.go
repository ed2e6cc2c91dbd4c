package middleware

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A body that stalls ends its request. Its deadline bounds neither the response, which may take longer, nor the next
// request on the connection.
func TestExtendDeadlines(t *testing.T) {
	const stall = 300 * time.Millisecond
	server := httptest.NewServer(ExtendDeadlines(stall)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			w.WriteHeader(http.StatusRequestTimeout)
			return
		}
		time.Sleep(2 * stall)
		if r.Context().Err() != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})))
	t.Cleanup(server.Close)
	send := func(method string, body io.Reader) int {
		r, err := http.NewRequest(method, server.URL, body)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(r)
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
	t.Cleanup(func() { _ = w.Close() })
	go func() { _, _ = io.WriteString(w, "and then nothing") }()
	require.Equal(t, http.StatusRequestTimeout, send("POST", stalled))
}
