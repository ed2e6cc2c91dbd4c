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

// Objects have the headers for players that get them from S3 or through a CDN.
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

// An unusable store is refused at the start. The error explains what to do and has no secret.
func TestOpenRefuses(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	server := s3test.Start(t)
	for _, c := range []struct {
		name, url, access, secret, says string
	}{
		{"an unknown key", server.Store("media"), "nobody", "hidden", "refuses the access key; check --s3-access-key"},
		{"a wrong secret", server.Store("media"), server.AccessKey, "hidden", "refuses the access key; check --s3-access-key"},
		{"no key", server.Store("media"), "", "", "no access key: set --s3-access-key"},
		{"an unknown key, the bucket not to be created", strings.Replace(server.Store("media"), "create=true", "create=false", 1), "nobody", "hidden",
			"media that this access key can see"},
		{"no bucket", strings.Replace(server.Store("media"), "create=true", "create=false", 1), server.AccessKey, server.SecretKey,
			"there is no bucket media that this access key can see: create it, or set create=true"},
		{"no server", s3test.StoreAt("http://127.0.0.1:1", "media"), "a", "hidden", "http://127.0.0.1:1 does not answer; check that it runs"},
		{"a server of another kind", s3test.StoreAt(notS3(t), "media"), "a", "hidden", "bucket media"},
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

// notS3 returns the URL of a server that is not an S3 server.
func notS3(tb testing.TB) string {
	server := httptest.NewServer(http.NotFoundHandler())
	tb.Cleanup(server.Close)
	return server.URL
}

// Without a configured access key that in the environment is used.
func TestAccessKeyOfEnvironment(t *testing.T) {
	server := s3test.Start(t)
	t.Setenv("AWS_ACCESS_KEY_ID", server.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", server.SecretKey)
	if _, err := blob.Open(t.Context(), blob.Config{URL: server.Store("media")}); err != nil {
		t.Error(err)
	}
}

// A large file is streamed to S3 and back: it takes little memory.
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

// peakHeap returns the largest growth of the heap while do runs, in bytes.
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
