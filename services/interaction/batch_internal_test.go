package interaction

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/idl/codes"
)

// recorder is where a batcher writes; each write waits for a turn.
type recorder struct {
	turn    chan struct{}
	batches [][]like
	fail    func(l like) error
}

func (r *recorder) write(_ context.Context, changes []like) []error {
	<-r.turn
	r.batches = append(r.batches, changes)
	errs := make([]error, len(changes))
	for i, l := range changes {
		if r.fail != nil {
			errs[i] = r.fail(l)
		}
	}
	return errs
}

// testBatcher runs a test while the first batch, the like of user 1000, is being written. end lets all be written, and
// closes the batcher; without it the test's end does.
func testBatcher(t *testing.T, fail func(like) error, test func(t *testing.T, b *batcher, r *recorder, end func())) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{turn: make(chan struct{}), fail: fail}
		b := newBatcher(1, r.write)
		end := sync.OnceFunc(func() {
			close(r.turn)
			b.close()
		})
		t.Cleanup(end)
		go func() { _ = b.change(t.Context(), like{UserID: 1000, VideoID: 1}) }()
		synctest.Wait()
		test(t, b, r, end)
	})
}

// What arrives while a batch is written shares the next. Of one pair the last change counts, and all callers are answered.
func TestBatch(t *testing.T) {
	testBatcher(t, nil, func(t *testing.T, b *batcher, r *recorder, _ func()) {
		var callers sync.WaitGroup
		for _, l := range []like{{UserID: 1, VideoID: 1, Liked: 1}, {UserID: 2, VideoID: 1, Liked: 1}, {UserID: 1, VideoID: 1}} {
			callers.Go(func() { require.NoError(t, b.change(t.Context(), l)) })
			synctest.Wait()
		}
		r.turn <- struct{}{}
		r.turn <- struct{}{}
		callers.Wait()
		require.Len(t, r.batches, 2)
		require.Equal(t, []like{{UserID: 1, VideoID: 1}, {UserID: 2, VideoID: 1, Liked: 1}}, r.batches[1])
	})
}

// A caller who leaves stops waiting, and cancels nothing.
func TestBatchOfLeavers(t *testing.T) {
	testBatcher(t, nil, func(t *testing.T, b *batcher, r *recorder, _ func()) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, b.change(ctx, like{UserID: 1, VideoID: 1, Liked: 1}), context.DeadlineExceeded)
		r.turn <- struct{}{}
		r.turn <- struct{}{}
		synctest.Wait()
		require.Equal(t, []like{{UserID: 1, VideoID: 1, Liked: 1}}, r.batches[1])
	})
}

// A change that cannot be written fails alone.
func TestBatchWithRefused(t *testing.T) {
	refused := errors.New("refused")
	fail := func(l like) error {
		if l.UserID == 2 {
			return refused
		}
		return nil
	}
	testBatcher(t, fail, func(t *testing.T, b *batcher, r *recorder, _ func()) {
		errs := make([]error, 4)
		var callers sync.WaitGroup
		for i := range errs {
			callers.Go(func() { errs[i] = b.change(t.Context(), like{UserID: int64(i), VideoID: 1}) })
		}
		synctest.Wait()
		r.turn <- struct{}{}
		r.turn <- struct{}{}
		callers.Wait()
		require.Equal(t, []error{nil, nil, refused, nil}, errs)
	})
}

// A panic fails its batch only.
func TestBatchThatPanics(t *testing.T) {
	fail := func(l like) error {
		if l.UserID == 1 {
			panic("oh")
		}
		return nil
	}
	testBatcher(t, fail, func(t *testing.T, b *batcher, r *recorder, _ func()) {
		go func() {
			for range 3 {
				r.turn <- struct{}{}
			}
		}()
		require.ErrorContains(t, b.change(t.Context(), like{UserID: 1, VideoID: 1}), "panic: oh")
		require.NoError(t, b.change(t.Context(), like{UserID: 2, VideoID: 1}))
	})
}

// A batch and the queue have bounds: what is beyond is unavailable at once. The end writes all that is queued, and what
// comes later is unavailable.
func TestBatchBounds(t *testing.T) {
	testBatcher(t, nil, func(t *testing.T, b *batcher, r *recorder, end func()) {
		errs := make([]error, maxQueued)
		var callers sync.WaitGroup
		for i := range errs {
			callers.Go(func() { errs[i] = b.change(t.Context(), like{UserID: int64(i + 1), VideoID: 1}) })
		}
		synctest.Wait()
		require.Equal(t, codes.UpstreamUnavailable, codes.Of(b.change(t.Context(), like{UserID: 1, VideoID: 2})))
		end()
		callers.Wait()
		require.NoError(t, errors.Join(errs...))
		require.Len(t, r.batches, 1+maxQueued/maxBatch)
		require.Equal(t, codes.UpstreamUnavailable, codes.Of(b.change(t.Context(), like{UserID: 1, VideoID: 2})))
	})
}
