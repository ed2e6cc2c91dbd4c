package media

import (
	"context"
	"math"
	"runtime/debug"
	"sync"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"golang.org/x/sync/semaphore"

	"minidouyin/idl/codes"
)

const (
	defaultMemory = 1 << 30          // bytes, for a process without a limit
	queueTimeout  = 30 * time.Second // for a job or for memory
)

var errBusy = codes.Errorf(codes.RateLimited, "too many files are processed at the moment, please try again later")

// processMemory returns the memory limit of the process in bytes: the smallest of GOMEMLIMIT and the limits of its
// cgroups.
func processMemory() int64 {
	limit := debug.SetMemoryLimit(-1)
	if cgroup, err := memlimit.FromCgroup(); err == nil && cgroup < uint64(limit) {
		limit = int64(cgroup)
	}
	if limit == math.MaxInt64 {
		return defaultMemory
	}
	return limit
}

// budget limits the memory for processing uploads: decoded pictures, indexes of videos, and child processes, each
// counted with its limit because a container counts them too. What does not fit waits in order of arrival.
//
// Of the memory limit of the process, 8/12 are the budget, 1/12 is released memory that is not collected yet, and 3/12
// are for everything else. With GOMEMLIMIT=400MiB in a container of 512 MiB that is
// 267 + 33 + 100 MiB: one child (192 MiB) and pictures of 75 MiB at once, or pictures of 267 MiB.
type budget struct {
	size int64
	free *semaphore.Weighted

	mu      sync.Mutex // held during a collection: no memory is released meanwhile
	garbage int64      // bytes released since the last collection
}

func newBudget(size int64) *budget {
	return &budget{size: size, free: semaphore.NewWeighted(size)}
}

// acquire waits until n bytes are free; release frees them. It returns an error with codes.TooLarge if n is more than
// the whole budget, one with codes.RateLimited after queueTimeout, and the error of ctx when it ends.
func (b *budget) acquire(ctx context.Context, n int64) (release func(), err error) {
	if n > b.size {
		return nil, codes.Errorf(codes.TooLarge, "the file needs %d MiB of memory, this server has %d MiB", n>>20, b.size>>20)
	}
	queue, cancel := context.WithTimeout(ctx, queueTimeout)
	defer cancel()
	if err := b.free.Acquire(queue, n); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, errBusy
	}
	return func() { b.free.Release(n) }, nil
}

// acquireHeap is acquire for memory of the Go heap: release keeps the garbage below an eighth of the budget.
func (b *budget) acquireHeap(ctx context.Context, n int64) (release func(), err error) {
	free, err := b.acquire(ctx, n)
	if err != nil {
		return nil, err
	}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.garbage += n; b.garbage > b.size/8 {
			debug.FreeOSMemory()
			b.garbage = 0
		}
		free()
	}, nil
}
