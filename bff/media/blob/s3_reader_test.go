package blob

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

// An object is read in as few requests as possible, and no more of it than is wanted.
func TestObjectRequests(t *testing.T) {
	var asked []string
	content := bytes.Repeat([]byte("0123456789"), 100)
	for _, c := range []struct {
		ranges string
		want   []string
	}{
		{"", []string{"0-1000"}},
		{"bytes=0-", []string{"0-1000"}},
		{"bytes=10-19", []string{"10-20"}},
		{"bytes=-5", []string{"995-1000"}},
		{"bytes=990-5000", []string{"990-1000"}},
		{"bytes=2000-", nil},
	} {
		t.Run(c.ranges, func(t *testing.T) {
			asked = nil
			o := &object{size: 1000, wanted: wantedEnd(c.ranges, 1000), get: func(from, to int64) (io.ReadCloser, error) {
				asked = append(asked, fmt.Sprintf("%d-%d", from, to))
				return io.NopCloser(bytes.NewReader(content[from:to])), nil
			}}
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Range", c.ranges)
			http.ServeContent(httptest.NewRecorder(), r, "x.mp4", time.Time{}, o)
			if !slices.Equal(asked, c.want) {
				t.Errorf("asked for %v, want %v", asked, c.want)
			}
		})
	}
}
