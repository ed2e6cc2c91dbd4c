package limit

import (
	"hash/fnv"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/go-chi/httprate"
	"github.com/redis/go-redis/v9"
)

// length is that of a window.
const length = time.Minute

// window is a sliding window: what a client used in the window before counts by the part of it that is less than a
// minute ago. Its counters are httprate's.
type window struct {
	limit   int
	offset  time.Duration // of the windows of this process, whose ends then do not coincide with those of others
	counter httprate.LimitCounter
	clients [64]sync.Mutex // a client locks one of them between reading its counter and increasing it
}

// newWindow returns a window with a name of its own, nil for no limit. Processes with the same Redis share its counters.
func newWindow(limit int, shared redis.UniversalClient, name string) *window {
	if limit == 0 {
		return nil
	}
	w := &window{limit: limit}
	if shared != nil {
		w.counter = newRedisCounter(shared, name)
		return w
	}
	start := time.Now().UTC()
	w.offset = start.Sub(start.Truncate(length))
	w.counter = httprate.NewLocalLimitCounter(length)
	return w
}

// usage is what a client has used of its limit.
type usage struct {
	limit, remaining int
	reset            int64 // seconds until the window ends
	exceeded         bool
}

// take counts n units, unless they exceed what is left of the limit. The counters never fail.
func (w *window) take(key string, n int, now time.Time) usage {
	start := now.Add(-w.offset).Truncate(length).Add(w.offset)
	end := start.Add(length)
	of := usage{limit: w.limit, reset: max(0, end.Unix()-now.Unix())}
	mutex := w.mutexOf(key)
	mutex.Lock()
	defer mutex.Unlock()
	current, previous, _ := w.counter.Get(key, start, start.Add(-length))
	used := current + int(math.Round(float64(previous)*float64(end.Sub(now))/float64(length)))
	if used+n > w.limit {
		of.remaining, of.exceeded = w.limit-used, true
		return of
	}
	_ = w.counter.IncrementBy(key, start, n)
	of.remaining = w.limit - used - n
	return of
}

func (w *window) mutexOf(key string) *sync.Mutex {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(key)) // never fails
	return &w.clients[sum.Sum32()%uint32(len(w.clients))]
}

// writeTo writes the usage to the header of a response, which may be nil.
func (u usage) writeTo(header http.Header) {
	if header == nil {
		return
	}
	header.Set("RateLimit-Limit", strconv.Itoa(u.limit))
	header.Set("RateLimit-Remaining", strconv.Itoa(u.remaining))
	header.Set("RateLimit-Reset", strconv.FormatInt(u.reset, 10))
	if u.exceeded {
		header.Set("Retry-After", strconv.Itoa(int(length/time.Second)))
	}
}
