package media

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"minidouyin/bff/media/mediatest"
	"minidouyin/idl/codes"
	"minidouyin/services/testenv/s3test"
)

const someKey = "videos/aa/aaaaaaaaaaaaaaaaaaaaaaaaaa.mp4"

// noise returns bytes that repeat nowhere, always the same.
func noise(size int) []byte {
	content := make([]byte, size)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(content) // never fails
	return content
}

// mustPut stores content under a key.
func mustPut(tb testing.TB, m *Media, key string, content []byte) {
	tb.Helper()
	temp, err := m.write(content)
	if err != nil {
		tb.Fatal(err)
	}
	if err := m.store.put(context.Background(), temp, key); err != nil {
		tb.Fatal(err)
	}
	m.discard(temp)
}

var boundary = regexp.MustCompile(`[0-9a-f]{60}`)

// answerOf writes down all of an answer, the boundary of its parts apart, which is made by chance.
func answerOf(w *httptest.ResponseRecorder) string {
	var b strings.Builder
	_ = w.Header().Write(&b) // a builder takes everything
	return http.StatusText(w.Code) + "\n" + boundary.ReplaceAllString(b.String()+"\n"+w.Body.String(), "boundary")
}

// Every kind of store gives the same answer, byte for byte, whatever part of a file is asked for.
func TestStoresAnswerAlike(t *testing.T) {
	content := noise(3_000)
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
	mustPut(t, local, someKey, content)
	eachStore(t, func(t *testing.T, on func(*Config)) {
		m := mustOpen(t, on)
		mustPut(t, m, someKey, content)
		for _, method := range []string{"GET", "HEAD"} {
			for _, headers := range requests {
				r := httptest.NewRequest(method, "/media/"+someKey, nil)
				r.Header = headers
				want, got := httptest.NewRecorder(), httptest.NewRecorder()
				local.ServeHTTP(want, r)
				m.ServeHTTP(got, r)
				if answerOf(got) != answerOf(want) {
					t.Errorf("%s %v: status %d, %d bytes, %v; want %d, %d bytes, %v", method, headers,
						got.Code, got.Body.Len(), got.Header(), want.Code, want.Body.Len(), want.Header())
				}
			}
		}
	})
}

// Objects carry what a player needs that gets them from S3 itself or through a CDN.
func TestObjects(t *testing.T) {
	m := mustOpen(t, onServer(s3test.Start(t)))
	s := mustStage(t, m, mediatest.Sample(t, "fast.mp4"), "title")
	if err := s.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := m.store.(*bucket)
	for i, want := range []string{"video/mp4", "image/jpeg"} {
		info, err := b.client.StatObject(t.Context(), "media", "some/prefix/"+s.Keys[i], minio.StatObjectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := info.ContentType; got != want {
			t.Errorf("content type %q, want %q", got, want)
		}
		if got := info.Metadata.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("cache control %q", got)
		}
	}
}

// A store that cannot be used is refused at the start with what to do about it, and no secret is named.
func TestOpenStoreRefuses(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	server := s3test.Start(t)
	for _, c := range []struct {
		name, store, access, secret, says string
	}{
		{"an unknown key", server.Store("media"), "nobody", "hidden", "refuses the keys; check --s3-access-key"},
		{"a wrong secret", server.Store("media"), server.AccessKey, "hidden", "refuses the keys; check --s3-access-key"},
		{"no keys", server.Store("media"), "", "", "no keys: set --s3-access-key"},
		{"an unknown key, and no wish for a bucket", strings.Replace(server.Store("media"), "create=true", "create=false", 1), "nobody", "hidden",
			"media that these keys can see"},
		{"no bucket", strings.Replace(server.Store("media"), "create=true", "create=false", 1), server.AccessKey, server.SecretKey,
			"there is no bucket media that these keys can see; make it, or have it made by create=true"},
		{"nobody there", s3test.StoreAt("http://127.0.0.1:1", "media"), "a", "hidden", "http://127.0.0.1:1 does not answer; check that it runs"},
		{"no server of S3", s3test.StoreAt(notS3(t), "media"), "a", "hidden", "bucket media"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Open(t.Context(), Config{Dir: t.TempDir(), Store: c.store, AccessKey: c.access, SecretKey: c.secret})
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hidden") ||
				strings.Contains(err.Error(), server.SecretKey) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

func notS3(tb testing.TB) string {
	server := httptest.NewServer(http.NotFoundHandler())
	tb.Cleanup(server.Close)
	return server.URL
}

// Keys may also come from where the tools of AWS look for them.
func TestKeysOfEnvironment(t *testing.T) {
	server := s3test.Start(t)
	t.Setenv("AWS_ACCESS_KEY_ID", server.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", server.SecretKey)
	if _, err := Open(t.Context(), Config{Dir: t.TempDir(), Store: server.Store("media")}); err != nil {
		t.Error(err)
	}
}

// The URL of a store is understood as a whole or refused with a reason.
func TestCheckStore(t *testing.T) {
	for _, good := range []string{"", "file:///srv/videos", "s3://bucket", "s3://bucket/", "s3://bucket/some/prefix/?region=eu-west-1",
		"s3://bucket?endpoint=http://127.0.0.1:9000&region=r&path-style=true&create=false", "s3://bucket?endpoint=https://s3.example.org/"} {
		if err := CheckStore(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, says := range map[string]string{
		"/srv/videos":                           `"" is no kind of store`,
		"http://bucket":                         `"http" is no kind of store`,
		"s3:bucket":                             "a URL such as",
		"%":                                     "a URL such as",
		"file://srv/videos":                     "a folder has the form",
		"file:///":                              "a folder has the form",
		"file:///srv?create=true":               "a folder has the form",
		"s3://":                                 "a bucket has the form",
		"s3://b":                                `"b" is no name of a bucket`,
		"s3://bucket:9000":                      "a bucket has the form",
		"s3://bucket/../other":                  "the prefix",
		"s3://key:hidden@bucket":                "keys do not belong into the URL",
		"s3://bucket?color=red":                 `there is no parameter "color"`,
		"s3://bucket?create=maybe":              "create is true or false",
		"s3://bucket?path-style=":               "path-style is true or false",
		"s3://bucket?endpoint=127.0.0.1:9000":   "is no endpoint",
		"s3://bucket?endpoint=http://host/path": "is no endpoint",
		"s3://bucket?endpoint=ftp://host":       "is no endpoint",
	} {
		if err := CheckStore(bad); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v, want %q", bad, err, says)
		}
	}
}

// A folder of one's own takes the place of that in the data folder, also on another file system, and what a crash
// leaves of a copy goes when the file is removed.
func TestLocalFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "elsewhere")
	m := mustOpen(t, func(cfg *Config) { withoutFFmpeg(cfg); cfg.Store = "file://" + filepath.ToSlash(folder) })
	mustPut(t, m, someKey, []byte("content"))
	if got, err := os.ReadFile(filepath.Join(folder, someKey)); string(got) != "content" {
		t.Errorf("%q, %v", got, err)
	}
	path := filepath.Join(folder, someKey)
	if err := copyFile(path, path+"2"); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(path + "2"); string(got) != "content" {
		t.Errorf("copied %q, %v", got, err)
	}
	if err := os.WriteFile(part(path), []byte("con"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := m.Remove(t.Context(), someKey); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 || left[0].Name() != filepath.Base(path)+"2" {
		t.Errorf("left are %v, %v", left, err)
	}
}

// A store that dies in the middle of an upload gives a clear error; nothing of the upload is there when it is back.
func TestCommitStoreDies(t *testing.T) {
	server := s3test.Start(t)
	front := s3test.NewFront(t, server)
	var log bytes.Buffer
	m := mustOpen(t, func(cfg *Config) {
		onServer(server)(cfg)
		cfg.Store = s3test.StoreAt(front.Endpoint, "media")
		cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	s := &Staged{m: m}
	for range 2 {
		temp, err := m.write(noise(4 << 20))
		if err != nil {
			t.Fatal(err)
		}
		s.add(temp, newKey("videos", "mp4"))
	}
	gone := front.KillAfter(t, 2<<20)
	err := s.Commit(t.Context())
	wantRefusal(t, err, codes.UpstreamUnavailable, "files cannot be stored at the moment, please try again")
	<-gone
	if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "the store does not answer") {
		t.Errorf("the log says %q", log.String())
	}
	server.Restart(t)
	s.Discard()
	wantNoFiles(t, m)

	again := mustStage(t, m, mediatest.Sample(t, "fast.mp4"), "title")
	if err := again.Commit(t.Context()); err != nil {
		t.Errorf("when the store is back: %v", err)
	}
}

// While the store is away a file is not to be had for the moment; one that is being played goes on when the store comes
// back in time, and else ends in a way that the player notices.
func TestPlayStoreAway(t *testing.T) {
	server := s3test.Start(t)
	m := mustOpen(t, onServer(server))
	content := noise(32 << 20) // more than all buffers on the way
	mustPut(t, m, someKey, content)
	site := httptest.NewServer(m)
	defer site.Close()
	play := func() (*http.Response, []byte) {
		response, err := http.Get(site.URL + "/media/" + someKey)
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
		t.Error("the player does not notice that the end is missing")
	}
	_ = response.Body.Close()

	w := get(m, "GET", "/media/"+someKey, "", "")
	if w.Code != http.StatusServiceUnavailable || w.Body.String() != "the file cannot be read at the moment\n" {
		t.Errorf("status %d, %q", w.Code, w.Body.String())
	}
	wantHeader(t, w, "Retry-After", "5")
	if err := m.Ready(t.Context()); err == nil {
		t.Error("it says that the store answers")
	}
	if w := get(m, "GET", "/media/"+DefaultAvatar, "", ""); w.Code != 200 {
		t.Errorf("default picture: status %d", w.Code)
	}
	server.Restart(t)
	if w := get(m, "GET", "/media/"+someKey, "", ""); w.Code != 200 || !bytes.Equal(w.Body.Bytes(), content) {
		t.Errorf("when it is back: status %d", w.Code)
	}
	if err := m.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// With signed addresses players are sent to S3, which gives them the same file; what has no body still comes from us.
func TestPresigned(t *testing.T) {
	server := s3test.Start(t)
	front := s3test.NewFront(t, server)
	for name, base := range map[string]string{"as the store is reached": "", "at another endpoint": front.Endpoint} {
		t.Run(name, func(t *testing.T) {
			m := mustOpen(t, func(cfg *Config) { onServer(server)(cfg); cfg.Presign, cfg.PresignBase = true, base })
			content := noise(10_000)
			mustPut(t, m, someKey, content)
			w := get(m, "GET", "/media/"+someKey, "Range", "bytes=10-19")
			if w.Code != http.StatusFound || w.Body.Len() > 0 {
				t.Fatalf("status %d, %q", w.Code, w.Body.String())
			}
			wantHeader(t, w, "Cache-Control", "public, max-age=3600")
			to, err := url.Parse(w.Header().Get("Location"))
			if want := cmp.Or(base, server.Endpoint); err != nil || "http://"+to.Host != want {
				t.Fatalf("sent to %v, want %s", to, want)
			}
			if to.Query().Get("X-Amz-Expires") != "21600" {
				t.Errorf("good for %s s", to.Query().Get("X-Amz-Expires"))
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
			w = get(m, "HEAD", "/media/"+someKey, "", "")
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
		t.Error("local files have no signed addresses")
	}
}

// A large file passes through on its way to S3 and back: what is held of it is small.
func TestLargeObject(t *testing.T) {
	const size = 256 << 20
	m := mustOpen(t, onServer(s3test.Start(t)))
	temp := filepath.Join(m.tmp, "large")
	if err := os.WriteFile(temp, noise(1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(temp, size); err != nil { // the rest is a hole
		t.Fatal(err)
	}
	s := &Staged{m: m}
	s.add(temp, someKey)
	peak := peakHeap(t, func() {
		if err := s.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	if peak > 16<<20 {
		t.Errorf("storing it took %d KiB", peak>>10)
	}
	t.Logf("storing took %d KiB", peak>>10)
	w := &discarded{header: http.Header{}}
	peak = peakHeap(t, func() { m.ServeHTTP(w, httptest.NewRequest("GET", "/media/"+someKey, nil)) })
	if w.n != size {
		t.Errorf("%d bytes came", w.n)
	}
	if peak > 16<<20 {
		t.Errorf("playing it took %d KiB", peak>>10)
	}
	t.Logf("playing took %d KiB", peak>>10)
}

// peakHeap returns by how many bytes the heap has grown at most while do ran.
func peakHeap(t *testing.T, do func()) (peak uint64) {
	t.Helper()
	var start runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&start)
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	for {
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		peak = max(peak, now.HeapInuse-min(start.HeapInuse, now.HeapInuse))
		select {
		case <-done:
			return peak
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// discarded is a response that keeps nothing.
type discarded struct {
	header http.Header
	n      int64
}

func (d *discarded) Header() http.Header { return d.header }
func (d *discarded) WriteHeader(int)     {}
func (d *discarded) Write(p []byte) (int, error) {
	d.n += int64(len(p))
	return len(p), nil
}

// An object is read in as few requests as possible, and no more of it than is wanted.
func TestObjectRequests(t *testing.T) {
	var asked []string
	content := noise(1000)
	for _, c := range []struct {
		ranges string
		want   []string
	}{
		{"", []string{"0-1000"}},
		{"bytes=0-", []string{"0-1000"}},
		{"bytes=10-19", []string{"10-20"}},
		{"bytes=-5", []string{"995-1000"}},
		{"bytes=990-5000", []string{"990-1000"}},
		{"bytes=2000-", nil},
	} {
		t.Run(c.ranges, func(t *testing.T) {
			asked = nil
			o := &object{size: 1000, wanted: wantedEnd(c.ranges, 1000), get: func(from, to int64) (io.ReadCloser, error) {
				asked = append(asked, fmt.Sprintf("%d-%d", from, to))
				return io.NopCloser(bytes.NewReader(content[from:to])), nil
			}}
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Range", c.ranges)
			http.ServeContent(httptest.NewRecorder(), r, "x.mp4", time.Time{}, o)
			if !slices.Equal(asked, c.want) {
				t.Errorf("asked for %v, want %v", asked, c.want)
			}
		})
	}
}
