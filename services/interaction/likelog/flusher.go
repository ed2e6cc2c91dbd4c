package likelog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// flushInterval is the minimum time between two flushes, which makes batches large under load.
	flushInterval = 50 * time.Millisecond
	// claimInterval is how often the flusher claims entries of other processes that are idle for claimIdle.
	claimInterval = 500 * time.Millisecond
	claimIdle     = 2 * time.Second
	// readCount is how many entries of one stream are read at a time.
	readCount    = 32
	flushTimeout = 10 * time.Second
	// maxAttempts is how often the database may refuse an entry before it becomes a dead letter. Each partition keeps
	// maxDead dead letters.
	maxAttempts = 5
	maxDead     = 10_000
	// All flushers are one consumer, so that a process which ends leaves none behind.
	groupName, consumer = "flushers", "flusher"
)

// flushAll flushes when there are entries, and every claimInterval, until ctx ends. All processes do so. An entry that
// two of them store changes nothing the second time, whatever was stored in between.
func (l *Log) flushAll(ctx context.Context) {
	ticker := time.NewTicker(claimInterval)
	defer ticker.Stop()
	for last := time.Now(); ; last = time.Now() {
		claim := false
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			claim = true
		case <-l.entries:
			time.Sleep(time.Until(last.Add(flushInterval)))
		}
		for more := l.available.Load(); more && ctx.Err() == nil; {
			var err error
			more, err = l.flush(ctx, claim)
			l.alarm("likes cannot be stored, trying again", err != nil && ctx.Err() == nil, "error", err)
		}
	}
}

// flush reads and stores one batch, and reports whether there may be more.
func (l *Log) flush(ctx context.Context, claim bool) (more bool, err error) {
	defer recovered(&err)
	entries, more, err := l.read(ctx, claim)
	if err == nil && len(entries) > 0 {
		err = l.store(ctx, entries)
	}
	return more && err == nil, err
}

// recovered converts a panic, which would end the process, to an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}

// read returns new entries, and with claim those that another flusher has read and not removed.
func (l *Log) read(ctx context.Context, claim bool) (entries []entry, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	var claimed [partitions]*redis.XAutoClaimCmd
	var read [partitions]*redis.XStreamSliceCmd
	_, err = l.Redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for p := range partitions {
			if claim {
				claimed[p] = pipe.XAutoClaim(ctx, &redis.XAutoClaimArgs{Stream: streamKey(p), Group: groupName, Consumer: consumer,
					MinIdle: claimIdle, Start: "0-0", Count: readCount})
			}
			read[p] = pipe.XReadGroup(ctx, &redis.XReadGroupArgs{Streams: []string{streamKey(p), ">"}, Group: groupName,
				Consumer: consumer, Count: readCount, Block: -1})
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) && !redis.HasErrorPrefix(err, "NOGROUP") { // check creates the group
		return nil, false, fmt.Errorf("read the log: %w", err)
	}
	for p := range partitions {
		var messages []redis.XMessage
		if claim {
			messages, _ = claimed[p].Val()
		}
		for _, stream := range read[p].Val() {
			messages = append(messages, stream.Messages...)
		}
		more = more || len(messages) >= readCount
		for _, message := range messages {
			entries = append(entries, decode(p, message))
		}
	}
	return entries, more, nil
}

// store stores the newest change of each pair and removes the entries. After an error they stay in the streams and are
// claimed when they are idle.
func (l *Log) store(ctx context.Context, entries []entry) error {
	newest := map[Pair]int{} // index in changes
	var changes []Change
	for _, e := range entries {
		if e.skip || e.err != nil {
			continue
		}
		i, known := newest[e.Pair]
		if !known {
			i = len(changes)
			newest[e.Pair], changes = i, append(changes, e.Change)
		}
		if e.Version > changes[i].Version {
			changes[i] = e.Change
		}
	}
	flushing, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	refused, err := l.Store.Flush(flushing, changes)
	if err != nil {
		return err
	}
	l.metrics.batches.Observe(float64(len(changes)))
	done := entries[:0]
	for _, e := range entries {
		if !e.skip && e.err == nil {
			e.err = refused[newest[e.Pair]]
			if l.attempts[e.id]++; e.err != nil && l.attempts[e.id] < maxAttempts {
				continue
			}
			delete(l.attempts, e.id)
		}
		done = append(done, e)
	}
	return l.remove(ctx, done)
}

// removeEntries removes entries of one stream; those with a reason become dead letters. It also deletes the states
// written with them, unless a later change has replaced them: the database now has those.
const removeEntries = `for i = 3, #KEYS do
	local id, field, state, text, reason = unpack(ARGV, 5*i-12, 5*i-8)
	if reason ~= '' then redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'entry', id, 'like', text, 'reason', reason) end
	if redis.call('HGET', KEYS[i], field) == state then redis.call('HDEL', KEYS[i], field) end
	redis.call('XACK', KEYS[1], ARGV[1], id)
	redis.call('XDEL', KEYS[1], id)
end`

// remove removes entries that are stored, do not count, or cannot be stored.
func (l *Log) remove(ctx context.Context, done []entry) error {
	keys, args := map[int][]string{}, map[int][]any{}
	for _, e := range done {
		p, reason := e.partition, ""
		switch {
		case e.skip:
			l.metrics.late.Inc()
		case e.err == nil:
			l.metrics.flushed.Inc()
		default:
			reason = e.err.Error()
			l.metrics.dead.Inc()
			l.Log.Error("a like cannot be stored, moving it to the dead letters", "stream", deadKey(p), "entry", e.id, "like", e.text, "error", e.err)
		}
		if keys[p] == nil {
			keys[p], args[p] = []string{streamKey(p), deadKey(p)}, []any{groupName, maxDead}
		}
		keys[p] = append(keys[p], stateKey(e.UserID))
		args[p] = append(args[p], e.id, e.VideoID, stateText(e.Liked, e.deadline), e.text, reason)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandTimeout)
	defer cancel()
	_, err := l.Redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for p := range keys {
			pipe.Eval(ctx, removeEntries, keys[p], args[p]...)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("remove stored entries: %w", err) // storing them again changes nothing
	}
	return nil
}

// Drain stores all entries of a log, for a process that does not write to it. It returns an error while others do.
func Drain(ctx context.Context, cfg Config) error {
	l := newLog(cfg)
	if n, err := cfg.Redis.Exists(ctx, runningKey).Result(); err != nil || n > 0 {
		return cmp.Or(err, errors.New("another process runs with --like-ack=logged, or did some seconds ago: all must use the same mode"))
	}
	for {
		all, err := l.streams(ctx)
		var entries []entry
		for p := 0; p < partitions && err == nil; p++ {
			var messages []redis.XMessage
			if all[p].length > 0 {
				messages, err = cfg.Redis.XRangeN(ctx, streamKey(p), "-", "+", readCount).Result()
			}
			for _, message := range messages {
				entries = append(entries, decode(p, message))
			}
		}
		if err != nil || len(entries) == 0 {
			return err
		}
		if err := l.store(ctx, entries); err != nil {
			return err
		}
		cfg.Log.Info("stored likes of the log", "entries", len(entries))
	}
}
