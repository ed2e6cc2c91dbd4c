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

// Each runs a test on files in a folder, on S3 inside the process and on a real server of S3. cfg names an empty store,
// in the case of a folder one without a name.
func Each(t *testing.T, test func(t *testing.T, cfg blob.Config)) {
	for name, cfg := range map[string]func(testing.TB) blob.Config{
		"local files": func(testing.TB) blob.Config { return blob.Config{} },
		"gofakes3":    fake,
		"versitygw":   func(tb testing.TB) blob.Config { return On(s3test.Start(tb)) },
	} {
		t.Run(name, func(t *testing.T) { test(t, cfg(t)) })
	}
}

func fake(tb testing.TB) blob.Config {
	fake := gofakes3.New(s3mem.New(), gofakes3.WithV4Auth(map[string]string{"owner": "secret of the owner"}))
	server := httptest.NewServer(fake.Server())
	tb.Cleanup(server.Close)
	return blob.Config{URL: "s3://media?create=true&endpoint=" + server.URL, AccessKey: "owner", SecretKey: "secret of the owner"}
}

// On returns a store on a server of S3.
func On(server *s3test.Server) blob.Config {
	return blob.Config{URL: server.Store("media/some/prefix"), AccessKey: server.AccessKey, SecretKey: server.SecretKey}
}

// List returns the keys of all files of a store on S3. It looks into one folder after the other, since gofakes3 lists
// nothing for a client that asks for all at once.
func List(tb testing.TB, cfg blob.Config) (keys []string) {
	tb.Helper()
	at, err := url.Parse(cfg.URL)
	if err != nil {
		tb.Fatal(err)
	}
	endpoint := at.Query().Get("endpoint")
	client, err := minio.New(strings.TrimPrefix(endpoint, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, ""), Region: "us-east-1", BucketLookup: minio.BucketLookupPath})
	if err != nil {
		tb.Fatal(err)
	}
	prefix := strings.TrimPrefix(at.Path+"/", "/")
	for folders := []string{prefix}; len(folders) > 0; folders = folders[1:] {
		for info := range client.ListObjectsIter(tb.Context(), at.Host, minio.ListObjectsOptions{Prefix: folders[0]}) {
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

// Noise returns bytes that repeat nowhere, always the same.
func Noise(size int) []byte {
	content := make([]byte, size)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(content) // never fails
	return content
}
