// Package cache keeps what a service has read from its database in Redis, and never an old value after a write.
//
// A [Cache] reads through: what Redis does not have is loaded, with all else that is missing at that moment, and kept.
// A write goes through [Redis.Change], which marks the keys in Redis before the transaction and again after it. A mark
// stands for five seconds; as long as it stands, readers load from the database. A reader who loaded the old row fills
// only an empty place (SET NX) and only within a second, so it always finds the mark or is overwritten by it. A mark
// after a write that met no other is open: the reader who saw it before the load puts the value in its place, if it is
// still there.
//
//	users := cache.New(redis, cache.Config[int64, *basics.User]{
//		Name: "u1", Key: cache.ID, New: basics.NewUser, TTL: 10 * time.Minute})
//	found, err := users.Get(ctx, ids, store.users)
//	...
//	err = redis.Change(ctx, func(*cache.Change) error { return store.update(ctx, user) }, users.Key(user.ID))
//
// When Redis is away, reads go to the database and writes remember the keys that they could not mark: this process
// reads those from the database until they are marked, which it tries again and again.
package cache

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/cloudwego/gopkg/protocol/thrift"
)

// Config describes the values of one kind.
type Config[K comparable, V thrift.FastCodec] struct {
	// Name begins the keys of this kind, and no others in the service. Its number rises when values change in a way
	// that Thrift does not bridge: "u1".
	Name string
	// Key returns the rest of the key in Redis.
	Key func(K) string
	// New returns an empty value, to be filled.
	New func() V
	// TTL is how long a value is kept, give or take a tenth.
	TTL time.Duration
	// AbsentTTL is how long it is kept that there is no value. Zero means that it is not kept.
	AbsentTTL time.Duration
	// Near also keeps values in this process, for a second: so long may it return what another process has changed.
	Near bool
}

// ID is the Key of a value that has a number.
func ID(id int64) string { return strconv.FormatInt(id, 10) }

// Cache holds values of one kind. Values are shared: nobody may change one that was returned or loaded.
type Cache[K comparable, V thrift.FastCodec] struct {
	redis  *Redis
	cfg    Config[K, V]
	prefix string
	kind   kind
}

// kind is what does not depend on the types.
type kind struct {
	near   bool
	absent bool
	decode func(text string) (any, error)
	encode func(value any) []byte // nil for a value that is absent
	ttl    func(value any) time.Duration
}

// New returns a cache of one kind of values in r.
func New[K comparable, V thrift.FastCodec](r *Redis, cfg Config[K, V]) *Cache[K, V] {
	return &Cache[K, V]{redis: r, cfg: cfg, prefix: r.service + ":" + cfg.Name + ":", kind: kind{
		near:   cfg.Near,
		absent: cfg.AbsentTTL > 0,
		decode: func(text string) (any, error) {
			v := cfg.New()
			return v, thrift.FastUnmarshal([]byte(text), v)
		},
		encode: func(value any) []byte {
			if value == nil {
				return nil
			}
			return thrift.FastMarshal(value.(V))
		},
		ttl: func(value any) time.Duration {
			ttl := cfg.TTL
			if value == nil {
				ttl = cfg.AbsentTTL
			}
			return ttl - ttl/10 + rand.N(ttl/5+1) // what was kept together does not end together
		},
	}}
}

// Key returns the value's key in Redis, for [Redis.Change].
func (c *Cache[K, V]) Key(k K) string { return c.prefix + c.cfg.Key(k) }

// Get returns the values that exist. What is not kept is loaded by one call of load, which returns those that exist and
// is not ended by ctx: others may wait for the same. When Redis is away, everything is loaded.
func (c *Cache[K, V]) Get(ctx context.Context, keys []K, load func(ctx context.Context, missing []K) (map[K]V, error)) (map[K]V, error) {
	names, byName := c.names(keys)
	found, err := c.redis.read(ctx, &c.kind, names, func(ctx context.Context, names []string) (map[string]any, error) {
		missing := make([]K, len(names))
		for i, name := range names {
			missing[i] = byName[name]
		}
		loaded, err := load(ctx, missing)
		if err != nil {
			return nil, err
		}
		values := make(map[string]any, len(loaded))
		for k, v := range loaded {
			values[c.Key(k)] = v
		}
		return values, nil
	})
	if err != nil {
		return nil, err
	}
	return typed[K, V](found, byName), nil
}

// One returns one value, and whether it exists.
func (c *Cache[K, V]) One(ctx context.Context, key K, load func(ctx context.Context) (value V, exists bool, err error)) (V, bool, error) {
	found, err := c.Get(ctx, []K{key}, func(ctx context.Context, _ []K) (map[K]V, error) {
		value, exists, err := load(ctx)
		if err != nil || !exists {
			return nil, err
		}
		return map[K]V{key: value}, nil
	})
	value, exists := found[key]
	return value, exists, err
}

// Peek returns the values that are kept, and loads none.
func (c *Cache[K, V]) Peek(ctx context.Context, keys ...K) map[K]V {
	names, byName := c.names(keys)
	return typed[K, V](c.redis.peek(ctx, &c.kind, names).found, byName)
}

func (c *Cache[K, V]) names(keys []K) ([]string, map[string]K) {
	names, byName := make([]string, 0, len(keys)), make(map[string]K, len(keys))
	for _, k := range keys {
		name := c.Key(k)
		if _, twice := byName[name]; !twice {
			byName[name] = k
			names = append(names, name)
		}
	}
	return names, byName
}

func typed[K comparable, V any](found map[string]any, byName map[string]K) map[K]V {
	values := make(map[K]V, len(found))
	for name, value := range found {
		if value != nil {
			values[byName[name]] = value.(V)
		}
	}
	return values
}
