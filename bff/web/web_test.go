package web_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/stretchr/testify/require"

	"minidouyin/bff/web"
	"minidouyin/idl/codes"
)

func get(t *testing.T, path, encodings string) *httptest.ResponseRecorder {
	t.Helper()
	handler, err := web.Handler(web.Config{
		Origins: []string{"https://files.example.org"},
		Video: func(_ context.Context, id string) (web.About, error) {
			switch id {
			case "1":
				return web.About{Title: "one", Author: "ann", Cover: "http://x/c.jpg", Page: "http://x/video/1"}, nil
			case "broken":
				return web.About{}, errors.New("broken")
			}
			return web.About{}, codes.Errorf(codes.NotFound, "there is no such video")
		},
	})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Accept-Encoding", encodings)
	handler.ServeHTTP(w, r)
	return w
}

// Every route responds with the page, without caching and with a strict Content-Security-Policy. Other paths are not
// found.
func TestPage(t *testing.T) {
	for _, path := range []string{"/", "/user/1", "/me", "/messages", "/messages/1", "/publish", "/sign-in", "/video/1", "/video/broken"} {
		page := get(t, path, "br")
		require.Equal(t, http.StatusOK, page.Code, path)
		require.Contains(t, page.Body.String(), `<div id="root"></div>`, path)
		require.Equal(t, "no-cache", page.Header().Get("Cache-Control"), path)
		policy := page.Header().Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: https://files.example.org data:;")
		require.NotContains(t, policy, "unsafe")
	}
	require.Equal(t, http.StatusNotFound, get(t, "/video/2", "").Code)
	for _, path := range []string{"/index.html", "/assets/", "/assets/none.js", "/user", "/user/1/2", "/src/main.tsx", "/assets/../index.html"} {
		require.Equal(t, http.StatusNotFound, get(t, path, "").Code, path)
	}
	require.NotRegexp(t, regexp.MustCompile(`<script>|<style|style=|onload=`), get(t, "/", "").Body.String())
}

// Assets are immutable, and served in the smallest variant that the client accepts.
func TestAssets(t *testing.T) {
	assets := regexp.MustCompile(`/assets/[^"]+`).FindAllString(get(t, "/", "").Body.String(), -1)
	require.NotEmpty(t, assets)
	for _, path := range assets {
		for accepted, encoding := range map[string]string{
			"": "", "gzip": "gzip", "gzip, deflate, br": "br", "br;q=0, gzip;q=0.5": "gzip", "gzip;q=0": "", "br;q=0.0": "", "identity": "",
		} {
			asset := get(t, path, accepted)
			require.Equal(t, http.StatusOK, asset.Code)
			require.Equal(t, encoding, asset.Header().Get("Content-Encoding"), accepted)
			require.Equal(t, "Accept-Encoding", asset.Header().Get("Vary"))
			require.Equal(t, "public, max-age=31536000, immutable", asset.Header().Get("Cache-Control"))
			require.Contains(t, asset.Header().Get("Content-Type"), map[string]string{".js": "javascript", ".css": "css"}[filepath.Ext(path)])
		}
	}
	for path, kind := range map[string]string{"/manifest.webmanifest": "application/manifest+json", "/icons/192.png": "image/png", "/icons/mark.svg": "image/svg+xml"} {
		require.Equal(t, kind, get(t, path, "").Header().Get("Content-Type"))
	}
}

// The compressed files have the same content as the plain ones. `make check-web` does not compare them, because their
// bytes depend on the version of the compressor.
func TestCompressed(t *testing.T) {
	count := 0
	require.NoError(t, filepath.WalkDir("dist", func(path string, _ fs.DirEntry, err error) error {
		require.NoError(t, err)
		compressed, err := os.ReadFile(path)
		var plain io.Reader
		switch filepath.Ext(path) {
		case ".gz":
			plain, err = gzip.NewReader(bytes.NewReader(compressed))
		case ".br":
			plain = brotli.NewReader(bytes.NewReader(compressed))
		default:
			return nil
		}
		require.NoError(t, err)
		count++
		got, err := io.ReadAll(plain)
		require.NoError(t, err)
		want, err := os.ReadFile(strings.TrimSuffix(path, filepath.Ext(path)))
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), path)
		return nil
	}))
	require.NotZero(t, count)
}
