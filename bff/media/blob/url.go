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

// defaultRegion is the region of S3 servers other than Amazon's.
const defaultRegion = "us-east-1"

// location is a parsed URL of a store.
type location struct {
	folder string // of local files; "" = the URL is empty

	bucket, prefix string
	endpoint       *url.URL
	region         string
	lookup         minio.BucketLookupType
	create         bool // create the bucket if it does not exist
}

// CheckURL returns an error that explains what is wrong with the URL of a store. file:///folder stores files in a
// folder. s3://bucket/prefix stores them in a bucket, by default Amazon's; parameters are endpoint (a URL), region,
// path-style (true or false: the bucket is in the path or in the host name) and create (true: create the bucket if it
// does not exist).
func CheckURL(raw string) error {
	_, err := parseURL(raw)
	return err
}

func parseURL(raw string) (location, error) {
	if raw == "" {
		return location{}, nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.Fragment != "" {
		return location{}, errors.New("a URL such as file:///srv/videos or s3://bucket?endpoint=http://127.0.0.1:9000")
	}
	if u.User != nil {
		return location{}, errors.New("no access keys in the URL: use --s3-access-key and --s3-secret-key")
	}
	switch u.Scheme {
	case "file":
		return parseFolder(u)
	case "s3":
		return parseBucket(u)
	default:
		return location{}, fmt.Errorf("unknown scheme %q: use file:// or s3://", u.Scheme)
	}
}

func parseFolder(u *url.URL) (location, error) {
	if u.Host != "" || u.Path == "" || u.Path == "/" || u.RawQuery != "" {
		return location{}, errors.New("a folder has the form file:///srv/videos")
	}
	folder := filepath.FromSlash(u.Path)
	if runtime.GOOS == "windows" {
		folder = strings.TrimPrefix(folder, `\`)
	}
	return location{folder: folder}, nil
}

var prefixForm = regexp.MustCompile(`^([A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)?$`)

func parseBucket(u *url.URL) (loc location, err error) {
	loc.bucket, loc.prefix = u.Host, strings.Trim(u.Path, "/")
	if loc.bucket == "" || u.Port() != "" {
		return loc, errors.New("a bucket has the form s3://bucket or s3://bucket/prefix")
	}
	if err := s3utils.CheckValidBucketName(loc.bucket); err != nil {
		return loc, fmt.Errorf("%q is not a bucket name: %w", loc.bucket, err)
	}
	if !prefixForm.MatchString(loc.prefix) {
		return loc, fmt.Errorf("the prefix %q has other characters than letters, digits, dots, hyphens and slashes", loc.prefix)
	}
	return loc, loc.parseParameters(u.RawQuery)
}

func (loc *location) parseParameters(raw string) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return fmt.Errorf("invalid parameters: %w", err)
	}
	endpoint := "https://s3.amazonaws.com"
	for name, values := range query {
		value := values[0]
		switch name {
		case "endpoint":
			endpoint = value
			if !query.Has("region") {
				loc.region = defaultRegion
			}
		case "region":
			loc.region = value
		case "path-style":
			var inPath bool
			inPath, err = strconv.ParseBool(value)
			loc.lookup = minio.BucketLookupDNS
			if inPath {
				loc.lookup = minio.BucketLookupPath
			}
		case "create":
			loc.create, err = strconv.ParseBool(value)
		default:
			return fmt.Errorf("unknown parameter %q: the parameters are endpoint, region, path-style and create", name)
		}
		if err != nil {
			return fmt.Errorf("%s: true or false", name)
		}
	}
	loc.endpoint, err = ParseEndpoint(endpoint)
	return err
}

// ParseEndpoint parses the URL of an S3 server, such as http://127.0.0.1:9000.
func ParseEndpoint(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, fmt.Errorf("%q is not an endpoint such as http://127.0.0.1:9000", raw)
	}
	return u, nil
}
