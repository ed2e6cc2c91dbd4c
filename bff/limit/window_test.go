package limit

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A client gets its limit in a window. What it used in the window before counts by the part of that window which is
// less than a minute ago.
func TestWindowSlides(t *testing.T) {
	w := newWindow(100, nil, "test")
	start := time.Now().UTC().Add(-w.offset).Truncate(length).Add(w.offset).Add(length)
	for _, step := range []struct {
		name      string
		after     time.Duration
		key       string
		n         int
		remaining int
		exceeded  bool
	}{
		{"some", 0, "ann", 60, 40, false},
		{"too much", 0, "ann", 41, 40, true},
		{"the rest", 10 * time.Second, "ann", 40, 0, false},
		{"another client", 10 * time.Second, "bob", 100, 0, false},
		{"nothing is left", 59 * time.Second, "ann", 1, 0, true},
		{"a quarter of the next window", 75 * time.Second, "ann", 30, 25, true},
		{"what was given back", 75 * time.Second, "ann", 25, 0, false},
		{"half of the next window", 90 * time.Second, "ann", 20, 5, false},
		{"two windows later", 180 * time.Second, "ann", 100, 0, false},
	} {
		t.Run(step.name, func(t *testing.T) {
			now := start.Add(step.after)
			used := w.take(step.key, step.n, now)
			require.Equal(t, step.remaining, used.remaining)
			require.Equal(t, step.exceeded, used.exceeded)
			require.InDelta(t, (length-step.after%length)/time.Second, used.reset, 1)
		})
	}
}

// The header of a response says what is left, and when to come back.
func TestUsageInHeaders(t *testing.T) {
	header := http.Header{}
	usage{limit: 10, remaining: 3, reset: 42}.writeTo(header)
	require.Equal(t, http.Header{"Ratelimit-Limit": {"10"}, "Ratelimit-Remaining": {"3"}, "Ratelimit-Reset": {"42"}}, header)
	usage{limit: 10, reset: 42, exceeded: true}.writeTo(header)
	require.Equal(t, "60", header.Get("Retry-After"))
	usage{limit: 10}.writeTo(nil)
}

// A client has so many at the same time, and may have another one after it has released one.
func TestConcurrent(t *testing.T) {
	c := NewConcurrent(2)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	first, ok := c.Acquire(r)
	require.True(t, ok)
	second, ok := c.Acquire(r)
	require.True(t, ok)
	_, ok = c.Acquire(r)
	require.False(t, ok)
	first()
	third, ok := c.Acquire(r)
	require.True(t, ok)
	second()
	third()
	require.Empty(t, c.counts)

	unlimited := NewConcurrent(0)
	for range 100 {
		_, ok := unlimited.Acquire(r)
		require.True(t, ok)
	}
}
