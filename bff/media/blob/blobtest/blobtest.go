//go:build unix

// Package blobtest gives tests a store of each kind.
package blobtest

import (
	"math/rand/v2"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"

	"minidouyin/bff/media/blob"
	"minidouyin/services/testenv/s3test"
)

// Key is the key of a file.
const Key = "videos/aa/aaaaaaaaaaaaaaaaaaaaaaaaaa.mp4"

// Each runs a test with a folder, with S3 inside the process and with a real S3 server. cfg names an empty store; it is
// empty for a folder, which the test names.
func Each(t *testing.T, test func(t *testing.T, cfg blob.Config)) {
	for name, cfg := range map[string]func(testing.TB) blob.Config{
		"local files": func(testing.TB) blob.Config { return blob.Config{} },
		"gofakes3":    fake,
		"versitygw":   func(tb testing.TB) blob.Config { return On(s3test.Start(tb)) },
	} {
		t.Run(name, func(t *testing.T) { test(t, cfg(t)) })
	}
}

// fake starts an S3 server inside the process and returns a store on it.
func fake(tb testing.TB) blob.Config {
	fake := gofakes3.New(s3mem.New(), gofakes3.WithV4Auth(map[string]string{"owner": "secret of the owner"}))
	server := httptest.NewServer(fake.Server())
	tb.Cleanup(server.Close)
	return blob.Config{URL: "s3://media?create=true&endpoint=" + server.URL, AccessKey: "owner", SecretKey: "secret of the owner"}
}

// On returns an empty store on an S3 server.
func On(server *s3test.Server) blob.Config {
	return blob.Config{URL: server.Store("media/some/prefix"), AccessKey: server.AccessKey, SecretKey: server.SecretKey}
}

// List returns the keys of all files of a store on S3. It lists one folder after the other: gofakes3 has no recursive
// listing.
func List(tb testing.TB, cfg blob.Config) (keys []string) {
	tb.Helper()
	u, err := url.Parse(cfg.URL)
	if err != nil {
		tb.Fatal(err)
	}
	endpoint := u.Query().Get("endpoint")
	client, err := minio.New(strings.TrimPrefix(endpoint, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, ""), Region: "us-east-1", BucketLookup: minio.BucketLookupPath})
	if err != nil {
		tb.Fatal(err)
	}
	prefix := strings.TrimPrefix(u.Path+"/", "/")
	for folders := []string{prefix}; len(folders) > 0; folders = folders[1:] {
		for info := range client.ListObjectsIter(tb.Context(), u.Host, minio.ListObjectsOptions{Prefix: folders[0]}) {
			if info.Err != nil {
				tb.Fatal(info.Err)
			}
			if strings.HasSuffix(info.Key, "/") {
				folders = append(folders, info.Key)
			} else {
				keys = append(keys, strings.TrimPrefix(info.Key, prefix))
			}
		}
	}
	return keys
}

// Noise returns random bytes, the same in every call.
func Noise(size int) []byte {
	content := make([]byte, size)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(content)
	return content
}
