// Package blob stores files by key, in a folder or in a bucket of S3.
package blob

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"
)

const openTimeout = 15 * time.Second // to say at the start that the store can be used

// Config says where files are kept.
type Config struct {
	URL       string       // file:///folder or s3://bucket (see CheckURL); "" = Folder
	Folder    string       // of files when there is no URL
	AccessKey string       // of a store on S3; "" = from AWS_ACCESS_KEY_ID, ~/.aws or the role of the machine
	SecretKey string       // that belongs to AccessKey
	Log       *slog.Logger // of what a reader of a file cannot tell
}

// A Store keeps finished files by their keys. It is asked for keys of the right form only. Its errors are
// ErrUnavailable when trying again later may help.
type Store interface {
	// Put makes a temporary file the file of a key, and returns when that is durable. After a crash or an error the
	// file is whole or absent. What is at temp afterwards is the caller's to discard.
	Put(ctx context.Context, temp, key string) error
	// Open returns the content of a file, os.ErrNotExist when there is none. ranges is the Range header of the request
	// that it is for: a store may fetch no more than that.
	Open(ctx context.Context, key, ranges string) (io.ReadSeekCloser, error)
	// Remove deletes a file. That there is none is no error.
	Remove(ctx context.Context, key string) error
	// Ready returns nil when the store answers.
	Ready(ctx context.Context) error
}

// ErrUnavailable says that the store does not answer.
var ErrUnavailable = errors.New("the store does not answer")

// Open opens the store that cfg names, once it is certain that files can be kept there.
func Open(ctx context.Context, cfg Config) (Store, error) {
	at, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if at.bucket == "" {
		if at.folder == "" {
			at.folder = cfg.Folder
		}
		return openLocal(at.folder)
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	return openS3(ctx, cfg, at)
}

// Presigner returns a function that makes addresses under which players get files from S3 itself, at an endpoint that
// may be another than that of the store, "" for the same.
func Presigner(s Store, endpoint string) (func(ctx context.Context, key string) (string, error), error) {
	b, ok := s.(*bucket)
	if !ok {
		return nil, errors.New("only a store on S3 has signed addresses")
	}
	return b.presigner(endpoint)
}
