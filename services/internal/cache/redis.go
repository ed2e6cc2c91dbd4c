package cache

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// commandTime bounds a lookup, and storing. A Redis that is slower than the database is no help.
	commandTime = 500 * time.Millisecond
	// deleteTime is longer: a delete that fails leaves an old value.
	deleteTime = time.Second
)

// What a text in Redis begins with.
const (
	isValue  = 'v'
	isAbsent = 'n'
	isLease  = 'l'
)

// Redis is a [Store] for all processes that use the same Redis. That a server is unavailable is noticed by the client,
// which should have a circuit breaker.
type Redis struct {
	client  redis.UniversalClient
	cluster bool
}

// NewRedis returns the store. The client should heed the deadlines of contexts.
func NewRedis(client redis.UniversalClient) *Redis {
	_, cluster := client.(*redis.ClusterClient)
	return &Redis{client: client, cluster: cluster}
}

// lookup takes one round trip, and a second one if keys are missing: most lookups miss nothing, and a script that does
// both at once would make those slower.
func (r *Redis) lookup(ctx context.Context, c *codec, keys []string, l lease) []entry {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	entries := make([]entry, len(keys))
	var missing []int
	var unreadable []string
	r.read(ctx, keys, func(i int, text string, exists bool) {
		var ok bool
		if !exists {
			missing = append(missing, i)
		} else if entries[i], ok = decode(c, text); !ok {
			unreadable = append(unreadable, keys[i])
		}
	})
	r.Delete(ctx, unreadable...)
	if len(missing) > 0 && l != noLease {
		r.lease(ctx, l, keys, missing, entries)
	}
	return entries
}

// read calls found for each key of which Redis says something.
func (r *Redis) read(ctx context.Context, keys []string, found func(i int, text string, exists bool)) {
	if !r.cluster {
		values, _ := r.client.MGet(ctx, keys...).Result()
		for i, value := range values {
			text, exists := value.(string)
			found(i, text, exists)
		}
		return
	}
	gets := make([]*redis.StringCmd, len(keys))
	_, _ = r.client.Pipelined(ctx, func(pipe redis.Pipeliner) error { // each command has its own error
		for i, key := range keys {
			gets[i] = pipe.Get(ctx, key)
		}
		return nil
	})
	for i, get := range gets {
		text, err := get.Result()
		if err == nil || errors.Is(err, redis.Nil) {
			found(i, text, err == nil)
		}
	}
}

// decode returns what a text means; it is not ok if this version cannot read it.
func decode(c *codec, text string) (e entry, ok bool) {
	switch {
	case text == "":
		return entry{}, false
	case text[0] == isLease:
		return entry{state: busy}, true
	case text[0] == isAbsent:
		return entry{state: kept}, true
	case text[0] != isValue:
		return entry{}, false
	}
	value, err := c.read([]byte(text[1:]))
	if err != nil {
		return entry{}, false
	}
	return entry{state: kept, value: value}, true
}

// lease takes the lease on the keys with these numbers, where nobody else has taken one meanwhile.
func (r *Redis) lease(ctx context.Context, l lease, keys []string, numbers []int, entries []entry) {
	sets := make([]*redis.BoolCmd, len(numbers))
	_, _ = r.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for n, i := range numbers {
			sets[n] = pipe.SetNX(ctx, keys[i], l.text(), leaseTime)
		}
		return nil
	})
	for n, i := range numbers {
		switch taken, err := sets[n].Result(); {
		case err != nil: // such as: no memory
		case taken:
			entries[i].state = leased
		default:
			entries[i].state = busy
		}
	}
}

func (l lease) text() string { return string(isLease) + strconv.FormatUint(uint64(l), 36) }

// compareAndSet puts a text in the place of a lease, or deletes the lease.
var compareAndSet = redis.NewScript(`if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1`)

func (r *Redis) put(ctx context.Context, c *codec, l lease, items []item) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	if again := r.compareAndSet(ctx, compareAndSet.EvalSha, c, l, items); len(again) > 0 {
		r.compareAndSet(ctx, compareAndSet.Eval, c, l, again)
	}
}

// compareAndSet puts items in the place of leases. It returns those for which Redis does not know the script.
func (r *Redis) compareAndSet(ctx context.Context,
	run func(ctx context.Context, client redis.Scripter, keys []string, args ...any) *redis.Cmd,
	c *codec, l lease, items []item) (again []item) {
	cmds := make([]*redis.Cmd, len(items))
	_, _ = r.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, it := range items {
			cmds[i] = run(ctx, pipe, []string{it.key}, l.text(), encode(c, it), it.ttl.Milliseconds())
		}
		return nil
	})
	for i, cmd := range cmds {
		if redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
			again = append(again, items[i])
		}
	}
	return again
}

// encode returns the text of an item, which is empty for one without a TTL.
func encode(c *codec, it item) []byte {
	switch {
	case it.ttl < time.Millisecond:
		return nil
	case it.value == nil:
		return []byte{isAbsent}
	}
	text := make([]byte, 1+c.size(it.value))
	text[0] = isValue
	return text[:1+c.write(it.value, text[1:])]
}

// Delete deletes values and leases. It fails if a server is unavailable; then its values stay until they expire.
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
	_, _ = r.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, key := range keys {
			pipe.Del(ctx, key)
		}
		return nil
	})
}
