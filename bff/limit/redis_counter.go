package limit

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/go-chi/httprate"
	"github.com/redis/go-redis/v9"
)

// counterTimeout bounds one round trip to Redis.
const counterTimeout = 100 * time.Millisecond

// redisCounter counts in Redis for all processes together. It also counts for this process alone, and returns that while
// Redis is unavailable.
type redisCounter struct {
	redis redis.UniversalClient
	name  string
	local httprate.LimitCounter
}

var _ httprate.LimitCounter = (*redisCounter)(nil)

func newRedisCounter(client redis.UniversalClient, name string) *redisCounter {
	return &redisCounter{redis: client, name: name, local: httprate.NewLocalLimitCounter(length)}
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
	ctx, cancel := context.WithTimeout(context.Background(), counterTimeout)
	defer cancel()
	_, _ = c.redis.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.IncrBy(ctx, name, int64(n))
		pipe.Expire(ctx, name, 3*length)
		return nil
	})
	return c.local.IncrementBy(key, window, n)
}

// Get returns the units counted in two windows. It never fails.
func (c *redisCounter) Get(key string, window, before time.Time) (current, previous int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), counterTimeout)
	defer cancel()
	counts, err := c.redis.MGet(ctx, c.key(key, window), c.key(key, before)).Result()
	if err != nil {
		return c.local.Get(key, window, before)
	}
	return count(counts[0]), count(counts[1]), nil
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
