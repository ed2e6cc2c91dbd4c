// Package likelog keeps likes in Redis in front of the database: it is the whole of --like-ack=logged.
//
// A like is one MULTI: the state of the pair in the hash of its user, and an entry in the stream of the user's
// partition. An entry says what is true from now on, and its id is the version of the row: one that is stored twice, or
// late, changes nothing. A flusher in each process reads the streams, stores the newest change of each pair, and removes
// the entries. So a stream holds what the database does not have yet, and a hash what its user was promised meanwhile.
//
// Redis must keep what it acknowledges: appendonly yes, appendfsync always, maxmemory-policy noeviction. While it is
// unavailable, likes are refused: nothing is ever written past the log, for the database cannot tell what is newer.
package likelog

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"minidouyin/idl/codes"
)

const (
	// commandTimeout bounds one command to Redis, which is unavailable when it takes longer.
	commandTimeout = time.Second
	// stateTTL is how long a hash is kept after the last like of its user: longer than likes may wait for the database.
	stateTTL = time.Hour
	// closeTimeout bounds the flush at the end of a process.
	closeTimeout = 5 * time.Second
)

// Pair is what can be liked once.
type Pair struct{ UserID, VideoID int64 }

// Change is that a user likes a video, or not any more: then AuthorID, the video's author, is 0.
type Change struct {
	Pair
	AuthorID int64
	Liked    int8  // 1 or 0
	Version  int64 // given by the log
}

// Store is the database behind the log.
type Store interface {
	// Flush stores changes, at most one for a pair. One whose version is not above its row's changes nothing. It returns
	// for each change why the database refuses it, or an error when all of them have to be stored again.
	Flush(ctx context.Context, changes []Change) (refused []error, err error)
	// Reserved returns a version that no version in the database is above, and records that a log is in use.
	Reserved(ctx context.Context) (int64, error)
}

// Config configures a log.
type Config struct {
	Redis    redis.UniversalClient
	Store    Store
	Log      *slog.Logger
	Registry *prometheus.Registry // nil for none
	LagAlarm time.Duration        // the age of the oldest entry that is an error in the log; 0 means 10 s
	OwnWait  time.Duration        // how long users wait to see the effect of their own likes; 0 means 200 ms
}

// Log is an open log. All processes of the service have one on the same Redis.
type Log struct {
	Config
	metrics   *metrics
	available atomic.Bool
	skew      atomic.Int64             // how far Redis's clock is ahead of ours, in milliseconds
	newest    [partitions]atomic.Int64 // milliseconds of the newest id of each stream, which may be ahead of all clocks
	entries   chan struct{}            // holds an element when there are entries to flush
	attempts  map[string]int           // of the flusher, by id, for entries that the database refused
	alarms    sync.Map                 // what is wrong now

	stop    context.CancelFunc
	running sync.WaitGroup
}

// Open opens the log and starts its flusher. It returns an error when a setting of Redis lets likes be lost, not when
// Redis is unavailable.
func Open(ctx context.Context, cfg Config) (*Log, error) {
	l := newLog(cfg)
	err := l.check(ctx)
	if errors.Is(err, errSetting) {
		return nil, err
	}
	l.report(ctx, err)
	ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	l.running.Go(func() { l.watch(ctx) })
	l.running.Go(func() { l.flushAll(ctx) })
	return l, nil
}

func newLog(cfg Config) *Log {
	cfg.LagAlarm, cfg.OwnWait = cmp.Or(cfg.LagAlarm, 10*time.Second), cmp.Or(cfg.OwnWait, 200*time.Millisecond)
	return &Log{Config: cfg, metrics: newMetrics(cfg.Registry), entries: make(chan struct{}, 1), attempts: map[string]int{}}
}

// Close flushes what the log holds, within some seconds, and stops the flusher.
func (l *Log) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if l.Flushed(ctx, 0) != nil {
		l.Log.Warn("likes stay in the log until another process stores them")
	}
	l.stop()
	l.running.Wait()
	l.Redis.Del(ctx, runningKey) // processes that go on set it again
}

// Change writes changes, at most one for a pair, to the log, and returns for each why it is not promised.
func (l *Log) Change(ctx context.Context, changes []Change) []error {
	errs := make([]error, len(changes))
	groups := map[int][]int{} // what one MULTI can write: all, in a cluster each partition
	_, cluster := l.Redis.(*redis.ClusterClient)
	for i, c := range changes {
		group := 0
		if cluster {
			group = partitionOf(c.UserID)
		}
		groups[group] = append(groups[group], i)
		errs[i] = unavailable()
	}
	var writes sync.WaitGroup
	for _, group := range groups {
		if l.available.Load() {
			writes.Go(func() { l.write(ctx, changes, group, errs) })
		}
	}
	writes.Wait()
	return errs
}

// write writes the changes of a group in one MULTI, and clears the errors of those that are promised.
//
// Each entry has a deadline: one that Redis writes later does not count, and its sender gets an error. So a write whose
// outcome is unknown is decided when the deadline has passed, and can undo nothing that is promised later.
func (l *Log) write(ctx context.Context, changes []Change, group []int, errs []error) {
	var panicked error
	defer func() {
		if panicked != nil {
			l.fail(panicked)
		}
	}()
	defer recovered(&panicked)
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	deadlines, adds := make([]int64, len(group)), make([]*redis.StringCmd, len(group))
	_, err := l.Redis.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		for n, i := range group {
			c, p := changes[i], partitionOf(changes[i].UserID)
			deadlines[n] = max(l.redisTime(start), l.newest[p].Load()) + commandTimeout.Milliseconds()
			pipe.HSet(ctx, stateKey(c.UserID), strconv.FormatInt(c.VideoID, 10), stateText(c.Liked, deadlines[n]))
			adds[n] = pipe.XAdd(ctx, &redis.XAddArgs{Stream: streamKey(p), NoMkStream: true,
				Values: []string{entryField, encode(c, deadlines[n])}})
			pipe.Expire(ctx, stateKey(c.UserID), stateTTL)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		l.fail(err)
		time.Sleep(time.Until(start.Add(commandTimeout))) // it may still be on its way, until the deadline
		return
	}
	for n, i := range group {
		c, p := changes[i], partitionOf(changes[i].UserID)
		version, err := versionOf(adds[n].Val())
		switch {
		case err != nil: // Redis has lost the stream: check creates it again
			l.fail(errors.Join(adds[n].Err(), err))
			l.Redis.HDel(ctx, stateKey(c.UserID), strconv.FormatInt(c.VideoID, 10))
		case version>>VersionShift > deadlines[n]:
			raise(&l.newest[p], version>>VersionShift)
		default:
			errs[i] = nil
			l.metrics.acknowledged.Inc()
		}
	}
	select {
	case l.entries <- struct{}{}:
	default: // the flusher knows already
	}
}

// redisTime returns what Redis's clock shows at a time of ours, in milliseconds.
func (l *Log) redisTime(t time.Time) int64 { return t.UnixMilli() + l.skew.Load() }

// raise sets n to at least to.
func raise(n *atomic.Int64, to int64) {
	for now := n.Load(); to > now && !n.CompareAndSwap(now, to); now = n.Load() {
	}
}

// unavailable is the answer to a like that could not be promised.
func unavailable() error {
	return codes.Errorf(codes.UpstreamUnavailable, "likes cannot be taken right now, please try again")
}
