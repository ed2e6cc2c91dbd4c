package blob_test

import (
	"testing"

	"minidouyin/bff/media/blob"
)

// Keys come from chance alone, and no two are alike.
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
