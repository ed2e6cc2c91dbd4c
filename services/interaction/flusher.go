package interaction

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"minidouyin/services/internal/database"
)

const (
	// roundInterval is how often a process looks at all streams, for what others have left, and at the lag.
	roundInterval = 500 * time.Millisecond
	// flushers is how many batches of a process are under way at once: one is read while another commits.
	flushers = 2
	// linger is how long the log of likes that nobody waits for is left to grow, so that batches are large.
	linger = 50 * time.Millisecond
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
