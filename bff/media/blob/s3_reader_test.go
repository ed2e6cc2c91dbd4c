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

// A range is read with one request, and only the range.
func TestObjectReader(t *testing.T) {
	var requested []string
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
			requested = nil
			o := &objectReader{size: 1000, end: rangeEnd(c.ranges, 1000), get: func(from, to int64) (io.ReadCloser, error) {
				requested = append(requested, fmt.Sprintf("%d-%d", from, to))
				return io.NopCloser(bytes.NewReader(content[from:to])), nil
			}}
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Range", c.ranges)
			http.ServeContent(httptest.NewRecorder(), r, "x.mp4", time.Time{}, o)
			if !slices.Equal(requested, c.want) {
				t.Errorf("requested %v, want %v", requested, c.want)
			}
		})
	}
}
