package middleware

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"strings"
)

type baseURLKey struct{}

// BaseURLOf returns the URL by which clients reach this server, "" outside of a request.
func BaseURLOf(ctx context.Context) string {
	base, _ := ctx.Value(baseURLKey{}).(string)
	return base
}

// BaseURL is middleware that sets the URL by which clients reach this server: the public one, else that of the request.
func BaseURL(public string) func(http.Handler) http.Handler {
	public = strings.TrimSuffix(public, "/")
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			base := public
			if base == "" {
				base = "http://" + hostOf(r)
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), baseURLKey{}, base)))
		})
	}
}

var hostPattern = regexp.MustCompile(`^([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

// hostOf returns the host of the request. Without a valid one it returns the address that the client has connected to.
func hostOf(r *http.Request) string {
	if hostPattern.MatchString(r.Host) {
		return r.Host
	}
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		return addr.String()
	}
	return "localhost"
}
