package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	statTimeout   = 3 * time.Second  // for the size of a file
	readyTimeout  = time.Second      // for Ready
	idleTimeout   = 30 * time.Second // of a connection
	maxAttempts   = 6                // of a request; with the backoff they take some seconds
	presignExpiry = 6 * time.Hour
)

// bucket stores files as objects of S3. Their names are the prefix and the key.
type bucket struct {
	loc         location
	client      *minio.Core
	credentials *credentials.Credentials
	log         *slog.Logger
}

var _ Store = (*bucket)(nil)

// openS3 opens a bucket. It returns an error if the access key is wrong or may not write.
func openS3(ctx context.Context, cfg Config, loc location) (*bucket, error) {
	b := &bucket{loc: loc, credentials: newCredentials(cfg, loc), log: cfg.Log}
	found, err := b.credentials.GetWithContext(&credentials.CredContext{Client: http.DefaultClient, Context: ctx})
	if err != nil || found.AccessKeyID == "" {
		return nil, errors.New("no access key: set --s3-access-key and --s3-secret-key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	if b.client, err = b.connect(loc.endpoint); err != nil {
		return nil, err
	}
	if err := b.check(ctx); err != nil {
		return nil, b.explain(err)
	}
	return b, nil
}

// newCredentials returns the access key of cfg. Without one it returns that which AWS's tools use; the role of the
// machine only for Amazon's own endpoints.
func newCredentials(cfg Config, loc location) *credentials.Credentials {
	if cfg.AccessKey != "" {
		return credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, "")
	}
	providers := []credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}}
	if strings.HasSuffix(loc.endpoint.Hostname(), ".amazonaws.com") {
		providers = append(providers, &credentials.IAM{})
	}
	return credentials.NewChainCredentials(providers)
}

// connect returns a client of an endpoint. It streams files: its memory does not depend on their size.
func (b *bucket) connect(endpoint *url.URL) (*minio.Core, error) {
	transport, err := minio.DefaultTransport(endpoint.Scheme == "https")
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: 2 * time.Second, KeepAlive: 30 * time.Second}
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return idleConn{conn}, nil
	}
	transport.MaxIdleConnsPerHost = 64
	transport.IdleConnTimeout = idleTimeout / 2
	return minio.NewCore(endpoint.Host, &minio.Options{
		Creds: b.credentials, Secure: endpoint.Scheme == "https", Region: b.loc.region, BucketLookup: b.loc.lookup,
		Transport: transport, MaxRetries: maxAttempts,
	})
}

// idleConn is a connection that fails when neither side sends for idleTimeout. The time for a whole file has no limit.
type idleConn struct{ net.Conn }

// Read extends the deadline and reads.
func (c idleConn) Read(p []byte) (int, error) {
	_ = c.SetDeadline(time.Now().Add(idleTimeout)) // fails on a closed connection, as Read does
	return c.Conn.Read(p)
}

// Write extends the deadline and writes.
func (c idleConn) Write(p []byte) (int, error) {
	_ = c.SetDeadline(time.Now().Add(idleTimeout)) // as in Read
	return c.Conn.Write(p)
}

// check checks that the bucket exists, or creates it if configured, and stores and removes an empty object.
func (b *bucket) check(ctx context.Context) error {
	exists, err := b.client.BucketExists(ctx, b.loc.bucket)
	if err != nil {
		return err
	}
	if !exists {
		if err := b.create(ctx); err != nil {
			return err
		}
	}
	name := b.objectName("probe-" + rand.Text())
	if _, err := b.client.Client.PutObject(ctx, b.loc.bucket, name, strings.NewReader(""), 0, minio.PutObjectOptions{}); err != nil {
		return fmt.Errorf("write to the bucket %s: %w", b.loc.bucket, err)
	}
	if err := b.client.RemoveObject(ctx, b.loc.bucket, name, minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("remove from the bucket %s: %w", b.loc.bucket, err)
	}
	return nil
}

// create creates the bucket if configured.
func (b *bucket) create(ctx context.Context) error {
	if !b.loc.create {
		return fmt.Errorf("there is no bucket %s that this access key can see: create it, or set create=true in the URL", b.loc.bucket)
	}
	err := b.client.MakeBucket(ctx, b.loc.bucket, minio.MakeBucketOptions{Region: b.loc.region})
	if code := codeOf(err); err != nil && code != "BucketAlreadyOwnedByYou" && code != "BucketAlreadyExists" {
		return fmt.Errorf("create the bucket %s: %w", b.loc.bucket, err)
	}
	return nil
}

// explain adds to an error of the start what to check.
func (b *bucket) explain(err error) error {
	switch codeOf(err) {
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "XAdminUserNotFound": // the last is versitygw's
		return fmt.Errorf("%s refuses the access key; check --s3-access-key and --s3-secret-key, and its permissions: %w", b.loc.endpoint, err)
	}
	if unavailable(err) {
		return fmt.Errorf("%s does not answer; check that it runs, and the endpoint in --store: %w", b.loc.endpoint, err)
	}
	return err
}

// codeOf returns the S3 code of an error, "" if it has none.
func codeOf(err error) string {
	var response minio.ErrorResponse
	if !errors.As(err, &response) {
		return ""
	}
	return response.Code
}

// unavailable reports whether an error is one of the network or of the server, so that a retry later may succeed.
func unavailable(err error) bool {
	var response minio.ErrorResponse
	if errors.As(err, &response) {
		return response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests
	}
	var request *url.Error
	return errors.As(err, &request) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.ErrUnexpectedEOF)
}

// wrap returns the error of an operation, which is ErrUnavailable where that applies.
func wrap(operation string, err error) error {
	if unavailable(err) {
		return fmt.Errorf("%s: %w: %w", operation, ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", operation, err)
}

// objectName returns the name of the object of a file.
func (b *bucket) objectName(key string) string { return path.Join(b.loc.prefix, key) }

// Put sends the file in one request, which S3 stores as a whole or not at all: no parts of a multipart upload can be
// left over.
func (b *bucket) Put(ctx context.Context, temp, key string) error {
	f, err := os.Open(temp)
	if err != nil {
		return fmt.Errorf("store file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("store file: %w", err)
	}
	_, err = b.client.Client.PutObject(ctx, b.loc.bucket, b.objectName(key), f, info.Size(), minio.PutObjectOptions{
		ContentType: ContentType(key), CacheControl: CacheControl, DisableMultipart: true})
	if err != nil {
		return wrap("store file", err)
	}
	return nil
}

// Open requests the size of a file. Its content is requested when it is read.
func (b *bucket) Open(ctx context.Context, key, ranges string) (io.ReadSeekCloser, error) {
	statCtx, cancel := context.WithTimeout(ctx, statTimeout)
	defer cancel()
	info, err := b.client.StatObject(statCtx, b.loc.bucket, b.objectName(key), minio.StatObjectOptions{})
	if codeOf(err) == minio.NoSuchKey {
		return nil, os.ErrNotExist
	}
	if err != nil {
		return nil, wrap("open file", err)
	}
	get := func(from, to int64) (io.ReadCloser, error) {
		var options minio.GetObjectOptions
		if err := options.SetRange(from, to-1); err != nil {
			return nil, err
		}
		body, _, _, err := b.client.GetObject(ctx, b.loc.bucket, b.objectName(key), options)
		return body, err
	}
	fail := func(err error) error {
		if ctx.Err() == nil { // the response has started, so the error appears only here
			b.log.ErrorContext(ctx, "cannot read file, closing the response", "error", err)
		}
		return err
	}
	return &objectReader{size: info.Size, end: rangeEnd(ranges, info.Size), get: get, fail: fail}, nil
}

// Remove deletes a file.
func (b *bucket) Remove(ctx context.Context, key string) error {
	if err := b.client.RemoveObject(ctx, b.loc.bucket, b.objectName(key), minio.RemoveObjectOptions{}); err != nil {
		return wrap("remove file", err)
	}
	return nil
}

// Ready returns nil if the bucket can be reached.
func (b *bucket) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	exists, err := b.client.BucketExists(ctx, b.loc.bucket)
	if err == nil && !exists {
		err = fmt.Errorf("there is no bucket %s", b.loc.bucket)
	}
	return err
}

// presigner returns the function that Presigner returns.
func (b *bucket) presigner(endpoint string) (func(ctx context.Context, key string) (string, error), error) {
	client := b.client
	if endpoint != "" {
		u, err := ParseEndpoint(endpoint)
		if err != nil {
			return nil, err
		}
		if client, err = b.connect(u); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context, key string) (string, error) {
		u, err := client.PresignedGetObject(ctx, b.loc.bucket, b.objectName(key), presignExpiry, nil)
		if err != nil {
			return "", wrap("presign URL", err)
		}
		return u.String(), nil
	}, nil
}
