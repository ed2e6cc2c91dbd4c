package blob_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"minidouyin/bff/media/blob"
	"minidouyin/bff/media/blob/blobtest"
	"minidouyin/services/testenv/s3test"
)

// Objects carry what a player needs that gets them from S3 itself or through a CDN.
func TestObjects(t *testing.T) {
	server := s3test.Start(t)
	s := mustOpen(t, blobtest.On(server))
	client, err := minio.New(strings.TrimPrefix(server.Endpoint, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(server.AccessKey, server.SecretKey, ""), Region: "us-east-1"})
	require.NoError(t, err)
	for extension, want := range map[string]string{"mp4": "video/mp4", "jpg": "image/jpeg"} {
		key := blob.NewKey("videos", extension)
		mustPut(t, s, key, []byte("content"))
		info, err := client.StatObject(t.Context(), "media", "some/prefix/"+key, minio.StatObjectOptions{})
		require.NoError(t, err)
		assert.Equal(t, want, info.ContentType)
		assert.Equal(t, "public, max-age=31536000, immutable", info.Metadata.Get("Cache-Control"))
	}
}

// A store that cannot be used is refused at the start with what to do about it, and no secret is named.
func TestOpenRefuses(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	server := s3test.Start(t)
	for _, c := range []struct {
		name, url, access, secret, says string
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
			_, err := blob.Open(t.Context(), blob.Config{URL: c.url, AccessKey: c.access, SecretKey: c.secret})
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
	if _, err := blob.Open(t.Context(), blob.Config{URL: server.Store("media")}); err != nil {
		t.Error(err)
	}
}

// A large file passes through on its way to S3 and back: what is held of it is small.
func TestLargeObject(t *testing.T) {
	const size = 256 << 20
	s := mustOpen(t, blobtest.On(s3test.Start(t)))
	temp := filepath.Join(t.TempDir(), "large")
	require.NoError(t, os.WriteFile(temp, blobtest.Noise(1<<20), 0o600))
	require.NoError(t, os.Truncate(temp, size)) // the rest is a hole
	peak := peakHeap(t, func() { assert.NoError(t, s.Put(t.Context(), temp, blobtest.Key)) })
	assert.Less(t, peak, uint64(16<<20), "storing")
	t.Logf("storing took %d KiB", peak>>10)
	peak = peakHeap(t, func() {
		f, err := s.Open(t.Context(), blobtest.Key, "")
		if assert.NoError(t, err) {
			defer f.Close()
			n, err := io.Copy(io.Discard, f)
			assert.NoError(t, err)
			assert.EqualValues(t, size, n)
		}
	})
	assert.Less(t, peak, uint64(16<<20), "reading")
	t.Logf("reading took %d KiB", peak>>10)
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
