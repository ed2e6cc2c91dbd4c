package media

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
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

const (
	statTimeout   = 3 * time.Second  // to say how long a file is
	readyTimeout  = time.Second      // to say that it answers
	stallTimeout  = 30 * time.Second // a connection must carry something within
	tries         = 6                // of a request; they take some seconds when nobody answers
	signedFor     = 6 * time.Hour    // how long a signed address is good
	defaultRegion = "us-east-1"      // what servers of S3 other than Amazon's call their only region
)

// place is what the URL of a store says.
type place struct {
	folder string // of local files; "" = that of the data folder

	bucket, prefix string
	endpoint       *url.URL
	region         string
	lookup         minio.BucketLookupType
	create         bool // make the bucket when there is none
}

// CheckStore returns an error that says what is wrong with the URL of a store. file:///folder keeps files in a folder.
// s3://bucket/prefix keeps them in a bucket, by default Amazon's; parameters are endpoint (a URL), region, path-style
// (true or false: the bucket in the path or in the host) and create (true: make the bucket when there is none).
func CheckStore(raw string) error {
	_, err := parseStore(raw)
	return err
}

func parseStore(raw string) (at place, err error) {
	if raw == "" {
		return at, nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.Fragment != "" {
		return at, errors.New("a URL such as file:///srv/videos or s3://bucket?endpoint=http://127.0.0.1:9000")
	}
	if u.User != nil {
		return at, errors.New("keys do not belong into the URL: --s3-access-key and --s3-secret-key name them")
	}
	switch u.Scheme {
	case "file":
		return parseFolder(u)
	case "s3":
		return parseBucket(u)
	default:
		return at, fmt.Errorf("%q is no kind of store; it begins with file:// or s3://", u.Scheme)
	}
}

func parseFolder(u *url.URL) (at place, err error) {
	if u.Host != "" || u.Path == "" || u.Path == "/" || u.RawQuery != "" {
		return at, errors.New("a folder has the form file:///srv/videos")
	}
	at.folder = filepath.FromSlash(u.Path)
	if runtime.GOOS == "windows" {
		at.folder = strings.TrimPrefix(at.folder, `\`)
	}
	return at, nil
}

var prefixForm = regexp.MustCompile(`^([A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)?$`)

func parseBucket(u *url.URL) (at place, err error) {
	at.bucket, at.prefix = u.Host, strings.Trim(u.Path, "/")
	if at.bucket == "" || u.Port() != "" {
		return at, errors.New("a bucket has the form s3://bucket or s3://bucket/prefix")
	}
	if err := s3utils.CheckValidBucketName(at.bucket); err != nil {
		return at, fmt.Errorf("%q is no name of a bucket: %w", at.bucket, err)
	}
	if !prefixForm.MatchString(at.prefix) {
		return at, fmt.Errorf("the prefix %q holds more than letters, digits, dots, hyphens and slashes", at.prefix)
	}
	endpoint := "https://s3.amazonaws.com"
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return at, fmt.Errorf("the parameters cannot be read: %w", err)
	}
	for name, values := range query {
		value := values[0]
		switch name {
		case "endpoint":
			endpoint = value
			if !query.Has("region") {
				at.region = defaultRegion
			}
		case "region":
			at.region = value
		case "path-style":
			var inPath bool
			inPath, err = strconv.ParseBool(value)
			at.lookup = minio.BucketLookupDNS
			if inPath {
				at.lookup = minio.BucketLookupPath
			}
		case "create":
			at.create, err = strconv.ParseBool(value)
		default:
			return at, fmt.Errorf("there is no parameter %q; there are endpoint, region, path-style and create", name)
		}
		if err != nil {
			return at, fmt.Errorf("%s is true or false", name)
		}
	}
	at.endpoint, err = ParseEndpoint(endpoint)
	return at, err
}

// ParseEndpoint reads where a server of S3 is, such as http://127.0.0.1:9000.
func ParseEndpoint(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, fmt.Errorf("%q is no endpoint such as http://127.0.0.1:9000", raw)
	}
	return u, nil
}

// bucket keeps files as objects of S3: the key behind the prefix.
type bucket struct {
	at     place
	client *minio.Core
	keys   *credentials.Credentials
	log    *slog.Logger
}

var _ store = (*bucket)(nil)

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
		return fmt.Errorf("%s: %w: %w", verb, errAway, err)
	}
	return fmt.Errorf("%s: %w", verb, err)
}

func (b *bucket) object(key string) string { return path.Join(b.at.prefix, key) }

// put sends the file in one request, which S3 takes or refuses as a whole: there are no parts that could be left over.
func (b *bucket) put(ctx context.Context, temp, key string) error {
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
		ContentType: contentTypes[path.Ext(key)], CacheControl: forever, DisableMultipart: true})
	if err != nil {
		return failed("store file", err)
	}
	return nil
}

func (b *bucket) open(ctx context.Context, key, ranges string) (io.ReadSeekCloser, error) {
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

func (b *bucket) remove(ctx context.Context, key string) error {
	if err := b.client.RemoveObject(ctx, b.at.bucket, b.object(key), minio.RemoveObjectOptions{}); err != nil {
		return failed("remove file", err)
	}
	return nil
}

func (b *bucket) ready(ctx context.Context) error {
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

var oneRange = regexp.MustCompile(`^bytes=[0-9]+-([0-9]+)$`)

// wantedEnd returns where the part of a file ends that a Range header asks for, the size when it is not as simple as
// players send it.
func wantedEnd(ranges string, size int64) int64 {
	if asked := oneRange.FindStringSubmatch(ranges); asked != nil {
		if last, err := strconv.ParseInt(asked[1], 10, 64); err == nil && last < size {
			return last + 1
		}
	}
	return size
}

// object reads an object from where it was sought to, in as few requests as there are jumps. It goes on where it was
// when a connection breaks.
type object struct {
	size   int64
	wanted int64 // where reading is likely to end
	get    func(from, to int64) (io.ReadCloser, error)
	fail   func(err error) error // is told what ends the reading early

	offset int64
	body   io.ReadCloser // at offset; nil = to be asked for
}

// Seek moves to another place. It asks for nothing yet.
func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.offset
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return 0, errors.New("seek: before the start")
	}
	if offset != o.offset {
		_ = o.Close() // what was not read is not wanted
	}
	o.offset = offset
	return offset, nil
}

// Read reads on. An error means that the store has been away for some seconds.
func (o *object) Read(p []byte) (int, error) {
	var last error
	for range tries {
		if o.offset >= o.size {
			return 0, io.EOF
		}
		if o.body == nil {
			to := o.size
			if o.offset < o.wanted {
				to = o.wanted
			}
			body, err := o.get(o.offset, to) // tries again by itself
			if err != nil {
				return 0, o.fail(err)
			}
			o.body = body
		}
		n, err := o.body.Read(p)
		o.offset += int64(n)
		if err != nil {
			_ = o.Close() // it is of no more use
			last = err
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, o.fail(last)
}

// Close ends a request that runs.
func (o *object) Close() error {
	if o.body == nil {
		return nil
	}
	body := o.body
	o.body = nil
	return body.Close()
}
