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
	statTimeout  = 3 * time.Second  // to say how long a file is
	readyTimeout = time.Second      // to say that it answers
	stallTimeout = 30 * time.Second // a connection must carry something within
	tries        = 6                // of a request; they take some seconds when nobody answers
	signedFor    = 6 * time.Hour    // how long a signed address is good
)

// bucket keeps files as objects of S3: the key behind the prefix.
type bucket struct {
	at     place
	client *minio.Core
	keys   *credentials.Credentials
	log    *slog.Logger
}

var _ Store = (*bucket)(nil)

// openS3 returns the bucket once it is certain that files can be kept there: the keys are right, and may write.
func openS3(ctx context.Context, cfg Config, at place) (*bucket, error) {
	b := &bucket{at: at, log: cfg.Log}
	if cfg.AccessKey != "" {
		b.keys = credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, "")
	} else {
		from := []credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}}
		if strings.HasSuffix(at.endpoint.Hostname(), ".amazonaws.com") {
			from = append(from, &credentials.IAM{})
		}
		b.keys = credentials.NewChainCredentials(from)
	}
	found, err := b.keys.GetWithContext(&credentials.CredContext{Client: http.DefaultClient, Context: ctx})
	if err != nil || found.AccessKeyID == "" {
		return nil, errors.New("no keys: set --s3-access-key and --s3-secret-key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	if b.client, err = b.connect(at.endpoint); err != nil {
		return nil, err
	}
	if err := b.check(ctx); err != nil {
		return nil, b.explain(err)
	}
	return b, nil
}

// connect returns a client of an endpoint. What it holds in memory does not grow with the files: they are sent and
// read as streams.
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
		return lively{conn}, nil
	}
	transport.MaxIdleConnsPerHost = 64
	transport.IdleConnTimeout = stallTimeout / 2
	return minio.NewCore(endpoint.Host, &minio.Options{
		Creds: b.keys, Secure: endpoint.Scheme == "https", Region: b.at.region, BucketLookup: b.at.lookup,
		Transport: transport, MaxRetries: tries,
	})
}

// lively is a connection that ends when neither side sends anything for a while, however long a file takes as a whole.
type lively struct{ net.Conn }

func (c lively) Read(p []byte) (int, error) {
	_ = c.SetDeadline(time.Now().Add(stallTimeout)) // of a closed connection, which Read reports
	return c.Conn.Read(p)
}

func (c lively) Write(p []byte) (int, error) {
	_ = c.SetDeadline(time.Now().Add(stallTimeout)) // as in Read
	return c.Conn.Write(p)
}

// check looks for the bucket, makes it where that is wanted, and stores and removes an empty object.
func (b *bucket) check(ctx context.Context) error {
	exists, err := b.client.BucketExists(ctx, b.at.bucket)
	if err != nil {
		return err
	}
	if !exists {
		if !b.at.create {
			return fmt.Errorf("there is no bucket %s that these keys can see; make it, or have it made by create=true in the URL", b.at.bucket)
		}
		err := b.client.MakeBucket(ctx, b.at.bucket, minio.MakeBucketOptions{Region: b.at.region})
		if code := codeOf(err); err != nil && code != "BucketAlreadyOwnedByYou" && code != "BucketAlreadyExists" {
			return fmt.Errorf("make the bucket %s: %w", b.at.bucket, err)
		}
	}
	name := b.object("probe-" + rand.Text())
	if _, err := b.client.Client.PutObject(ctx, b.at.bucket, name, strings.NewReader(""), 0, minio.PutObjectOptions{}); err != nil {
		return fmt.Errorf("write to the bucket %s: %w", b.at.bucket, err)
	}
	if err := b.client.RemoveObject(ctx, b.at.bucket, name, minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("remove from the bucket %s: %w", b.at.bucket, err)
	}
	return nil
}

// explain says of a start that has failed what can be done about it.
func (b *bucket) explain(err error) error {
	switch codeOf(err) {
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "XAdminUserNotFound": // the last is versitygw's
		return fmt.Errorf("%s refuses the keys; check --s3-access-key and --s3-secret-key, and what they may do: %w", b.at.endpoint, err)
	}
	if isAway(err) {
		return fmt.Errorf("%s does not answer; check that it runs, and the endpoint in --store: %w", b.at.endpoint, err)
	}
	return err
}

func codeOf(err error) string {
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return ""
	}
	return answer.Code
}

// isAway tells whether an error of the client is one of the network or of the server: it may be gone later.
func isAway(err error) bool {
	var answer minio.ErrorResponse
	if errors.As(err, &answer) {
		return answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests
	}
	var failed *url.Error
	return errors.As(err, &failed) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.ErrUnexpectedEOF)
}

func failed(verb string, err error) error {
	if isAway(err) {
		return fmt.Errorf("%s: %w: %w", verb, ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", verb, err)
}

func (b *bucket) object(key string) string { return path.Join(b.at.prefix, key) }

// Put sends the file in one request, which S3 takes or refuses as a whole: there are no parts that could be left over.
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
	_, err = b.client.Client.PutObject(ctx, b.at.bucket, b.object(key), f, info.Size(), minio.PutObjectOptions{
		ContentType: ContentType(key), CacheControl: CacheControl, DisableMultipart: true})
	if err != nil {
		return failed("store file", err)
	}
	return nil
}

func (b *bucket) Open(ctx context.Context, key, ranges string) (io.ReadSeekCloser, error) {
	within, cancel := context.WithTimeout(ctx, statTimeout)
	defer cancel()
	info, err := b.client.StatObject(within, b.at.bucket, b.object(key), minio.StatObjectOptions{})
	if codeOf(err) == minio.NoSuchKey {
		return nil, os.ErrNotExist
	}
	if err != nil {
		return nil, failed("open file", err)
	}
	get := func(from, to int64) (io.ReadCloser, error) {
		var options minio.GetObjectOptions
		if err := options.SetRange(from, to-1); err != nil {
			return nil, err
		}
		body, _, _, err := b.client.GetObject(ctx, b.at.bucket, b.object(key), options)
		return body, err
	}
	fail := func(err error) error {
		if ctx.Err() == nil { // nobody else tells: by now the answer has begun
			b.log.ErrorContext(ctx, "read file", "error", err)
		}
		return err
	}
	return &object{size: info.Size, wanted: wantedEnd(ranges, info.Size), get: get, fail: fail}, nil
}

func (b *bucket) Remove(ctx context.Context, key string) error {
	if err := b.client.RemoveObject(ctx, b.at.bucket, b.object(key), minio.RemoveObjectOptions{}); err != nil {
		return failed("remove file", err)
	}
	return nil
}

func (b *bucket) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	exists, err := b.client.BucketExists(ctx, b.at.bucket)
	if err == nil && !exists {
		err = fmt.Errorf("there is no bucket %s", b.at.bucket)
	}
	return err
}

// presigner returns the function that makes the address under which a player gets a file from S3 itself, at an
// endpoint that may be another than ours, "" for the same.
func (b *bucket) presigner(base string) (func(ctx context.Context, key string) (string, error), error) {
	client := b.client
	if base != "" {
		endpoint, err := ParseEndpoint(base)
		if err != nil {
			return nil, err
		}
		if client, err = b.connect(endpoint); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context, key string) (string, error) {
		u, err := client.PresignedGetObject(ctx, b.at.bucket, b.object(key), signedFor, nil)
		if err != nil {
			return "", failed("sign address", err)
		}
		return u.String(), nil
	}, nil
}
