package middleware

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// Addresses of files are absolute whatever the request's Host says, and hold no more than a host and a port.
func TestHostOf(t *testing.T) {
	for host, want := range map[string]string{
		"example.org": "example.org", "example.org:8080": "example.org:8080", "127.0.0.1:80": "127.0.0.1:80", "[::1]:80": "[::1]:80",
		"": "127.0.0.1:9", "..": "127.0.0.1:9", ":80": "127.0.0.1:9", "a'b": "127.0.0.1:9", "evil.example:abc": "127.0.0.1:9",
		"%00": "127.0.0.1:9", "a/b": "127.0.0.1:9", "user@host": "127.0.0.1:9",
	} {
		t.Run(host, func(t *testing.T) {
			ctx := context.WithValue(context.Background(), http.LocalAddrContextKey,
				net.Addr(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}))
			r := httptest.NewRequestWithContext(ctx, "GET", "/", nil)
			r.Host = host
			require.Equal(t, want, hostOf(r))
		})
	}
}
