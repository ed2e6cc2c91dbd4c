package media

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"

	"minidouyin/services/testenv/s3test"
)

// eachStore runs a test on files in a folder, on S3 inside the process and on a real server of S3. on sets a fresh
// store of the kind.
func eachStore(t *testing.T, test func(t *testing.T, on func(*Config))) {
	for name, on := range map[string]func(testing.TB) func(*Config){
		"local files": func(testing.TB) func(*Config) { return func(*Config) {} },
		"gofakes3":    onFake,
		"versitygw":   func(tb testing.TB) func(*Config) { return onServer(s3test.Start(tb)) },
	} {
		t.Run(name, func(t *testing.T) { test(t, on(t)) })
	}
}

func onFake(tb testing.TB) func(*Config) {
	fake := gofakes3.New(s3mem.New(), gofakes3.WithV4Auth(map[string]string{"owner": "secret of the owner"}))
	server := httptest.NewServer(fake.Server())
	tb.Cleanup(server.Close)
	return func(cfg *Config) {
		cfg.Store = "s3://media?create=true&endpoint=" + server.URL
		cfg.AccessKey, cfg.SecretKey = "owner", "secret of the owner"
	}
}

func onServer(server *s3test.Server) func(*Config) {
	return func(cfg *Config) {
		cfg.Store, cfg.AccessKey, cfg.SecretKey = server.Store("media/some/prefix"), server.AccessKey, server.SecretKey
	}
}

// objects returns the names of all objects, as those of files in the folder blobs. It looks into one folder after the
// other, since gofakes3 lists nothing for a client that asks for all at once.
func objects(tb testing.TB, b *bucket) (names []string) {
	tb.Helper()
	for folders := []string{b.object("") + "/"}; len(folders) > 0; folders = folders[1:] {
		list := minio.ListObjectsOptions{Prefix: strings.TrimPrefix(folders[0], "/")}
		for info := range b.client.ListObjectsIter(tb.Context(), b.at.bucket, list) {
			if info.Err != nil {
				tb.Fatal(info.Err)
			}
			if strings.HasSuffix(info.Key, "/") {
				folders = append(folders, info.Key)
			} else {
				names = append(names, "blobs/"+strings.TrimPrefix(strings.TrimPrefix(info.Key, b.at.prefix), "/"))
			}
		}
	}
	return names
}
