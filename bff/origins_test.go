package bff_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"minidouyin/bff"
)

// Pages of the sites that are named may use the server, pages of others may not; and no answer is shown in a frame.
func TestOrigins(t *testing.T) {
	const friend, stranger = "https://friend.example", "https://stranger.example"
	open := newSite(t, func(cfg *bff.Config) { cfg.CORSOrigins, cfg.PublicURL = []string{friend}, "https://video.example" })
	closed := newSite(t)
	const query = "/graphql?query=%7B__typename%7D"
	require.Equal(t, friend, open.request(t, "GET", query, "", "Origin", friend).header.Get("Access-Control-Allow-Origin"))
	require.Empty(t, open.request(t, "GET", query, "", "Origin", stranger).header.Get("Access-Control-Allow-Origin"))
	require.Empty(t, closed.request(t, "GET", query, "", "Origin", friend).header.Get("Access-Control-Allow-Origin"))
	preflight := []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type", "Origin"}
	a := open.request(t, "OPTIONS", "/graphql", "", append(preflight, friend)...)
	require.Equal(t, 200, a.status)
	require.Equal(t, friend, a.header.Get("Access-Control-Allow-Origin"))
	require.Empty(t, open.request(t, "OPTIONS", "/graphql", "", append(preflight, stranger)...).header.Get("Access-Control-Allow-Origin"))

	form := []string{"Content-Type", "multipart/form-data; boundary=x", "Origin"}
	for origin, status := range map[string]int{friend: 400, "https://video.example": 400, stranger: 403} {
		require.Equal(t, status, open.request(t, "POST", "/graphql", "", append(form, origin)...).status, origin)
	}
	for _, path := range []string{query, "/douyin/feed/"} {
		header := open.request(t, "GET", path, "").header
		require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
		require.Equal(t, "DENY", header.Get("X-Frame-Options"))
		require.Equal(t, "no-referrer", header.Get("Referrer-Policy"))
		require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'")
		require.NotEmpty(t, header.Get("Strict-Transport-Security"))
	}
	require.Empty(t, closed.request(t, "GET", query, "").header.Get("Strict-Transport-Security"))
}
