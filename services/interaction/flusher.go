package interaction

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"minidouyin/services/internal/database"
)

const (
	// roundInterval is how often a process looks at all streams, for what others have left, and at the lag.
	roundInterval = 500 * time.Millisecond
	// leaseTime is how long a process keeps others from flushing the same partition. When it dies in the middle or
	// takes longer, another does the same again, which is harmless.
	leaseTime = 3 * time.Second
	// flushTimeout bounds the transaction of one batch.
	flushTimeout = 10 * time.Second
	// flushers is how many batches of a process are under way at once: one is read while another commits.
	flushers = 2
	// linger is how long the log of likes that nobody waits for is left to grow, so that batches are large.
	linger = 50 * time.Millisecond
	// readAhead is how many entries one flush reads in all, and leastRead and mostRead of one partition.
	readAhead, leastRead, mostRead = 2000, 32, 500
	// maxAttempts is how often an entry that fails by itself is tried before it goes to the dead letters.
	maxAttempts = 5
	// maxDead bounds the stream of dead letters of one partition.
	maxDead = 10_000
)

// flusher carries the likes of the log over into the database, for as many partitions at once as have entries: large
// transactions are what makes the log fast. Any number of processes may do so.
//
// A short lease on each partition keeps two from doing the same work. It is no lock: versions make a second carrying
// over harmless. Because a holder of the lease reads from the oldest entry on, what is flushed is always a whole
// beginning of the stream, and its end is a watermark that those who wait for a like can look at.
type flusher struct {
	*likeLog
	linger  time.Duration
	alarm   time.Duration                          // the age of the oldest entry that is worth a line in the log
	changed func(ctx context.Context, rows []like) // is called after a commit and before the entries go

	waiting [flushers]atomic.Uint64 // bits of the partitions with entries
	wake    [flushers]chan struct{}
	hurry   [flushers]chan struct{} // somebody waits after all
	marks   [partitions]mark
	token   string
	risks   sync.Once
	onRisks func(ctx context.Context) // looks once at how Redis is set up
	late    bool                      // the alarm was given
}

// mark is how far one partition is flushed.
type mark struct {
	mu       sync.Mutex
	version  int64           // all entries up to it are in the database or in dead
	dead     map[int64]error // versions that never get there, while somebody may ask
	moved    chan struct{}   // closed at the next move
	attempts map[string]int  // of entries that failed by themselves
}

func newFlusher(l *likeLog, changed func(context.Context, []like)) *flusher {
	f := &flusher{likeLog: l, token: rand.Text(), changed: changed}
	for i := range f.wake {
		f.wake[i], f.hurry[i] = make(chan struct{}, 1), make(chan struct{}, 1)
	}
	for i := range f.marks {
		f.marks[i] = mark{dead: map[int64]error{}, moved: make(chan struct{}), attempts: map[string]int{}}
	}
	return f
}

// notify tells the flushers that the partitions have entries.
func (f *flusher) notify(partitions uint64) {
	for i := range flushers {
		mine := partitions & ownPartitions(i)
		if mine == 0 {
			continue
		}
		f.waiting[i].Or(mine)
		signal(f.wake[i])
	}
}

// signal wakes who waits for the channel, now or next.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // it was signalled already
	}
}

// ownPartitions returns the bits of the partitions of one flusher of the process.
func ownPartitions(i int) (own uint64) {
	for p := i; p < partitions; p += flushers {
		own |= 1 << p
	}
	return own
}

// run flushes the partitions of one flusher when there is something, until ctx ends.
func (f *flusher) run(ctx context.Context, i int) {
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake[i]:
		}
		if f.linger > 0 {
			select {
			case <-ctx.Done():
				return
			case <-f.hurry[i]:
			case <-time.After(f.linger):
			}
		}
		work := f.waiting[i].Swap(0)
		if work == 0 {
			continue
		}
		more, err := f.flush(ctx, work)
		if err != nil && ctx.Err() == nil {
			if !failing {
				f.log.Warn("likes have to wait for the database", "error", err)
			}
			failing = true
			// The round wakes it again.
			if database.Pause(ctx, roundInterval/2) != nil {
				return
			}
		} else if failing {
			f.log.Info("likes reach the database again")
			failing = false
		}
		f.notify(more)
	}
}

// watch looks at all streams every now and then until ctx ends: for entries of other processes, for the lag, and
// whether Redis is there.
func (f *flusher) watch(ctx context.Context) {
	ticker := time.NewTicker(roundInterval)
	defer ticker.Stop()
	for {
		f.round(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (f *flusher) round(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	start := time.Now()
	clock, err := f.redis.Time(ctx).Result()
	if err == nil && time.Since(start) < 100*time.Millisecond {
		f.skew.Store(clock.UnixMilli() - start.UnixMilli())
	}
	var lengths [partitions]*redis.IntCmd
	var oldest [partitions]*redis.XMessageSliceCmd
	if err == nil {
		_, err = f.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for p := range partitions {
				lengths[p] = pipe.XLen(ctx, streamKey(p))
				oldest[p] = pipe.XRangeN(ctx, streamKey(p), "-", "+", 1)
			}
			return nil
		})
	}
	if err == nil && !f.up.Load() {
		err = f.comeBack(ctx)
	}
	if err != nil {
		if ctx.Err() == nil || !errors.Is(ctx.Err(), context.Canceled) {
			f.broken(err)
		}
		return
	}
	f.risks.Do(func() { f.onRisks(ctx) })
	var work uint64
	var entries int64
	lag := time.Duration(0)
	for p := range partitions {
		if n := lengths[p].Val(); n > 0 {
			work |= 1 << p
			entries += n
		}
		if first := oldest[p].Val(); len(first) > 0 {
			if version, err := versionOf(first[0].ID); err == nil {
				lag = max(lag, time.Duration(clock.UnixMilli()-version>>versionShift)*time.Millisecond)
			}
		}
	}
	f.report(entries, lag)
	f.notify(work)
}

// comeBack puts right what changed without Redis, and uses it again.
func (f *flusher) comeBack(ctx context.Context) error {
	if err := f.repairStates(ctx); err != nil {
		return err
	}
	f.up.Store(true)
	f.log.Info("Redis is back")
	return f.repairStates(ctx) // of those who did not see yet that it is
}

// repairStates makes Redis forget the states that were changed without it.
func (f *flusher) repairStates(ctx context.Context) error {
	f.mu.Lock()
	pairs := make([]pair, 0, len(f.repair))
	for p := range f.repair {
		pairs = append(pairs, p)
	}
	clear(f.repair) // what is changed again meanwhile comes again
	f.mu.Unlock()
	for first := 0; first < len(pairs); first += maxChanges {
		if err := f.drop(ctx, pairs[first:min(first+maxChanges, len(pairs))]); err != nil {
			f.mu.Lock()
			for _, p := range pairs[first:] {
				f.repair[p] = struct{}{}
			}
			f.mu.Unlock()
			return err
		}
	}
	return nil
}

func (f *flusher) report(entries int64, lag time.Duration) {
	f.met.waiting.Set(float64(entries))
	f.met.lag.Set(lag.Seconds())
	switch late := lag > f.alarm; {
	case late && !f.late:
		f.log.Error("likes are waiting too long for the database", "oldest", lag, "entries", entries)
		f.late = true
	case !late && f.late:
		f.log.Info("likes reach the database in time again", "oldest", lag)
		f.late = false
	}
}

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

func (m *mark) attempt(id string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.attempts[id]++
	return m.attempts[id]
}

func (m *mark) bury(version int64, id string, why error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	const most = 1000
	if len(m.dead) >= most {
		clear(m.dead)
	}
	m.dead[version] = why
	delete(m.attempts, id)
}

// move moves the mark on and wakes those who wait for that.
func (m *mark) move(to int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if to > m.version {
		m.version = to
		close(m.moved)
		m.moved = make(chan struct{})
	}
}

// look tells whether the entry with the version was flushed, the error of one that never will be, and else what to wait
// for.
func (m *mark) look(version int64) (flushed bool, moved <-chan struct{}, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.dead[version]; err != nil {
		return false, nil, err
	}
	return version <= m.version, m.moved, nil
}

// await waits until the entry of the pair is in the database.
func (f *flusher) await(ctx context.Context, p pair, version int64) error {
	// When another process has flushed it, only the database knows.
	const lookInterval = 100 * time.Millisecond
	timer := time.NewTimer(lookInterval)
	defer timer.Stop()
	partition := partitionOf(p.UserID)
	for {
		flushed, moved, err := f.marks[partition].look(version)
		if flushed || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-moved:
			continue
		case <-timer.C:
		}
		timer.Reset(lookInterval)
		id := fmt.Sprintf("%d-%d", version>>versionShift, version&(1<<versionShift-1))
		left, err := f.redis.XRange(ctx, streamKey(partition), id, id).Result()
		if err == nil && len(left) > 0 {
			f.notify(1 << partition)
			continue
		}
		if flushed, _, err := f.marks[partition].look(version); flushed || err != nil { // meanwhile
			return err
		}
		stored, err := f.store.versionOf(ctx, p)
		if err != nil {
			return fmt.Errorf("look for a like: %w", err)
		}
		if stored >= version {
			return nil
		}
		if len(left) == 0 { // Redis has lost it, or another process has buried it
			return unavailable()
		}
	}
}

// settle waits, for a short time at most, until the database has what the log holds of the partitions now.
func (f *flusher) settle(ctx context.Context, work uint64, most time.Duration) {
	if !f.up.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	until := map[int]string{}
	for {
		var firsts, lasts [partitions]*redis.XMessageSliceCmd
		_, err := f.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for left := work; left != 0; left &= left - 1 {
				p := bits.TrailingZeros64(left)
				firsts[p] = pipe.XRangeN(ctx, streamKey(p), "-", "+", 1)
				if _, known := until[p]; !known {
					lasts[p] = pipe.XRevRangeN(ctx, streamKey(p), "+", "-", 1)
				}
			}
			return nil
		})
		if err != nil {
			return
		}
		for left := work; left != 0; left &= left - 1 {
			p := bits.TrailingZeros64(left)
			if lasts[p] != nil && len(lasts[p].Val()) > 0 {
				until[p] = lasts[p].Val()[0].ID
			}
			first := firsts[p].Val()
			if len(first) == 0 || after(first[0].ID, until[p]) {
				work &^= 1 << p
			}
		}
		if work == 0 {
			return
		}
		f.notify(work)
		for i := range flushers {
			if work&ownPartitions(i) != 0 {
				signal(f.hurry[i])
			}
		}
		if database.Pause(ctx, 3*time.Millisecond) != nil {
			return
		}
	}
}

// after tells whether the entry with the first id stands behind the one with the second.
func after(id, other string) bool {
	a, errA := versionOf(id)
	b, errB := versionOf(other)
	return errA == nil && errB == nil && a > b
}

// logRisks warns when this Redis, or a server of a cluster, may lose likes that it has taken.
func logRisks(ctx context.Context, client redis.UniversalClient, log *slog.Logger) {
	if cluster, ok := client.(*redis.ClusterClient); ok {
		err := cluster.ForEachMaster(ctx, func(ctx context.Context, server *redis.Client) error {
			logServerRisks(ctx, server, log.With("server", server.Options().Addr))
			return nil
		})
		if err != nil {
			log.Warn("cannot see whether the servers of the cluster keep all likes that they have taken", "error", err)
		}
		return
	}
	logServerRisks(ctx, client, log)
}

func logServerRisks(ctx context.Context, server redis.Cmdable, log *slog.Logger) {
	for parameter, want := range map[string]string{"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"} {
		got, err := server.ConfigGet(ctx, parameter).Result()
		switch {
		case err != nil:
			log.Warn("cannot see whether Redis keeps all likes that it has taken: it needs this", "setting", parameter, "want", want, "error", err)
		case got[parameter] != want:
			log.Error("likes that were acknowledged can be lost: Redis needs another setting", "setting", parameter, "is", got[parameter], "want", want)
		}
	}
}
