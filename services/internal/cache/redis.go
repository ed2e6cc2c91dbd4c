package cache

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/cloudwego/gopkg/protocol/thrift"
	"github.com/redis/go-redis/v9"
)

const (
	// commandTime bounds a lookup or put: a Redis that is slower than the database is useless.
	commandTime = 500 * time.Millisecond
	// deleteTime is longer, because a failed delete leaves an old value.
	deleteTime = time.Second

	// The first byte of a text in Redis.
	valueTag  = 'v'
	absentTag = 'n'
	leaseTag  = 'l'
)

// Redis is a [Store] for all processes with the same Redis. Its client should have a circuit breaker.
type Redis struct {
	client  redis.UniversalClient
	cluster bool
}

// NewRedis returns the store. The client should respect the deadlines of contexts.
func NewRedis(client redis.UniversalClient) *Redis {
	_, cluster := client.(*redis.ClusterClient)
	return &Redis{client: client, cluster: cluster}
}

// lookup takes one round trip, and a second one for missing keys. One script for both would slow down hits.
func (r *Redis) lookup(ctx context.Context, newValue func() thrift.FastCodec, keys []string, l lease) []entry {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	entries := make([]entry, len(keys))
	var missing []int
	var unreadable []string
	r.read(ctx, keys, func(i int, text string, exists bool) {
		if !exists {
			missing = append(missing, i)
		} else if entries[i] = decode(newValue, text); entries[i].state == isUnknown {
			unreadable = append(unreadable, keys[i])
		}
	})
	r.Delete(ctx, unreadable...)
	if l == noLease || len(missing) == 0 {
		return entries
	}
	sets := make([]*redis.BoolCmd, len(missing))
	r.pipeline(ctx, func(pipe redis.Pipeliner) {
		for n, i := range missing {
			sets[n] = pipe.SetNX(ctx, keys[i], l.text(), leaseTime)
		}
	})
	for n, i := range missing {
		switch taken, err := sets[n].Result(); {
		case err != nil: // such as: no memory
		case taken:
			entries[i].state = isLeased
		default:
			entries[i].state = isBusy
		}
	}
	return entries
}

// read calls found for each key for which Redis answers.
func (r *Redis) read(ctx context.Context, keys []string, found func(i int, text string, exists bool)) {
	if !r.cluster {
		for i, value := range r.client.MGet(ctx, keys...).Val() {
			text, exists := value.(string)
			found(i, text, exists)
		}
		return
	}
	gets := make([]*redis.StringCmd, len(keys))
	r.pipeline(ctx, func(pipe redis.Pipeliner) {
		for i, key := range keys {
			gets[i] = pipe.Get(ctx, key)
		}
	})
	for i, get := range gets {
		if text, err := get.Result(); err == nil || errors.Is(err, redis.Nil) {
			found(i, text, err == nil)
		}
	}
}

// pipeline sends commands in one round trip to each server. Each command has its own error.
func (r *Redis) pipeline(ctx context.Context, add func(pipe redis.Pipeliner)) {
	pipe := r.client.Pipeline()
	add(pipe)
	_, _ = pipe.Exec(ctx)
}

// decode decodes a text. The entry of an invalid text is unknown.
func decode(newValue func() thrift.FastCodec, text string) (e entry) {
	defer func() {
		if recover() != nil { // the Thrift library panics on some invalid texts
			e = entry{}
		}
	}()
	switch {
	case text == "":
	case text[0] == leaseTag:
		return entry{state: isBusy}
	case text[0] == absentTag:
		return entry{state: isCached}
	case text[0] == valueTag:
		if value := newValue(); thrift.FastUnmarshal([]byte(text[1:]), value) == nil {
			return entry{isCached, value}
		}
	}
	return entry{}
}

// encode returns the text of an item, empty for one without a TTL.
func encode(it item) []byte {
	switch {
	case it.ttl < time.Millisecond:
		return nil
	case it.value == nil:
		return []byte{absentTag}
	}
	text := make([]byte, 1+it.value.BLength())
	text[0] = valueTag
	return text[:1+it.value.FastWriteNocopy(text[1:], nil)]
}

func (l lease) text() string { return string(leaseTag) + strconv.FormatUint(uint64(l), 36) }

// compareAndSet replaces a lease with a text. An empty text deletes the lease.
const compareAndSet = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1`

func (r *Redis) put(ctx context.Context, l lease, items []item) {
	if len(items) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	r.pipeline(ctx, func(pipe redis.Pipeliner) {
		for _, it := range items {
			pipe.Eval(ctx, compareAndSet, []string{it.key}, l.text(), encode(it), it.ttl.Milliseconds())
		}
	})
}

// Delete deletes values and leases. On a server that is unavailable they stay until they expire.
func (r *Redis) Delete(ctx context.Context, keys ...string) {
	if len(keys) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, deleteTime)
	defer cancel()
	if !r.cluster {
		r.client.Del(ctx, keys...)
		return
	}
	r.pipeline(ctx, func(pipe redis.Pipeliner) {
		for _, key := range keys {
			pipe.Del(ctx, key)
		}
	})
}
