package limit

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/go-chi/httprate"
	"github.com/redis/go-redis/v9"

	"minidouyin/bff/redisguard"
)

// sharedCounter counts in Redis for all processes together. It counts for this process alone as well, and by that it
// goes on while Redis is away.
type sharedCounter struct {
	redis  *redisguard.Redis
	name   string
	local  httprate.LimitCounter
	window time.Duration
}

var _ httprate.LimitCounter = (*sharedCounter)(nil)

func newSharedCounter(redis *redisguard.Redis, name string) *sharedCounter {
	return &sharedCounter{redis: redis, name: name, local: httprate.NewLocalLimitCounter(rateWindow), window: rateWindow}
}

// Config is told what the limiter limits, which is known here.
func (*sharedCounter) Config(int, time.Duration) {}

// Increment counts one.
func (c *sharedCounter) Increment(key string, window time.Time) error {
	return c.IncrementBy(key, window, 1)
}

// IncrementBy counts n. It never fails.
func (c *sharedCounter) IncrementBy(key string, window time.Time, n int) error {
	name := c.key(key, window)
	_ = c.redis.Do(context.Background(), func(ctx context.Context, client redis.UniversalClient) error {
		_, err := client.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			pipe.IncrBy(ctx, name, int64(n))
			pipe.Expire(ctx, name, 3*c.window)
			return nil
		})
		return err
	})
	return c.local.IncrementBy(key, window, n)
}

// Get returns what was counted in two windows. It never fails.
func (c *sharedCounter) Get(key string, window, before time.Time) (current, previous int, err error) {
	err = c.redis.Do(context.Background(), func(ctx context.Context, client redis.UniversalClient) error {
		counts, err := client.MGet(ctx, c.key(key, window), c.key(key, before)).Result()
		if err == nil {
			current, previous = count(counts[0]), count(counts[1])
		}
		return err
	})
	if err != nil {
		return c.local.Get(key, window, before)
	}
	return current, previous, nil
}

// key names a counter; those of one client live in one place, as the braces say.
func (c *sharedCounter) key(key string, window time.Time) string {
	return fmt.Sprintf("douyin:rate:{%s %s}:%d", c.name, key, window.Unix())
}

// count reads a counter, which is nil before anything was counted.
func count(value any) int {
	text, _ := value.(string)
	n, _ := strconv.Atoi(text)
	return n
}
