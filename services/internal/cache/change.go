package cache

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"minidouyin/idl/codes"
)

// Change is a write to the database that makes values old.
type Change struct {
	r    *Redis
	mark string
	keys []string
	held map[string]string // what Redis had, where it may be trusted
	// edits make a new text of the old one; false when they cannot.
	edits map[string]edit
}

type edit struct {
	k  *kind
	do func(old any) (new any, ok bool)
}

// Change runs a write that makes the values of the keys old: whoever reads them after it has returned gets the new
// ones. A write that fails may have
// been committed all the same, unless its error has a code: then it was refused, and all values stay.
func (r *Redis) Change(ctx context.Context, write func(c *Change) error, keys ...string) (err error) {
	c := &Change{r: r, mark: newMark(), held: map[string]string{}, edits: map[string]edit{}}
	c.Also(ctx, keys...)
	result := unknown
	defer func() { c.finish(context.WithoutCancel(ctx), result) }()
	err = write(c)
	switch code := codes.Of(err); {
	case err == nil:
		result = committed
	case code != codes.Internal && code != codes.UpstreamUnavailable:
		result = refused
	}
	return err
}

// Also adds keys that became known within the write. It must be called before the commit.
func (c *Change) Also(ctx context.Context, keys ...string) {
	var added []string
	seen := make(map[string]bool, len(c.keys)+len(keys))
	for _, key := range c.keys {
		seen[key] = true
	}
	for _, key := range keys {
		if !seen[key] {
			seen[key] = true
			added = append(added, key)
		}
	}
	if len(added) == 0 {
		return
	}
	c.keys = append(c.keys, added...)
	trusted, known := c.r.trusted(added)
	had := make([]*redis.StatusCmd, len(added))
	var epoch *redis.StringCmd
	err := c.r.pipeline(ctx, func(p redis.Pipeliner) {
		if !known {
			epoch = p.Get(ctx, c.r.epochKey())
		}
		for i, key := range added {
			had[i] = p.SetArgs(ctx, key, c.mark, redis.SetArgs{TTL: markTime, Get: true})
		}
	})
	if err != nil {
		return // what counts is the mark after the commit
	}
	trusted = trusted && !c.r.bypassNow() // the answer may be the first after an outage
	if !known {
		c.r.setEpoch(epoch)
	}
	for i, key := range added {
		if text := had[i].Val(); trusted && text != "" && !marked(text) {
			c.held[key] = text
		}
	}
}

// trusted tells whether what Redis has for the keys is what the database has, if it is of the current epoch, and
// whether that is known.
func (r *Redis) trusted(keys []string) (trusted, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range keys {
		if _, waits := r.pending[key]; waits {
			return false, true
		}
	}
	return !r.bypass(time.Now()), r.epochKnown()
}

func (r *Redis) bypassNow() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bypass(time.Now())
}

// Edit keeps a value through the change instead of dropping it: when the write succeeds, and Redis had the value at its
// beginning, and nobody else has changed it meanwhile, the value becomes what do makes of the old one, which must stay
// as it is. When do returns false, the value is dropped, as it is without an edit.
func (c *Cache[K, V]) Edit(change *Change, key K, do func(old V) (V, bool)) {
	change.edits[c.Key(key)] = edit{&c.kind, func(old any) (any, bool) {
		if old == nil {
			return nil, false
		}
		return do(old.(V))
	}}
}

// swap puts a text in the place of our mark. Where that is gone, another write is under way: then a mark again.
const swap = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
else redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[4]) end return 1`

// finish marks the keys again, now for readers to fill, or puts values in their places: edited ones after a write that
// succeeded, the old ones after one that was refused.
func (c *Change) finish(ctx context.Context, result result) {
	if len(c.keys) == 0 {
		return
	}
	r := c.r
	before := r.pendingOf(c.keys)
	r.mu.Lock()
	epoch := r.epoch
	r.mu.Unlock()
	err := r.pipeline(ctx, func(p redis.Pipeliner) {
		for _, key := range c.keys {
			text, ttl, ok := c.text(key, epoch, result)
			switch {
			case result == unknown: // it may be committed any moment
				text, ttl = c.mark, markTime
			case !ok:
				text, ttl = isOpen+c.mark, markTime
			}
			p.Eval(ctx, swap, []string{key}, c.mark, text, ttl.Milliseconds(), markTime.Milliseconds())
		}
	})
	r.forget(c.keys, before, err)
}

// result is how a write ended.
type result int

const (
	unknown result = iota // it may have been committed
	committed
	refused // it was not committed
)

// text returns the value that takes the key's place.
func (c *Change) text(key string, epoch uint64, result result) (text string, ttl time.Duration, ok bool) {
	e, edits := c.edits[key]
	old, held := c.held[key]
	switch {
	case !held || result == unknown:
		return "", 0, false
	case result == refused:
		return old, restoredTTL, true
	case !edits:
		return "", 0, false
	}
	value, err := e.k.open(old, epoch)
	if err != nil {
		return "", 0, false
	}
	if value, ok = e.do(value); !ok {
		return "", 0, false
	}
	return string(e.k.close(value, epoch)), e.k.ttl(value), true
}

func newMark() string {
	return isMark + strconv.FormatUint(rand.Uint64(), 36)
}

// mark puts marks on the keys, whatever is there.
func (r *Redis) mark(ctx context.Context, keys []string) error {
	m := newMark()
	return r.pipeline(ctx, func(p redis.Pipeliner) {
		for _, key := range keys {
			p.Set(ctx, key, m, markTime)
		}
	})
}

func (r *Redis) pendingOf(keys []string) map[string]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pending) == 0 {
		return nil
	}
	numbers := map[string]uint64{}
	for _, key := range keys {
		if n, waits := r.pending[key]; waits {
			numbers[key] = n
		}
	}
	return numbers
}

// forget takes the keys out of the process after an attempt to mark them. Those that could not be marked will be tried
// again; before names those that waited when the attempt began, which are done when it succeeded.
func (r *Redis) forget(keys []string, before map[string]uint64, err error) {
	r.mu.Lock()
	for _, key := range keys {
		delete(r.flights, key)
		delete(r.near, key)
		r.changed[slot(key)]++
		n, waits := r.pending[key]
		switch {
		case err != nil:
			r.retries++
			if !r.lost {
				r.pending[key] = r.retries
			}
		case err == nil && waits && before[key] == n:
			delete(r.pending, key)
		}
	}
	if len(r.pending) > pendingMost {
		r.lost = true
		clear(r.pending)
	}
	r.mu.Unlock()
	if err != nil {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// retry marks what could not be marked, until all is.
func (r *Redis) retry() {
	for {
		select {
		case <-r.stop:
			r.markPending()
			return
		case <-r.wake:
		}
		for !r.markPending() {
			select {
			case <-r.stop:
				if !r.markPending() {
					r.log.Warn("redis is away: values that were changed may be old in the caches until they expire", "service", r.service)
				}
				return
			case <-time.After(retryTime):
			}
		}
	}
}

// markPending tries to mark all that waits; it returns whether nothing waits any more.
func (r *Redis) markPending() bool {
	ctx := context.Background()
	r.mu.Lock()
	lost, retries := r.lost, r.retries
	tried := make(map[string]uint64, len(r.pending))
	keys := make([]string, 0, len(r.pending))
	for key, n := range r.pending {
		tried[key] = n
		keys = append(keys, key)
	}
	r.mu.Unlock()
	if lost {
		epoch := rand.Uint64()
		err := r.pipeline(ctx, func(p redis.Pipeliner) { p.Set(ctx, r.epochKey(), epoch, epochTTL) })
		if err != nil {
			return false
		}
		r.mu.Lock()
		r.epoch, r.epochAt = epoch, time.Now()
		r.lost = r.retries != retries // more were lost meanwhile
		r.mu.Unlock()
	}
	if len(keys) > 0 {
		err := r.mark(ctx, keys)
		if err != nil {
			if !away(err) { // such as: no memory for a mark
				_ = r.pipeline(ctx, func(p redis.Pipeliner) {
					for _, key := range keys {
						p.Del(ctx, key)
					}
				})
			}
			return false
		}
		r.forget(keys, tried, nil)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pending) == 0 && !r.lost
}
