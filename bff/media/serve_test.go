package media

import (
	"bytes"
	"context"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minidouyin/bff/media/mediatest"
)

// Stored files are served whole or in ranges, with headers for caching.
func TestServeFiles(t *testing.T) {
	eachStore(t, func(t *testing.T, on func(*Config)) {
		m := mustOpen(t, on)
		s := mustStage(t, m, mediatest.Sample(t, "fast.mp4"), "title")
		if err := s.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		content := string(mediatest.Sample(t, "fast.mp4"))
		tag := `"` + strings.TrimSuffix(filepath.Base(s.Keys[0]), ".mp4") + `"`
		for _, c := range []struct {
			name, method, header, value string
			status                      int
			body, contentRange          string
		}{
			{"whole", "GET", "", "", 200, content, ""},
			{"head", "HEAD", "", "", 200, "", ""},
			{"start", "GET", "Range", "bytes=0-99", 206, content[:100], "bytes 0-99/"},
			{"middle", "GET", "Range", "bytes=100-199", 206, content[100:200], "bytes 100-199/"},
			{"end", "GET", "Range", "bytes=-10", 206, content[len(content)-10:], "bytes "},
			{"behind the end", "GET", "Range", "bytes=99999999-", 416, "invalid range: failed to overlap\n", "bytes */"},
			{"unchanged", "GET", "If-None-Match", tag, 304, "", ""},
			{"other version", "GET", "If-None-Match", `"other"`, 200, content, ""},
			{"broken range", "GET", "Range", "bytes=x", 416, "invalid range\n", ""},
		} {
			t.Run(c.name, func(t *testing.T) {
				w := get(m, c.method, "/media/"+s.Keys[0], c.header, c.value)
				if w.Code != c.status || w.Body.String() != c.body || !strings.HasPrefix(w.Header().Get("Content-Range"), c.contentRange) {
					t.Errorf("status %d, %d bytes, range %q", w.Code, w.Body.Len(), w.Header().Get("Content-Range"))
				}
				wantHeader(t, w, "X-Content-Type-Options", "nosniff")
				if c.status == 416 {
					return
				}
				wantHeader(t, w, "ETag", tag)
				wantHeader(t, w, "Cache-Control", "public, max-age=31536000, immutable")
				if c.status != 304 {
					wantHeader(t, w, "Content-Type", "video/mp4")
					wantHeader(t, w, "Accept-Ranges", "bytes")
				}
			})
		}
		w := get(m, "GET", "/media/"+s.Keys[1], "", "")
		if _, err := jpeg.Decode(w.Body); err != nil {
			t.Errorf("cover: %v", err)
		}
		wantHeader(t, w, "Content-Type", "image/jpeg")

		if err := m.Remove(context.Background(), s.Keys[0]); err != nil {
			t.Fatal(err)
		}
		if w := get(m, "GET", "/media/"+s.Keys[0], "", ""); w.Code != 404 || w.Header().Get("Cache-Control") != "" {
			t.Errorf("removed file: status %d, headers %v", w.Code, w.Header())
		}
	})
}

// The default pictures are served from the start.
func TestServeDefaults(t *testing.T) {
	eachStore(t, func(t *testing.T, on func(*Config)) {
		m := mustOpen(t, func(cfg *Config) { withoutFFmpeg(cfg); on(cfg) })
		for _, key := range []string{DefaultAvatar, DefaultBackground} {
			w := get(m, "GET", "/media/"+key, "", "")
			if _, err := jpeg.Decode(bytes.NewReader(w.Body.Bytes())); w.Code != 200 || err != nil {
				t.Errorf("%s: status %d, %v", key, w.Code, err)
			}
			wantHeader(t, w, "Content-Type", "image/jpeg")
			if w := get(m, "GET", "/media/"+key, "If-None-Match", w.Header().Get("ETag")); w.Code != 304 {
				t.Errorf("%s again: status %d", key, w.Code)
			}
		}
	})
}

// No other file than those in the store can be read, with any path or method.
func TestServeRefuses(t *testing.T) {
	eachStore(t, func(t *testing.T, on func(*Config)) {
		m := mustOpen(t, func(cfg *Config) { withoutFFmpeg(cfg); on(cfg) })
		s := mustStage(t, m, mediatest.Sample(t, "fast.mp4"), "title")
		if err := s.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(m.cfg.Dir, "secret.mp4"), []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
		key := s.Keys[0]
		elsewhere := "zz"
		if key[7:9] == elsewhere {
			elsewhere = "aa"
		}
		for _, path := range []string{
			"/", "/media", "/media/", "/media/videos", "/media/videos/", "/media/" + key[:9], "/media/" + key[:10],
			"/media/../secret.mp4", "/media/../../secret.mp4", "/media/videos/../../secret.mp4", "/media//" + key, "/media/" + key + "/",
			"/media/" + key + "\x00", "/media/" + key + "\n", "/media/./" + key, "/media/videos/../" + key, "/media/" + strings.ToUpper(key),
			"/media/" + strings.ReplaceAll(key, "/", `\`), "/media/" + strings.Replace(key, key[7:9], elsewhere, 1), "/other/" + key, key,
			"/media/" + strings.Replace(key, "videos", "covers", 1), "/media/default/", "/media/default/../" + key, "/media/default/other.jpg",
		} {
			if w := get(m, "GET", path, "", ""); w.Code != 404 {
				t.Errorf("%q: status %d, %q", path, w.Code, w.Body.String())
			}
		}
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"} {
			w := get(m, method, "/media/"+key, "", "")
			if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s: status %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
			}
		}
	})
}

// get sends a request with exactly this path, which no router has cleaned.
func get(m *Media, method, path, header, value string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", nil)
	r.URL = &url.URL{Path: path}
	if header != "" {
		r.Header.Set(header, value)
	}
	w := httptest.NewRecorder()
	http.Handler(m).ServeHTTP(w, r)
	return w
}

func wantHeader(tb testing.TB, w *httptest.ResponseRecorder, name, want string) {
	tb.Helper()
	if got := w.Header().Get(name); got != want {
		tb.Errorf("%s is %q, want %q", name, got, want)
	}
}
