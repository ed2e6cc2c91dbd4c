package blob_test

import (
	"testing"

	"minidouyin/bff/media/blob"
)

// New keys have the form of a key and are unique.
func TestKeys(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		key := blob.NewKey("videos", "mp4")
		if !blob.IsKey(key) || seen[key] {
			t.Fatalf("bad key %q", key)
		}
		seen[key] = true
	}
}
