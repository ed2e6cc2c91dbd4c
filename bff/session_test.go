package bff_test

import (
	"net/http"
	"regexp"
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

// A shared link tells of its video, in text that is only text; one to nothing says so. Both show the page.
func TestSharedLinks(t *testing.T) {
	s := newSite(t)
	_, token := s.register(t, "ann")
	id := s.publish(t, token, `"><script>alert(1)</script>`)
	page := s.request(t, "GET", "/video/"+id, "", "Accept", "text/html")
	require.Equal(t, http.StatusOK, page.status)
	require.NotContains(t, page.text, "<script>alert")
	require.Contains(t, page.text, `<meta property="og:title" content="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;" />`)
	require.Contains(t, page.text, `content="@ann"`)
	cover := regexp.MustCompile(`og:image" content="([^"]+)"`).FindStringSubmatch(page.text)[1]
	require.Equal(t, "image/jpeg", s.rest(t, "GET", strings.TrimPrefix(cover, s.url)).header.Get("Content-Type"))
	require.Contains(t, page.text, s.url+"/video/"+id)
	s.calls.take()
	s.request(t, "GET", "/video/"+id, "")
	require.Equal(t, "BatchGetUsers 1, BatchGetVideos 1", text(s.calls.take()))

	for _, missing := range []string{"/video/999", "/video/nothing"} {
		page := s.request(t, "GET", missing, "", "Accept", "text/html")
		require.Equal(t, http.StatusNotFound, page.status)
		require.Contains(t, page.text, `<div id="root">`)
		require.Contains(t, page.text, "<title>minidouyin</title>")
	}
}

// The root is the page for browsers and a few words for others; without the web client it is words for all.
func TestRoot(t *testing.T) {
	s := newSite(t)
	require.Contains(t, s.request(t, "GET", "/", "", "Accept", "text/html,*/*").text, `<div id="root">`)
	require.Contains(t, s.request(t, "GET", "/", "", "Accept", "*/*").text, "POST /graphql")
	require.Equal(t, http.StatusNotFound, s.request(t, "GET", "/nothing", "", "Accept", "text/html").status)

	without := newSite(t, func(cfg *bff.Config) { cfg.Web = false })
	require.Contains(t, without.request(t, "GET", "/", "", "Accept", "text/html").text, "POST /graphql")
	require.Equal(t, http.StatusNotFound, without.request(t, "GET", "/messages", "", "Accept", "text/html").status)
}
