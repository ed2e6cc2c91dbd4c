package bff_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/stretchr/testify/require"

	"minidouyin/bff"
)

const whoAmI = `{"query": "{ viewer { name } }"}`

// A token that was put into the cookie speaks for its user, until it is taken back; and only for pages of this site.
func TestSessionCookie(t *testing.T) {
	s := newSite(t)
	_, token := s.register(t, "ann")
	kept := s.request(t, "POST", "/session", `{"token": "`+token+`"}`, "Content-Type", "application/json")
	require.Equal(t, http.StatusNoContent, kept.status)
	cookie := kept.header.Get("Set-Cookie")
	for _, attribute := range []string{"session=" + token, "Path=/", "Expires=", "HttpOnly", "SameSite=Strict"} {
		require.Contains(t, cookie, attribute)
	}
	require.NotContains(t, cookie, "Secure")
	require.NotContains(t, cookie, "Domain")

	const json = "application/json"
	mine := "session=" + token
	require.Contains(t, s.request(t, "POST", "/graphql", whoAmI, "Content-Type", json, "Cookie", mine).text, `"name":"ann"`)
	get := "/graphql?query=%7Bviewer%7Bname%7D%7D"
	require.Equal(t, http.StatusForbidden, s.request(t, "GET", get, "", "Cookie", mine).status)
	asked := s.request(t, "GET", get, "", "Cookie", mine, "X-Requested-With", "minidouyin")
	require.Contains(t, asked.text, `"name":"ann"`)
	require.Contains(t, strings.Join(asked.header.Values("Vary"), ", "), "Cookie")
	require.NotContains(t, asked.header.Get("Cache-Control"), "public")

	_, other := s.register(t, "bob")
	require.Contains(t, s.request(t, "POST", "/graphql", whoAmI, "Content-Type", json, "Cookie", mine, "Authorization", "Bearer "+other).text, `"name":"bob"`)

	stale := s.request(t, "POST", "/graphql", whoAmI, "Content-Type", json, "Cookie", "session=stale")
	require.Equal(t, `{"data":{"viewer":null}}`, strings.TrimSpace(stale.text))
	require.Contains(t, stale.header.Get("Set-Cookie"), "session=;")
	require.Contains(t, stale.header.Get("Set-Cookie"), "Expires=Thu, 01 Jan 1970")

	gone := s.request(t, "DELETE", "/session", "")
	require.Equal(t, http.StatusNoContent, gone.status)
	require.Contains(t, gone.header.Get("Set-Cookie"), "Expires=Thu, 01 Jan 1970")
	require.Contains(t, s.rest(t, "GET", "/douyin/user/", "token", "").text, `"status_code"`)
}

// What POST /session does not take sets no cookie.
func TestSessionRefuses(t *testing.T) {
	s := newSite(t)
	_, token := s.register(t, "ann")
	good := `{"token": "` + token + `"}`
	for _, c := range []struct {
		name, method, body string
		headers            []string
		status             int
	}{
		{"a token that is none", "POST", `{"token": "x"}`, []string{"Content-Type", "application/json"}, http.StatusUnauthorized},
		{"no token", "POST", `{}`, []string{"Content-Type", "application/json"}, http.StatusUnauthorized},
		{"what is no JSON", "POST", `x`, []string{"Content-Type", "application/json"}, http.StatusBadRequest},
		{"a body without end", "POST", `{"token": "` + strings.Repeat("x", 1<<20), []string{"Content-Type", "application/json"}, http.StatusBadRequest},
		{"a form", "POST", good, []string{"Content-Type", "text/plain"}, http.StatusUnsupportedMediaType},
		{"a page of another site", "POST", good, []string{"Content-Type", "application/json", "Origin", "https://evil.example"}, http.StatusForbidden},
		{"what the browser calls another site's", "POST", good, []string{"Content-Type", "application/json", "Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{"a sign-out by a page of another site", "DELETE", "", []string{"Origin", "https://evil.example"}, http.StatusForbidden},
		{"a look", "GET", "", nil, http.StatusMethodNotAllowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.request(t, c.method, "/session", c.body, c.headers...)
			require.Equal(t, c.status, a.status)
			require.Empty(t, a.header.Get("Set-Cookie"))
		})
	}
}

// Where the outside comes by https, the cookie does not travel without.
func TestSecureCookie(t *testing.T) {
	s := newSite(t, func(cfg *bff.Config) { cfg.PublicURL = "https://video.example.org" })
	_, token := s.register(t, "ann")
	kept := s.request(t, "POST", "/session", `{"token": "`+token+`"}`, "Content-Type", "application/json", "Origin", "https://video.example.org")
	require.Equal(t, http.StatusNoContent, kept.status)
	require.Contains(t, kept.header.Get("Set-Cookie"), "Secure")
	page := s.request(t, "GET", "/", "", "Accept", "text/html")
	require.Contains(t, page.header.Get("Content-Security-Policy"), "media-src 'self' blob: https://video.example.org;")
}

// A socket that is opened with the cookie is its user's, and no page of another site can open one.
func TestCookieOfASocket(t *testing.T) {
	s := newSite(t)
	_, token := s.register(t, "ann")
	dial := func(origin string) (*websocket.Conn, *http.Response, error) {
		return websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(s.url, "http")+"/graphql", &websocket.DialOptions{
			Subprotocols: []string{"graphql-transport-ws"},
			HTTPHeader:   http.Header{"Cookie": {"session=" + token}, "Origin": {origin}},
		})
	}
	_, response, err := dial("https://evil.example")
	require.Error(t, err)
	_ = response.Body.Close()
	require.Equal(t, http.StatusForbidden, response.StatusCode)

	conn, response, err := dial(s.url)
	require.NoError(t, err)
	if response.Body != nil {
		_ = response.Body.Close()
	}
	defer func() { _ = conn.CloseNow() }()
	socket := newSocket(t, conn)
	socket.send(frame{Type: "connection_init"})
	require.Equal(t, "connection_ack", socket.read().Type)
	require.NoError(t, wsjson.Write(t.Context(), conn, frame{ID: "1", Type: "subscribe", Payload: []byte(`{"query": "{ viewer { name } }"}`)}))
	require.Equal(t, `{"viewer":{"name":"ann"}}`, socket.event())
}
