// Package blob stores files by key, in a folder or in a bucket of S3.
package blob

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"
)

const openTimeout = 15 * time.Second

// Config names a store.
type Config struct {
	URL       string       // file:///folder or s3://bucket, see CheckURL; "" = Folder
	Folder    string       // where files are stored if there is no URL
	AccessKey string       // for S3; "" = from AWS_ACCESS_KEY_ID, ~/.aws or the role of the machine
	SecretKey string       // of AccessKey
	Log       *slog.Logger // gets the errors of reading an object after it was opened
}

// A Store stores files by key. Its methods take keys for which IsKey is true. An error is ErrUnavailable if a retry
// later may succeed.
type Store interface {
	// Put stores the temporary file temp under a key and returns when it is durable. After a crash or an error the file
	// is whole or absent. The caller removes temp if it is still there.
	Put(ctx context.Context, temp, key string) error
	// Open opens a file, or returns os.ErrNotExist. ranges is the Range header of the request, "" if there is none: a
	// store may load no more than that.
	Open(ctx context.Context, key, ranges string) (io.ReadSeekCloser, error)
	// Remove deletes a file. It returns nil if there is none.
	Remove(ctx context.Context, key string) error
	// Ready returns nil if the store is available.
	Ready(ctx context.Context) error
}

// ErrUnavailable is the error of a store that cannot be reached or fails.
var ErrUnavailable = errors.New("the store is unavailable")

// Open opens the store that cfg names. It returns an error if files cannot be stored there.
func Open(ctx context.Context, cfg Config) (Store, error) {
	loc, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if loc.bucket != "" {
		ctx, cancel := context.WithTimeout(ctx, openTimeout)
		defer cancel()
		return openS3(ctx, cfg, loc)
	}
	if loc.folder == "" {
		loc.folder = cfg.Folder
	}
	return openLocal(loc.folder)
}

// Presigner returns a function that returns the presigned URL of a file on S3. endpoint is the S3 endpoint for clients,
// "" if it is the same as for this process.
func Presigner(s Store, endpoint string) (func(ctx context.Context, key string) (string, error), error) {
	b, ok := s.(*bucket)
	if !ok {
		return nil, errors.New("only a store on S3 has presigned URLs")
	}
	return b.presigner(endpoint)
}
