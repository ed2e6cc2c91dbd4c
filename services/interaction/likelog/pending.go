package likelog

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// freshTime is how old a change may be for Pending to wait for it. An older one means that the database is unavailable.
	freshTime = 2 * time.Second
	// pollInterval is the time between two reads of a wait.
	pollInterval = 3 * time.Millisecond
)

// Pending returns the acknowledged changes of users that the database may not have. It waits for recent ones to be
// stored, OwnWait at most.
func (l *Log) Pending(ctx context.Context, users ...int64) map[Pair]bool {
	ctx, cancel := context.WithTimeout(ctx, l.OwnWait)
	defer cancel()
	pending := map[Pair]bool{}
	for fresh := l.available.Load(); fresh; fresh = fresh && pause(ctx) {
		hashes := make([]*redis.MapStringStringCmd, len(users))
		_, err := l.Redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for i, user := range users {
				hashes[i] = pipe.HGetAll(ctx, stateKey(user))
			}
			return nil
		})
		if err != nil {
			break // the caller reads the database alone
		}
		fresh = false
		clear(pending)
		for i, user := range users {
			for field, text := range hashes[i].Val() {
				video, _ := strconv.ParseInt(field, 10, 64)
				liked, at, _ := strings.Cut(text, " ")
				deadline, _ := strconv.ParseInt(at, 10, 64) // 0 without one
				pending[Pair{user, video}] = liked == "1"
				fresh = fresh || deadline > l.redisTime(time.Now().Add(-freshTime))
			}
		}
	}
	return pending
}

// Flushed returns when the database has all entries that the log holds now, of a user, or of all users with 0.
func (l *Log) Flushed(ctx context.Context, user int64) error {
	var until [partitions]int64
	for first := true; ; first = false {
		all, err := l.streams(ctx)
		if err != nil {
			l.fail(err)
			return unavailable()
		}
		waiting := false
		for p, s := range all {
			if first {
				until[p] = s.last
			}
			waiting = waiting || s.length > 0 && s.first <= until[p] && (user == 0 || p == partitionOf(user))
		}
		if !waiting {
			return nil
		}
		if !pause(ctx) {
			return unavailable()
		}
	}
}

// pause waits for pollInterval, and reports whether ctx is still valid.
func pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pollInterval):
		return true
	}
}
