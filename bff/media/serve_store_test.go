package media

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"minidouyin/bff/media/blob/blobtest"
	"minidouyin/services/testenv/s3test"
)

// mustPut stores content under a key.
func mustPut(tb testing.TB, m *Media, key string, content []byte) {
	tb.Helper()
	temp, err := m.writeTemp(content)
	if err != nil {
		tb.Fatal(err)
	}
	if err := m.store.Put(context.Background(), temp, key); err != nil {
		tb.Fatal(err)
	}
	m.discard(temp)
}

var boundary = regexp.MustCompile(`[0-9a-f]{60}`)

// responseText returns a whole response as text, with a fixed boundary in place of the random one.
func responseText(w *httptest.ResponseRecorder) string {
	var b strings.Builder
	_ = w.Header().Write(&b) // a builder never fails
	return http.StatusText(w.Code) + "\n" + boundary.ReplaceAllString(b.String()+"\n"+w.Body.String(), "boundary")
}

// Responses are the same with every kind of store, byte for byte, for any range.
func TestServeSame(t *testing.T) {
	content := blobtest.Noise(3_000)
	tag := `"aaaaaaaaaaaaaaaaaaaaaaaaaa"`
	requests := []http.Header{{}}
	for _, ranges := range []string{"bytes=0-", "bytes=0-0", "bytes=0-999", "bytes=999-", "bytes=2999-", "bytes=3000-", "bytes=-1",
		"bytes=-3000", "bytes=-4000", "bytes=5-3", "bytes=100-99999999", "bytes=0-10,20-30", "bytes=2000-2009,100-109",
		"bytes=0-,5-", "bytes=", "bytes=x-y", "items=0-9", "bytes=99999999999999999999-", "bytes=10-99999999999999999999"} {
		requests = append(requests, http.Header{"Range": {ranges}},
			http.Header{"Range": {ranges}, "If-Range": {tag}},
			http.Header{"Range": {ranges}, "If-Range": {`"other"`}},
			http.Header{"Range": {ranges}, "If-None-Match": {tag}})
	}
	requests = append(requests, http.Header{"If-None-Match": {tag}}, http.Header{"If-None-Match": {"*"}}, http.Header{"If-Match": {`"other"`}})

	local := mustOpen(t, withoutFFmpeg)
	mustPut(t, local, blobtest.Key, content)
	eachStore(t, func(t *testing.T, on func(*Config)) {
		m := mustOpen(t, on)
		mustPut(t, m, blobtest.Key, content)
		for _, method := range []string{"GET", "HEAD"} {
			for _, headers := range requests {
				r := httptest.NewRequest(method, "/media/"+blobtest.Key, nil)
				r.Header = headers
				want, got := httptest.NewRecorder(), httptest.NewRecorder()
				local.ServeHTTP(want, r)
				m.ServeHTTP(got, r)
				if responseText(got) != responseText(want) {
					t.Errorf("%s %v: status %d, %d bytes, %v; want %d, %d bytes, %v", method, headers,
						got.Code, got.Body.Len(), got.Header(), want.Code, want.Body.Len(), want.Header())
				}
			}
		}
	})
}

// While the store is unavailable, files are unavailable. A response that has started continues if the store returns in
// time, and otherwise breaks off so that the player notices.
func TestServeStoreUnavailable(t *testing.T) {
	server := s3test.Start(t)
	m := mustOpen(t, onStore(blobtest.On(server)))
	content := blobtest.Noise(32 << 20) // more than all buffers in between
	mustPut(t, m, blobtest.Key, content)
	site := httptest.NewServer(m)
	defer site.Close()
	play := func() (*http.Response, []byte) {
		response, err := http.Get(site.URL + "/media/" + blobtest.Key)
		if err != nil {
			t.Fatal(err)
		}
		start := make([]byte, 1<<20)
		if _, err := io.ReadFull(response.Body, start); err != nil {
			t.Fatal(err)
		}
		return response, start
	}

	response, got := play()
	server.Kill(t)
	server.Restart(t)
	rest, err := io.ReadAll(response.Body)
	if got = append(got, rest...); err != nil || !bytes.Equal(got, content) {
		t.Errorf("after a restart: %d bytes of %d, %v", len(got), len(content), err)
	}
	_ = response.Body.Close()

	response, _ = play()
	server.Kill(t)
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("the response ends without an error")
	}
	_ = response.Body.Close()

	w := get(m, "GET", "/media/"+blobtest.Key, "", "")
	if w.Code != http.StatusServiceUnavailable || w.Body.String() != "the file cannot be read at the moment\n" {
		t.Errorf("status %d, %q", w.Code, w.Body.String())
	}
	wantHeader(t, w, "Retry-After", "5")
	if err := m.Ready(t.Context()); err == nil {
		t.Error("the store is reported as available")
	}
	if w := get(m, "GET", "/media/"+DefaultAvatar, "", ""); w.Code != 200 {
		t.Errorf("default picture: status %d", w.Code)
	}
	server.Restart(t)
	if w := get(m, "GET", "/media/"+blobtest.Key, "", ""); w.Code != 200 || !bytes.Equal(w.Body.Bytes(), content) {
		t.Errorf("when it is back: status %d", w.Code)
	}
	if err := m.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// With presigned URLs players are redirected to S3, which serves the same file. HEAD and default pictures are not
// redirected.
func TestPresigned(t *testing.T) {
	server := s3test.Start(t)
	front := s3test.NewFront(t, server)
	for name, base := range map[string]string{"at the endpoint of the store": "", "at another endpoint": front.Endpoint} {
		t.Run(name, func(t *testing.T) {
			m := mustOpen(t, func(cfg *Config) { cfg.Store = blobtest.On(server); cfg.Presign, cfg.PresignBase = true, base })
			content := blobtest.Noise(10_000)
			mustPut(t, m, blobtest.Key, content)
			w := get(m, "GET", "/media/"+blobtest.Key, "Range", "bytes=10-19")
			if w.Code != http.StatusFound || w.Body.Len() > 0 {
				t.Fatalf("status %d, %q", w.Code, w.Body.String())
			}
			wantHeader(t, w, "Cache-Control", "public, max-age=3600")
			to, err := url.Parse(w.Header().Get("Location"))
			if want := cmp.Or(base, server.Endpoint); err != nil || "http://"+to.Host != want {
				t.Fatalf("redirected to %v, want %s", to, want)
			}
			if to.Query().Get("X-Amz-Expires") != "21600" {
				t.Errorf("valid for %s s", to.Query().Get("X-Amz-Expires"))
			}
			r, err := http.NewRequest("GET", to.String(), nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Range", "bytes=10-19")
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			got, err := io.ReadAll(response.Body)
			if response.StatusCode != http.StatusPartialContent || !bytes.Equal(got, content[10:20]) {
				t.Errorf("S3 answers %d, %d bytes, %v", response.StatusCode, len(got), err)
			}
			if got := response.Header.Get("Content-Type"); got != "video/mp4" {
				t.Errorf("content type %q", got)
			}
			w = get(m, "HEAD", "/media/"+blobtest.Key, "", "")
			wantHeader(t, w, "Content-Length", "10000")
			if w := get(m, "GET", "/media/"+DefaultAvatar, "", ""); w.Code != 200 {
				t.Errorf("default picture: status %d", w.Code)
			}
			if w := get(m, "GET", "/media/videos/../secret.mp4", "", ""); w.Code != 404 {
				t.Errorf("no key: status %d", w.Code)
			}
		})
	}
	if _, err := Open(t.Context(), Config{Dir: t.TempDir(), Presign: true}); err == nil {
		t.Error("presigned URLs are accepted for local files")
	}
}
