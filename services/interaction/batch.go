package interaction

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"minidouyin/idl/codes"
	"minidouyin/services/interaction/likelog"
)

const (
	// maxBatch is how many changes of likes one transaction makes. MariaDB plans longer lists of pairs in another way.
	maxBatch = 500
	// batchTimeout bounds the writing of a batch. maxQueued such batches end before a deleted video is purged for the
	// second time, so that no like outlives its video.
	batchTimeout = 10 * time.Second
	maxQueued    = 10 * maxBatch
	// inFlight is how many batches are written at once: while one waits for the disk, another is made ready.
	inFlight = 2
)

// batcher writes likes in batches: those that arrive while one is being written share the next. So a busy service pays
// for a transaction once for hundreds of likes, and a quiet one delays none.
type batcher struct {
	write         func(ctx context.Context, changes []like) []error // for each change why it does not hold
	queue         chan queued
	stop, stopped chan struct{}
	running       sync.WaitGroup
}

// queued is a change on its way. done has room for the answer, so that nobody waits for a caller who has left.
type queued struct {
	like
	done chan error
}

// newBatcher returns a batcher that writes so many batches at once.
func newBatcher(inFlight int, write func(ctx context.Context, changes []like) []error) *batcher {
	b := &batcher{write: write, queue: make(chan queued, maxQueued), stop: make(chan struct{}), stopped: make(chan struct{})}
	for range inFlight {
		b.running.Go(b.run)
	}
	return b
}

// close writes what is queued and waits for it.
func (b *batcher) close() {
	close(b.stop)
	b.running.Wait()
	close(b.stopped)
}

// change returns when the change is written. When ctx ends before, it may be written all the same. Code:
// UpstreamUnavailable, when too many are queued.
func (b *batcher) change(ctx context.Context, l like) error {
	q := queued{l, make(chan error, 1)}
	unavailable := codes.Errorf(codes.UpstreamUnavailable, "too many likes at once, please try again")
	select {
	case b.queue <- q:
	default:
		return unavailable
	}
	select {
	case err := <-q.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-b.stopped:
		return unavailable
	}
}

func (b *batcher) run() {
	for {
		select {
		case q := <-b.queue:
			b.writeBatch(q)
		case <-b.stop:
			if len(b.queue) == 0 {
				return
			}
		}
	}
}

// writeBatch writes the first change with all that are queued. Of one pair the last that arrived counts, for all its
// callers.
func (b *batcher) writeBatch(first queued) {
	batch := append(make([]queued, 0, 64), first)
fill:
	for len(batch) < maxBatch {
		select {
		case q := <-b.queue:
			batch = append(batch, q)
		default:
			break fill
		}
	}
	places := make(map[likelog.Pair]int, len(batch))
	changes := make([]like, 0, len(batch))
	for _, q := range batch {
		i, known := places[q.pair()]
		if !known {
			i = len(changes)
			places[q.pair()], changes = i, append(changes, q.like)
		}
		changes[i] = q.like
	}
	errs := b.recovered(changes)
	for _, q := range batch {
		q.done <- errs[places[q.pair()]]
	}
}

// recovered writes the changes. A panic becomes the error of all, for it would end the process here.
func (b *batcher) recovered(changes []like) (errs []error) {
	defer func() {
		if p := recover(); p != nil {
			errs = slices.Repeat([]error{fmt.Errorf("write likes: panic: %v\n%s", p, debug.Stack())}, len(changes))
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	return b.write(ctx, changes)
}
