package interaction

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/redis/go-redis/v9"

	"minidouyin/services/internal/database"
)

const (
	// leaseTime is how long a process keeps others from flushing the same partition. When it dies in the middle or
	// takes longer, another does the same again, which is harmless.
	leaseTime = 3 * time.Second
	// flushTimeout bounds the transaction of one batch.
	flushTimeout = 10 * time.Second
	// readAhead is how many entries one flush reads in all, and leastRead and mostRead of one partition.
	readAhead, leastRead, mostRead = 2000, 32, 500
	// maxAttempts is how often an entry that fails by itself is tried before it goes to the dead letters.
	maxAttempts = 5
	// maxDead bounds the stream of dead letters of one partition.
	maxDead = 10_000
)

// reading is what one flush has read of a partition.
type reading struct {
	partition int
	done      []string // ids that may go
	last      int64    // the version of the last entry
	waits     bool     // some entry has to wait
	stuck     int64    // the version of the first that has to
	full      bool     // there may be more
}

// wait notes that the entry with the version stays in the stream.
func (r *reading) wait(version int64) {
	if !r.waits || version < r.stuck {
		r.waits, r.stuck = true, version
	}
}

// flush carries over what the partitions hold, up to a limit; it returns the partitions that hold more, or are being
// flushed by another process.
func (f *flusher) flush(ctx context.Context, work uint64) (more uint64, err error) {
	readings, entries, busy, err := f.read(ctx, work)
	if err != nil {
		return 0, err
	}
	newest := map[pair]entry{}
	for _, e := range entries {
		if known, ok := newest[e.pair]; !e.lift && !e.late && (!ok || e.version > known.version) {
			newest[e.pair] = e
		}
	}
	failed := f.carryOver(ctx, newest)
	var dropped []pair
	var firstErr error
	for _, e := range entries {
		r := readings[e.partition]
		why, bad := failed[e.pair]
		switch {
		case e.lift:
			r.done = append(r.done, e.id)
		case e.late:
			f.met.late.Inc()
			dropped = append(dropped, e.pair)
			r.done = append(r.done, e.id)
		case !bad:
			f.met.flushed.Inc()
			r.done = append(r.done, e.id)
		case why.final:
			dropped = append(dropped, e.pair)
			f.bury(ctx, r, e.id, e.version, encode(e.change, 0), why.err)
		default:
			firstErr = why.err
			r.wait(e.version)
		}
	}
	err = f.drop(ctx, dropped)
	return busy | f.finish(ctx, readings), errors.Join(firstErr, err)
}

// read takes the leases of the partitions and reads their oldest entries. What cannot be read goes to the dead letters.
func (f *flusher) read(ctx context.Context, work uint64) (map[int]*reading, []entry, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	count := int64(min(max(readAhead/bits.OnesCount64(work), leastRead), mostRead))
	leases := map[int]*redis.BoolCmd{}
	ranges := map[int]*redis.XMessageSliceCmd{}
	_, err := f.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for left := work; left != 0; left &= left - 1 {
			p := bits.TrailingZeros64(left)
			leases[p] = pipe.SetNX(ctx, leaseKey(p), f.token, leaseTime)
			ranges[p] = pipe.XRangeN(ctx, streamKey(p), "-", "+", count)
		}
		return nil
	})
	if err != nil {
		f.readFailed(ctx, err)
		return nil, nil, 0, fmt.Errorf("read the log: %w", err)
	}
	readings := map[int]*reading{}
	var entries []entry
	var busy uint64
	for p, lease := range leases {
		if !lease.Val() {
			busy |= 1 << p
			continue
		}
		messages := ranges[p].Val()
		r := &reading{partition: p, full: int64(len(messages)) == count}
		readings[p] = r
		for _, message := range messages {
			e, err := decode(p, message)
			r.last = max(r.last, e.version)
			if err != nil {
				f.bury(ctx, r, message.ID, e.version, fmt.Sprint(message.Values), err)
				continue
			}
			entries = append(entries, e)
		}
	}
	if len(readings) == 0 { // another process is at it
		_ = database.Pause(ctx, 5*time.Millisecond)
	}
	return readings, entries, busy, nil
}

// finish takes what is done out of the streams, gives the leases back and moves the marks. It returns the partitions
// that hold more.
func (f *flusher) finish(ctx context.Context, readings map[int]*reading) (more uint64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logTimeout)
	defer cancel()
	// First, so that who finds an entry gone finds the mark behind it.
	for p, r := range readings {
		to := r.last
		if r.waits {
			to = r.stuck - 1
		}
		f.marks[p].move(to)
		if r.full && !r.waits {
			more |= 1 << p
		}
	}
	_, err := f.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for p, r := range readings {
			if len(r.done) > 0 {
				pipe.XDel(ctx, streamKey(p), r.done...)
			}
			pipe.Del(ctx, leaseKey(p))
		}
		return nil
	})
	if err != nil { // they will be carried over again, which changes nothing
		f.readFailed(ctx, err)
	}
	return more
}

// reason is why an entry is not in the database; a final one will not be tried again.
type reason struct {
	err   error
	final bool
}

// carryOver writes the entries to the database, and returns those that it did not take.
func (f *flusher) carryOver(ctx context.Context, newest map[pair]entry) map[pair]reason {
	batch := make([]entry, 0, len(newest))
	for _, e := range newest {
		batch = append(batch, e)
	}
	failed := map[pair]reason{}
	for len(batch) > 0 {
		n := min(len(batch), maxChanges)
		f.carryOverBatch(ctx, batch[:n], failed)
		batch = batch[n:]
	}
	return failed
}

// carryOverBatch writes the batch in one transaction; when the database refuses it, in halves, so that what is wrong
// with one entry holds up no other.
func (f *flusher) carryOverBatch(ctx context.Context, batch []entry, failed map[pair]reason) {
	err := f.transact(ctx, batch)
	if err == nil {
		return
	}
	if away := ctx.Err() != nil || database.Unavailable(err) || errors.Is(err, context.DeadlineExceeded); away {
		for _, e := range batch {
			failed[e.pair] = reason{err: err}
		}
		return
	}
	if len(batch) > 1 {
		before := len(failed)
		f.carryOverBatch(ctx, batch[:len(batch)/2], failed)
		f.carryOverBatch(ctx, batch[len(batch)/2:], failed)
		if len(failed)-before == len(batch) { // none was taken: it is the database that is ill, not the entries
			for _, e := range batch {
				failed[e.pair] = reason{err: err}
			}
		}
		return
	}
	e := batch[0]
	failed[e.pair] = reason{err: err, final: f.marks[e.partition].attempt(e.id) >= maxAttempts}
}

func (f *flusher) transact(ctx context.Context, batch []entry) error {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	changes := make([]versioned, len(batch))
	for i, e := range batch {
		changes[i] = e.versioned
	}
	rows, err := f.store.apply(ctx, changes, false)
	if err != nil {
		return fmt.Errorf("flush likes: %w", err)
	}
	f.met.batches.Observe(float64(len(batch)))
	f.changed(ctx, rows) // all of them: after a crash, the first time may not have come so far
	return nil
}

// bury moves an entry to the dead letters, for a person to look at.
func (f *flusher) bury(ctx context.Context, r *reading, id string, version int64, text string, why error) {
	f.log.Error("a like cannot be stored, see the dead letters", "stream", deadKey(r.partition), "entry", id, "like", text, "error", why)
	err := f.redis.XAdd(ctx, &redis.XAddArgs{Stream: deadKey(r.partition), MaxLen: maxDead, Approx: true,
		Values: []string{"entry", id, "like", text, "reason", why.Error()}}).Err()
	if err != nil {
		f.readFailed(ctx, err)
		r.wait(version) // it stays where it is
		return
	}
	f.met.dead.Inc()
	r.done = append(r.done, id)
	f.marks[r.partition].bury(version, id, why)
}
