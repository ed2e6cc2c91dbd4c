// Package cache keeps what a service has read from its database, by leases, as memcached at Facebook did.
//
// A reader that misses takes a lease on the key before it reads the database: a random token in the place of the value.
// The value is stored by compare-and-set on that token. A write deletes its keys, leases included, before its
// transaction and again after it: a value that was read before the commit finds its lease gone and is not stored. A
// reader that finds the lease of another waits for a moment, so that a key is loaded once at a time, and then loads
// without storing.
//
//	users := cache.New(store, cache.Config[int64, *basics.User]{
//		Name: "basics:u2", Key: cache.ID, New: basics.NewUser, TTL: cache.MaxTTL})
//	found, err := users.Get(ctx, ids, tables.users)
//	...
//	err = cache.Change(ctx, store, func(cache.Also) error { return tables.update(ctx, user) }, users.Key(user.ID))
//
// [Redis] is a [Store] for several processes, [Map] for one that is alone with its data. Several processes without Redis
// have no Store, and load everything.
//
// A read that begins after a write has returned gets what was written, if every Redis command of the write succeeded.
// While a server of Redis cannot be reached, its keys are read from the database and writes go on. What is written
// meanwhile leaves old values behind: when the server is back they may be read, by the writer too, until they expire. Each
// value lives at most [MaxTTL], counted from before it was read.
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
	// loadTime is the longest load, and leaseTime the time after which the lease of a process that was killed ends.
	loadTime  = 10 * time.Second
	leaseTime = loadTime + 2*time.Second
	// A reader waits for the lease of another, each time twice as long, 63 ms in all.
	firstWait = time.Millisecond
	lastWait  = 32 * time.Millisecond
)

// Config describes the values of one kind.
type Config[K comparable, V thrift.FastCodec] struct {
	// Name begins the keys of this kind, and no others. Its number rises when values change in a way that Thrift does
	// not bridge: "basics:u2".
	Name string
	// Key returns the rest of the key.
	Key func(K) string
	// New returns an empty value, to be decoded into.
	New func() V
	// TTL is how long a value is kept, up to a fifth less; at most MaxTTL.
	TTL time.Duration
	// AbsentTTL is how long the absence of a value is cached. Zero means that it is not cached.
	AbsentTTL time.Duration
}

// ID is the Key of a value that has a number.
func ID(id int64) string { return strconv.FormatInt(id, 10) }

// Cache holds values of one kind. Values are shared: nobody may change one that was returned or loaded.
type Cache[K comparable, V thrift.FastCodec] struct {
	store Store
	cfg   Config[K, V]
}

// Loader returns the values of those keys that exist.
type Loader[K comparable, V any] func(ctx context.Context, keys []K) (map[K]V, error)

// New returns a cache of one kind of values in a store, which may be nil.
func New[K comparable, V thrift.FastCodec](store Store, cfg Config[K, V]) *Cache[K, V] {
	return &Cache[K, V]{store, cfg}
}

// Key returns the key of a value in the store, for [Change].
func (c *Cache[K, V]) Key(k K) string { return c.cfg.Name + ":" + c.cfg.Key(k) }

// Get returns the values that exist. Missing ones are loaded by one call of load, and by a second one if another reader
// holds the lease for longer than the wait.
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

// Peek returns the values that are kept, and loads none.
func (c *Cache[K, V]) Peek(ctx context.Context, keys ...K) map[K]V {
	values := make(map[K]V, len(keys))
	if c.store != nil {
		c.lookup(ctx, keys, noLease, values)
	}
	return values
}

// lookup adds the values that are kept to values. It returns the other keys: those leased to the caller, those leased to
// others, and those to be loaded without storing.
func (c *Cache[K, V]) lookup(ctx context.Context, keys []K, l lease, values map[K]V) (ours, others, unknown []K) {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = c.Key(k)
	}
	for i, e := range c.store.lookup(ctx, func() thrift.FastCodec { return c.cfg.New() }, names, l) {
		switch {
		case e.state == isKept && e.value != nil:
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

// fill loads keys, and stores those that are leased to the caller. When the load fails, it gives the leases back.
func (c *Cache[K, V]) fill(ctx context.Context, l lease, leased, unknown []K, values map[K]V, load Loader[K, V]) error {
	keys := slices.Concat(leased, unknown)
	if len(keys) == 0 {
		return nil
	}
	begin := time.Now()
	items := make([]item, len(leased)) // without a TTL as yet, which gives the lease back
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

// ttl returns how long a value is kept that took this long to load.
func (c *Cache[K, V]) ttl(exists bool, loading time.Duration) time.Duration {
	ttl := min(c.cfg.TTL, MaxTTL)
	if !exists {
		ttl = min(c.cfg.AbsentTTL, MaxTTL)
	}
	ttl -= rand.N(ttl/5 + 1) // what was loaded together does not expire together
	return max(0, ttl-loading-commandTime)
}
