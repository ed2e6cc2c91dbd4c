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
	// flushInterval is the least time between two flushes, so that batches are large under load.
	flushInterval = 50 * time.Millisecond
	// claimInterval is how often the flusher reads entries of other processes. Those idle for claimIdle it claims.
	claimInterval = 500 * time.Millisecond
	claimIdle     = 2 * time.Second
	// readCount is how many entries of one stream are read at once.
	readCount    = 32
	flushTimeout = 10 * time.Second
	// maxAttempts is how often an entry is tried that the database refuses alone, before it goes to the dead letters, of
	// which each partition keeps maxDead.
	maxAttempts = 5
	maxDead     = 10_000
	// The flushers of all processes are one consumer: none is left behind by a process that ends.
	groupName, consumer = "flushers", "flusher"
)

// flushAll flushes when there are entries, and every claimInterval, until ctx ends. Other processes do so too: an entry
// that two store changes nothing the second time, whatever was stored in between.
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

// recovered makes an error of a panic, which would end the process.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}

// read returns new entries, and with claim those that were read some time ago and are still there.
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
	if err != nil && !errors.Is(err, redis.Nil) && !redis.HasErrorPrefix(err, "NOGROUP") { // which check creates
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

// store stores the newest change of each pair, and removes the entries. After an error they stay in the streams, and
// are claimed when they have been idle.
func (l *Log) store(ctx context.Context, entries []entry) error {
	newest := map[Pair]int{} // the place of its change
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

// removeEntries removes entries of one stream: those with a reason become dead letters. The states that came with them
// go too, unless a later change has replaced them: from now on the database has what was promised.
const removeEntries = `for i = 3, #KEYS do
	local id, field, state, text, reason = unpack(ARGV, 5*i-12, 5*i-8)
	if reason ~= '' then redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'entry', id, 'like', text, 'reason', reason) end
	if redis.call('HGET', KEYS[i], field) == state then redis.call('HDEL', KEYS[i], field) end
	redis.call('XACK', KEYS[1], ARGV[1], id)
	redis.call('XDEL', KEYS[1], id)
end`

// remove removes entries that are stored, do not count, or can never be stored.
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
		return fmt.Errorf("remove what is stored: %w", err) // it will be stored again, which changes nothing
	}
	return nil
}

// Drain stores what a log holds, for a process that writes to none. It returns an error while others write to it.
func Drain(ctx context.Context, cfg Config) error {
	l := newLog(cfg)
	if n, err := cfg.Redis.Exists(ctx, runningKey).Result(); err != nil || n > 0 {
		return cmp.Or(err, errors.New("another process acknowledges likes by --like-ack=logged, or did some seconds ago: all must do the same"))
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
