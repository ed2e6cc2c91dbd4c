package blob_test

import (
	"strings"
	"testing"

	"minidouyin/bff/media/blob"
)

// The URL of a store is valid or refused with the reason. The error has no secret.
func TestCheckURL(t *testing.T) {
	for _, good := range []string{"", "file:///srv/videos", "s3://bucket", "s3://bucket/", "s3://bucket/some/prefix/?region=eu-west-1",
		"s3://bucket?endpoint=http://127.0.0.1:9000&region=r&path-style=true&create=false", "s3://bucket?endpoint=https://s3.example.org/"} {
		if err := blob.CheckURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, says := range map[string]string{
		"/srv/videos":                           `unknown scheme ""`,
		"http://bucket":                         `unknown scheme "http"`,
		"s3:bucket":                             "a URL such as",
		"%":                                     "a URL such as",
		"file://srv/videos":                     "a folder has the form",
		"file:///":                              "a folder has the form",
		"file:///srv?create=true":               "a folder has the form",
		"s3://":                                 "a bucket has the form",
		"s3://b":                                `"b" is not a bucket name`,
		"s3://bucket:9000":                      "a bucket has the form",
		"s3://bucket/../other":                  "the prefix",
		"s3://key:hidden@bucket":                "no access keys in the URL",
		"s3://bucket?color=red":                 `unknown parameter "color"`,
		"s3://bucket?create=maybe":              "create: true or false",
		"s3://bucket?path-style=":               "path-style: true or false",
		"s3://bucket?endpoint=127.0.0.1:9000":   "is not an endpoint",
		"s3://bucket?endpoint=http://host/path": "is not an endpoint",
		"s3://bucket?endpoint=ftp://host":       "is not an endpoint",
	} {
		if err := blob.CheckURL(bad); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v, want %q", bad, err, says)
		}
	}
}
