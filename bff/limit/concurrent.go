package limit

import (
	"mime"
	"net/http"
	"sync"

	"minidouyin/bff/middleware"
	"minidouyin/idl/codes"
)

// Concurrent limits how many of something each client address has at the same time.
type Concurrent struct {
	limit int // 0 = none

	mu     sync.Mutex
	counts map[string]int // by address
}

// NewConcurrent returns a limit; 0 = no limit.
func NewConcurrent(limit int) *Concurrent {
	return &Concurrent{limit: limit, counts: map[string]int{}}
}

// Acquire counts one more for the client of a request until release is called. ok is false when it has as many as the
// limit allows.
func (c *Concurrent) Acquire(r *http.Request) (release func(), ok bool) {
	address := middleware.AddressOf(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit > 0 && c.counts[address] >= c.limit {
		return nil, false
	}
	c.counts[address]++
	return func() { c.release(address) }, true
}

func (c *Concurrent) release(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts[address]--; c.counts[address] == 0 {
		delete(c.counts, address)
	}
}

// Uploads is middleware that counts forms with files until they are answered. Each needs as much disk space as the
// largest video, and over REST before its client is known: the token may come after the file (contract, publish).
func (c *Concurrent) Uploads(refuse middleware.Refuse) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mediaType != "multipart/form-data" {
				next.ServeHTTP(w, r)
				return
			}
			release, ok := c.Acquire(r)
			if !ok {
				refuse(w, r, codes.Errorf(codes.RateLimited, "too many uploads at once, please try again later"))
				return
			}
			defer release()
			next.ServeHTTP(w, r)
		})
	}
}
