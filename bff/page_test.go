package bff_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"minidouyin/bff"
)

// The page of a shared link has the title of its video, escaped. The page of an unknown video has status 404. Both load
// the client.
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
