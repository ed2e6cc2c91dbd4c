// Package likelog keeps likes in Redis in front of the database, for --like-ack=logged.
//
// A like is one MULTI: the state of the pair in the hash of its user, and an entry in the stream of the user's partition.
// An entry has the new state, not a difference, and its id is the version of the row: storing it twice, or late, changes
// nothing. A flusher in each process reads the streams, stores the newest change of each pair and removes the entries. So
// a stream holds what the database does not have yet, and a hash what was acknowledged meanwhile.
//
// Redis must keep what it acknowledges: appendonly yes, appendfsync always, maxmemory-policy noeviction. While it is
// unavailable, likes are refused. Nothing is written to the database past the log, which alone orders the changes.
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
	// commandTimeout bounds one command. Redis is unavailable if it takes longer.
	commandTimeout = time.Second
	// stateTTL is how long a hash is kept after the last like of its user: longer than likes wait for the database.
	stateTTL = time.Hour
	// closeTimeout bounds the flush by Close.
	closeTimeout = 5 * time.Second
)

// Pair is a user and a video.
type Pair struct{ UserID, VideoID int64 }

// Change is a like or an unlike.
type Change struct {
	Pair
	AuthorID int64 // of the video; 0 for an unlike
	Liked    int8  // 1 or 0
	Version  int64 // set by the log
}

// Store is the database behind the log.
type Store interface {
	// Flush stores changes, at most one for a pair. A change whose version is not above its row's changes nothing. It
	// returns the error of each change that the database refuses, or one error if all of them must be stored again.
	Flush(ctx context.Context, changes []Change) (refused []error, err error)
	// Reserved returns an upper bound of the versions in the database, and records that a log is in use.
	Reserved(ctx context.Context) (int64, error)
}

// Config configures a log.
type Config struct {
	Redis    redis.UniversalClient
	Store    Store
	Log      *slog.Logger
	Registry *prometheus.Registry // nil for none
	LagAlarm time.Duration        // age of the oldest entry that is logged as an error; 0 means 10 s
	OwnWait  time.Duration        // how long Pending waits for the database; 0 means 200 ms
}

// Log is an open log. All processes of the service open one on the same Redis.
type Log struct {
	Config
	metrics   *metrics
	available atomic.Bool
	skew      atomic.Int64             // of the clock of Redis, ahead of this one, in milliseconds
	newest    [partitions]atomic.Int64 // milliseconds of the newest id of each stream; may be ahead of all clocks
	entries   chan struct{}            // wakes up the flusher
	attempts  map[string]int           // by entry id, how often the database refused it; used by the flusher only
	alarms    sync.Map                 // messages of the current alarms

	stop    context.CancelFunc
	running sync.WaitGroup
}

// Open opens the log and starts its flusher. It returns an error if a setting of Redis can lose likes, but not if Redis
// is unavailable.
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

// Close flushes the log, within some seconds, and stops the flusher.
func (l *Log) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if l.Flushed(ctx, 0) != nil {
		l.Log.Warn("likes remain in the log until another process stores them")
	}
	l.stop()
	l.running.Wait()
	l.Redis.Del(ctx, runningKey) // running processes set it again
}

// Change writes changes, at most one for a pair, to the log. It returns an error for each change that is not
// acknowledged.
func (l *Log) Change(ctx context.Context, changes []Change) []error {
	errs := make([]error, len(changes))
	groups := map[int][]int{} // changes that one MULTI can write: all, or in a cluster those of a partition
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

// write writes a group of changes in one MULTI, and clears the errors of those that are acknowledged.
//
// Each entry has a deadline. An entry that Redis writes later does not count, and its caller gets an error. So a write with
// an unknown outcome is decided when the deadline has passed, and cannot undo a later change.
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
		time.Sleep(time.Until(start.Add(commandTimeout))) // Redis may still execute it, until the deadline
		return
	}
	for n, i := range group {
		c, p := changes[i], partitionOf(changes[i].UserID)
		version, err := versionOf(adds[n].Val())
		switch {
		case err != nil: // Redis has lost the stream; check recreates it
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
	default: // it is awake already
	}
}

// redisTime returns the time of Redis at a local time, in milliseconds.
func (l *Log) redisTime(t time.Time) int64 { return t.UnixMilli() + l.skew.Load() }

// raise sets n to at least min.
func raise(n *atomic.Int64, min int64) {
	for now := n.Load(); min > now && !n.CompareAndSwap(now, min); now = n.Load() {
	}
}

// unavailable is the error of a like that is not acknowledged.
func unavailable() error {
	return codes.Errorf(codes.UpstreamUnavailable, "likes cannot be taken right now, please try again")
}
