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
	// maxBatch is how many changes one transaction writes. For longer lists of pairs, MariaDB chooses another plan.
	maxBatch = 500
	// batchTimeout bounds the write of a batch. All maxQueued changes are written before a deleted video is purged for the
	// second time, so no like outlives its video.
	batchTimeout = 10 * time.Second
	maxQueued    = 10 * maxBatch
	// inFlight is how many batches are written at a time: while one waits for the disk, the next is prepared.
	inFlight = 2
)

// batcher writes likes in batches. Likes that arrive while a batch is written share the next one: under load, hundreds
// of likes share a transaction, and without load none is delayed.
type batcher struct {
	write         func(ctx context.Context, changes []like) []error // returns the error of each change
	queue         chan queued
	stop, stopped chan struct{}
	running       sync.WaitGroup
}

// queued is a change in the queue. done has room for the result, so that a caller who has left blocks nothing.
type queued struct {
	like
	done chan error
}

// newBatcher returns a batcher that writes inFlight batches at a time.
func newBatcher(inFlight int, write func(ctx context.Context, changes []like) []error) *batcher {
	b := &batcher{write: write, queue: make(chan queued, maxQueued), stop: make(chan struct{}), stopped: make(chan struct{})}
	for range inFlight {
		b.running.Go(b.run)
	}
	return b
}

// close writes the queued changes and waits for it.
func (b *batcher) close() {
	close(b.stop)
	b.running.Wait()
	close(b.stopped)
}

// change returns when the change is written. If ctx ends before, the change may still be written. Code:
// UpstreamUnavailable, if the queue is full.
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

// writeBatch writes the first change with all queued ones. The last change of a pair counts, for all its callers.
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
	indexes := make(map[likelog.Pair]int, len(batch))
	changes := make([]like, 0, len(batch))
	for _, q := range batch {
		i, known := indexes[q.pair()]
		if !known {
			i = len(changes)
			indexes[q.pair()], changes = i, append(changes, q.like)
		}
		changes[i] = q.like
	}
	errs := b.recovered(changes)
	for _, q := range batch {
		q.done <- errs[indexes[q.pair()]]
	}
}

// recovered writes the changes. A panic, which would end the process, becomes the error of all.
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
