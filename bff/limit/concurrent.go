package limit

import (
	"mime"
	"net/http"
	"sync"

	"minidouyin/bff/middleware"
	"minidouyin/idl/codes"
)

// Uploads bounds how many forms with files arrive from one address at once. Each takes as much of the disk as the
// largest video, and over REST from anybody at first: the token may come after the file (contract, publish).
type Uploads struct {
	limit int // 0 = none

	mu   sync.Mutex
	from map[string]int // by address
}

// NewUploads returns a limit of the uploads of one address at once; 0 = no limit.
func NewUploads(limit int) *Uploads { return &Uploads{limit: limit, from: map[string]int{}} }

// Count is middleware that counts uploads while they are answered. refuse answers those that are too many.
func (u *Uploads) Count(refuse middleware.Refuse) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mediaType != "multipart/form-data" {
				next.ServeHTTP(w, r)
				return
			}
			address := middleware.AddressOf(r)
			if !u.begin(address) {
				refuse(w, r, codes.Errorf(codes.RateLimited, "too many uploads at once, please try again later"))
				return
			}
			defer u.end(address)
			next.ServeHTTP(w, r)
		})
	}
}

func (u *Uploads) begin(address string) (ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.limit > 0 && u.from[address] >= u.limit {
		return false
	}
	u.from[address]++
	return true
}

func (u *Uploads) end(address string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.from[address]--; u.from[address] == 0 {
		delete(u.from, address)
	}
}
