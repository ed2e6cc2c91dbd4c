// Package cache caches what a service reads from its database, with leases, as memcached at Facebook did.
//
// A reader that misses takes a lease on the key before it reads the database: a random token in place of the value. It
// stores the value by compare-and-set on the token. A write deletes its keys, leases included, before its transaction and
// again after it, so a value that was read before the commit finds no lease and is not stored. A reader that finds the
// lease of another waits for a moment, so that one reader at a time loads a key, and then loads without storing.
//
//	users := cache.New(store, cache.Config[int64, *basics.User]{
//		Name: "basics:u2", Key: cache.ID, New: basics.NewUser, TTL: cache.MaxTTL})
//	found, err := users.Get(ctx, ids, readUsers)
//	...
//	err = cache.Change(ctx, store, func(cache.Also) error { return update(ctx, user) }, users.Key(user.ID))
//
// [Redis] is a [Store] for several processes, [Map] for one that uses its database alone. Several processes without Redis
// have no Store and cache nothing.
//
// A read that begins after a write has returned gets the new value if every Redis command of the write succeeded. While a
// server of Redis is unavailable, its keys are read from the database and writes continue. Their old values stay in Redis:
// when it is available again, any reader may get them until they expire. Each value lives at most [MaxTTL], counted from
// before it was read.
package cache

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/cloudwego/gopkg/protocol/thrift"
)

const (
	// MaxTTL bounds the age of every value.
	MaxTTL = 30 * time.Second
	// loadTime bounds a load. leaseTime is longer; after it the lease of a killed process expires.
	loadTime  = 10 * time.Second
	leaseTime = loadTime + 2*time.Second
	// A reader waits for the lease of another with growing pauses, 63 ms in all.
	firstWait = time.Millisecond
	lastWait  = 32 * time.Millisecond
)

// Config configures a cache.
type Config[K comparable, V thrift.FastCodec] struct {
	// Name is the prefix of the keys, used by no other cache, such as "basics:u2". Its number rises with each change of the
	// values that is incompatible in Thrift.
	Name string
	// Key returns the key without the prefix.
	Key func(K) string
	// New returns an empty value for decoding.
	New func() V
	// TTL is how long a value is cached, at most MaxTTL. Up to a fifth is subtracted at random.
	TTL time.Duration
	// AbsentTTL is how long the absence of a value is cached. Zero means that it is not cached.
	AbsentTTL time.Duration
}

// ID is the Config.Key of numeric keys.
func ID(id int64) string { return strconv.FormatInt(id, 10) }

// Cache caches values of one type. Values are shared: nobody may change one that was returned or loaded.
type Cache[K comparable, V thrift.FastCodec] struct {
	store Store
	cfg   Config[K, V]
}

// Loader loads the values of those keys that exist.
type Loader[K comparable, V any] func(ctx context.Context, keys []K) (map[K]V, error)

// New returns a cache in the store. With a nil store it caches nothing.
func New[K comparable, V thrift.FastCodec](store Store, cfg Config[K, V]) *Cache[K, V] {
	return &Cache[K, V]{store, cfg}
}

// Key returns the key of a value in the store, for [Change].
func (c *Cache[K, V]) Key(k K) string { return c.cfg.Name + ":" + c.cfg.Key(k) }

// Get returns the values that exist. One call of load loads the missing ones. There is a second call if another reader
// holds a lease for longer than the wait.
func (c *Cache[K, V]) Get(ctx context.Context, keys []K, load Loader[K, V]) (map[K]V, error) {
	values := make(map[K]V, len(keys))
	if c.store == nil && len(keys) > 0 {
		return load(ctx, keys)
	}
	for wait := firstWait; len(keys) > 0; wait *= 2 {
		l := newLease()
		ours, others, unknown := c.lookup(ctx, keys, l, values)
		if wait > lastWait {
			unknown, others = append(unknown, others...), nil
		}
		if err := c.fill(ctx, l, ours, unknown, values, load); err != nil {
			return nil, err
		}
		if keys = others; len(keys) > 0 {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(wait):
			}
		}
	}
	return values, nil
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

// Peek returns the cached values and loads none.
func (c *Cache[K, V]) Peek(ctx context.Context, keys ...K) map[K]V {
	values := make(map[K]V, len(keys))
	if c.store != nil {
		c.lookup(ctx, keys, noLease, values)
	}
	return values
}

// lookup adds the cached values to values. It returns the other keys: those leased to the caller, those leased to
// others, and those to load without storing.
func (c *Cache[K, V]) lookup(ctx context.Context, keys []K, l lease, values map[K]V) (ours, others, unknown []K) {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = c.Key(k)
	}
	for i, e := range c.store.lookup(ctx, func() thrift.FastCodec { return c.cfg.New() }, names, l) {
		switch {
		case e.state == isCached && e.value != nil:
			values[keys[i]] = e.value.(V)
		case e.state == isLeased:
			ours = append(ours, keys[i])
		case e.state == isBusy:
			others = append(others, keys[i])
		case e.state == isUnknown:
			unknown = append(unknown, keys[i])
		}
	}
	return ours, others, unknown
}

// fill loads keys and stores those that are leased to the caller. If the load fails, it returns the leases.
func (c *Cache[K, V]) fill(ctx context.Context, l lease, leased, unknown []K, values map[K]V, load Loader[K, V]) error {
	keys := slices.Concat(leased, unknown)
	if len(keys) == 0 {
		return nil
	}
	begin := time.Now()
	items := make([]item, len(leased)) // an item without a TTL returns its lease
	for i, k := range leased {
		items[i].key = c.Key(k)
	}
	defer func() { c.store.put(context.WithoutCancel(ctx), l, items) }()
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	loaded, err := load(ctx, keys)
	if err != nil {
		return err
	}
	for i, k := range keys {
		v, exists := loaded[k]
		if exists {
			values[k] = v
		}
		if i < len(items) {
			items[i].ttl = c.ttl(exists, time.Since(begin))
			if exists {
				items[i].value = v
			}
		}
	}
	return nil
}

// ttl returns the remaining TTL of a value whose load took that long.
func (c *Cache[K, V]) ttl(exists bool, loading time.Duration) time.Duration {
	ttl := min(c.cfg.TTL, MaxTTL)
	if !exists {
		ttl = min(c.cfg.AbsentTTL, MaxTTL)
	}
	ttl -= rand.N(ttl/5 + 1) // values that are loaded together do not expire together
	return max(0, ttl-loading-commandTime)
}
