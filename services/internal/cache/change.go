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
	defer func() {
		c.finish(context.WithoutCancel(ctx), result)
		r.waitForMarks(ctx, c.keys)
	}()
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
	servers := c.r.serversOf(ctx, added)
	pending, known := c.r.waits(added)
	before := c.r.bypassed(servers)
	had := make([]*redis.StatusCmd, len(added))
	var epoch *redis.StringCmd
	c.r.pipeline(ctx, func(at func(key string) redis.Pipeliner) {
		if !known {
			epoch = at(c.r.epochKey()).Get(ctx, c.r.epochKey())
		}
		for i, key := range added {
			had[i] = at(key).SetArgs(ctx, key, c.mark, redis.SetArgs{TTL: markTime, Get: true})
		}
	})
	if !known {
		_, known = c.r.setEpoch(epoch)
	}
	if pending || !known {
		return // what counts is the mark after the commit
	}
	after := c.r.bypassed(servers) // the answer may be the first after an outage
	for i, key := range added {
		if text := had[i].Val(); text != "" && !marked(text) && !before[i] && !after[i] {
			c.held[key] = text
		}
	}
}

// waits tells whether some of the keys still have to be marked, and whether the epoch is known.
func (r *Redis) waits(keys []string) (pending, epochKnown bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range keys {
		if _, waits := r.pending[key]; waits {
			pending = true
		}
	}
	return pending, r.epochKnown()
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
	marks := make([]redis.Cmder, len(c.keys))
	r.pipeline(ctx, func(at func(key string) redis.Pipeliner) {
		for i, key := range c.keys {
			text, ttl, ok := c.text(key, epoch, result)
			switch {
			case result == unknown: // it may be committed any moment
				text, ttl = c.mark, markTime
			case !ok:
				text, ttl = isOpen+c.mark, markTime
			}
			marks[i] = at(key).Eval(ctx, swap, []string{key}, c.mark, text, ttl.Milliseconds(), markTime.Milliseconds())
		}
	})
	r.forget(c.keys, before, marks)
}

// waitForMarks waits until the keys are marked, when that failed at first: other processes may still read what Redis
// has. It does not wait for a server that has been silent for so long that the others have noticed it too.
func (r *Redis) waitForMarks(ctx context.Context, keys []string) {
	servers, epochServer := r.serversOf(ctx, keys), r.serverOf(ctx, r.epochKey())
	waiting := func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		for i, key := range keys {
			if _, waits := r.pending[key]; waits && time.Since(servers[i].answeredAt) <= silentTime {
				return true
			}
		}
		return r.lost && time.Since(epochServer.answeredAt) <= silentTime
	}
	if !waiting() {
		return
	}
	tick := time.NewTicker(retryTime / 4)
	defer tick.Stop()
	for waiting() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
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

// mark puts marks on the keys, whatever is there; it returns the commands that did.
func (r *Redis) mark(ctx context.Context, keys []string) []redis.Cmder {
	m := newMark()
	marks := make([]redis.Cmder, len(keys))
	r.pipeline(ctx, func(at func(key string) redis.Pipeliner) {
		for i, key := range keys {
			marks[i] = at(key).Set(ctx, key, m, markTime)
		}
	})
	return marks
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

// forget takes the keys out of the process after an attempt to mark them by these commands, nil when all succeeded.
// Those that could not be marked will be tried again; before names those that waited when the attempt began, which are
// done when it succeeded.
func (r *Redis) forget(keys []string, before map[string]uint64, marks []redis.Cmder) {
	failed := false
	r.mu.Lock()
	for i, key := range keys {
		delete(r.flights, key)
		delete(r.near, key)
		r.changed[slot(key)]++
		n, waits := r.pending[key]
		switch {
		case marks != nil && failure(marks[i]) != nil:
			failed = true
			r.retries++
			if !r.lost {
				r.pending[key] = r.retries
			}
		case waits && before[key] == n:
			delete(r.pending, key)
		}
	}
	if len(r.pending) > pendingMost {
		r.lost = true
		clear(r.pending)
	}
	r.mu.Unlock()
	if failed {
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
		var set *redis.StatusCmd
		r.pipeline(ctx, func(at func(key string) redis.Pipeliner) {
			set = at(r.epochKey()).Set(ctx, r.epochKey(), epoch, epochTTL)
		})
		if set.Err() != nil {
			return false
		}
		r.mu.Lock()
		r.epoch, r.epochAt = epoch, time.Now()
		r.lost = r.retries != retries // more were lost meanwhile
		r.mu.Unlock()
	}
	if len(keys) > 0 {
		marks := r.mark(ctx, keys)
		var done []string
		r.pipeline(ctx, func(at func(key string) redis.Pipeliner) {
			for i, key := range keys {
				switch err := failure(marks[i]); {
				case err == nil:
					done = append(done, key)
				case !away(err): // such as: no memory for a mark
					at(key).Del(ctx, key)
				}
			}
		})
		r.forget(done, tried, nil)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pending) == 0 && !r.lost
}
