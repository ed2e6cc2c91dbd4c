package likelog

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// freshTime is how old a promise may be to be worth waiting for: an older one waits for a database that is away.
	freshTime = 2 * time.Second
	// pollInterval is how often those who wait read again.
	pollInterval = 3 * time.Millisecond
)

// Promised returns what users were promised that the database may not have. For what was promised a moment ago it
// waits, OwnWait at most, until the database has it.
func (l *Log) Promised(ctx context.Context, users ...int64) map[Pair]bool {
	ctx, cancel := context.WithTimeout(ctx, l.OwnWait)
	defer cancel()
	promised := map[Pair]bool{}
	for fresh := l.available.Load(); fresh; fresh = fresh && pause(ctx) {
		hashes := make([]*redis.MapStringStringCmd, len(users))
		_, err := l.Redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for i, user := range users {
				hashes[i] = pipe.HGetAll(ctx, stateKey(user))
			}
			return nil
		})
		if err != nil {
			break // the database answers
		}
		fresh = false
		clear(promised)
		for i, user := range users {
			for field, text := range hashes[i].Val() {
				video, _ := strconv.ParseInt(field, 10, 64)
				liked, at, _ := strings.Cut(text, " ")
				deadline, _ := strconv.ParseInt(at, 10, 64) // 0 without one
				promised[Pair{user, video}] = liked == "1"
				fresh = fresh || deadline > l.redisTime(time.Now().Add(-freshTime))
			}
		}
	}
	return promised
}

// Flushed returns when the database has what the log holds now, of a user, or of all users with 0.
func (l *Log) Flushed(ctx context.Context, user int64) error {
	var until [partitions]int64
	for first := true; ; first = false {
		all, err := l.streams(ctx)
		if err != nil {
			l.fail(err)
			return unavailable()
		}
		waits := false
		for p, s := range all {
			if first {
				until[p] = s.last
			}
			waits = waits || s.length > 0 && s.first <= until[p] && (user == 0 || p == partitionOf(user))
		}
		if !waits {
			return nil
		}
		if !pause(ctx) {
			return unavailable()
		}
	}
}

// pause waits for pollInterval, and reports whether ctx goes on.
func pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pollInterval):
		return true
	}
}
