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

// redisCounter counts in Redis for all processes together. It also counts for this process alone, and returns that while
// Redis is unavailable.
type redisCounter struct {
	redis *redisguard.Redis
	name  string
	local httprate.LimitCounter
}

var _ httprate.LimitCounter = (*redisCounter)(nil)

func newRedisCounter(redis *redisguard.Redis, name string) *redisCounter {
	return &redisCounter{redis: redis, name: name, local: httprate.NewLocalLimitCounter(length)}
}

// Config implements [httprate.LimitCounter]; the window's length is known here.
func (*redisCounter) Config(int, time.Duration) {}

// Increment counts one unit.
func (c *redisCounter) Increment(key string, window time.Time) error {
	return c.IncrementBy(key, window, 1)
}

// IncrementBy counts n units. It never fails.
func (c *redisCounter) IncrementBy(key string, window time.Time, n int) error {
	name := c.key(key, window)
	_ = c.redis.Do(context.Background(), func(ctx context.Context, client redis.UniversalClient) error {
		_, err := client.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			pipe.IncrBy(ctx, name, int64(n))
			pipe.Expire(ctx, name, 3*length)
			return nil
		})
		return err
	})
	return c.local.IncrementBy(key, window, n)
}

// Get returns the units counted in two windows. It never fails.
func (c *redisCounter) Get(key string, window, before time.Time) (current, previous int, err error) {
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

// key returns the key of a counter. The braces put the counters of one client into one slot of a Redis cluster.
func (c *redisCounter) key(key string, window time.Time) string {
	return fmt.Sprintf("douyin:rate:{%s %s}:%d", c.name, key, window.Unix())
}

// count returns the value of a counter; it is nil before anything was counted.
func count(value any) int {
	text, _ := value.(string)
	n, _ := strconv.Atoi(text)
	return n
}
