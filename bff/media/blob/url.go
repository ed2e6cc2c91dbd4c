package blob

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// defaultRegion is what servers of S3 other than Amazon's call their only region.
const defaultRegion = "us-east-1"

// place is what the URL of a store says.
type place struct {
	folder string // of local files; "" = that of the data folder

	bucket, prefix string
	endpoint       *url.URL
	region         string
	lookup         minio.BucketLookupType
	create         bool // make the bucket when there is none
}

// CheckURL returns an error that says what is wrong with the URL of a store. file:///folder keeps files in a folder.
// s3://bucket/prefix keeps them in a bucket, by default Amazon's; parameters are endpoint (a URL), region, path-style
// (true or false: the bucket in the path or in the host) and create (true: make the bucket when there is none).
func CheckURL(raw string) error {
	_, err := parseURL(raw)
	return err
}

func parseURL(raw string) (at place, err error) {
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
