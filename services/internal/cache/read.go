package cache

import (
	"context"
	"fmt"
	"hash/maphash"
	"runtime/debug"
	"time"
)

// flight is one load of several keys, for all who wait for one of them.
type flight struct {
	order uint64
	began time.Time
	done  chan struct{} // closed when what follows is set
	// values has an entry for each key that exists.
	values map[string]any
	err    error
}

type nearValue struct {
	value any
	until time.Time
}

// view is what a reader knows before it loads.
type view struct {
	order   uint64 // of the reader
	epoch   uint64
	changed map[string]uint64 // for keys that may be kept near, how often they had been changed at the beginning
	found   map[string]any    // nil for what is known to be absent
	missing []string
	// unusable must be loaded anew: by a flight that began after the reader.
	unusable []string
	marks    map[string]string // open ones of those, which may be filled
}

var seed = maphash.MakeSeed()

func slot(key string) byte { return byte(maphash.String(seed, key)) }

// peek looks for the keys in the process and in Redis.
func (r *Redis) peek(ctx context.Context, k *kind, keys []string) *view {
	v := &view{found: make(map[string]any, len(keys))}
	ask := r.look(ctx, v, k, keys)
	var answers map[string]answer
	answers, v.epoch = r.ask(ctx, k, ask)
	for _, key := range ask {
		switch a := answers[key]; a.state {
		case kept:
			v.found[key] = a.value
		case missing:
			v.missing = append(v.missing, key)
		case unusable:
			v.unusable = append(v.unusable, key)
			if a.mark != "" {
				if v.marks == nil {
					v.marks = map[string]string{}
				}
				v.marks[key] = a.mark
			}
		}
	}
	if k.near {
		r.keepNear(v, ask, v.found)
	}
	return v
}

// look begins a read: it takes what is near and returns the keys to ask Redis for.
func (r *Redis) look(ctx context.Context, v *view, k *kind, keys []string) (ask []string) {
	now := time.Now()
	servers := r.serversOf(ctx, keys)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.order++
	v.order = r.order
	if k.near {
		v.changed = make(map[string]uint64, len(keys))
	}
	for i, key := range keys {
		if _, waits := r.pending[key]; waits || r.bypass(servers[i], now) {
			v.unusable = append(v.unusable, key)
			continue
		}
		if k.near {
			if near, ok := r.near[key]; ok && now.Before(near.until) {
				v.found[key] = near.value
				continue
			}
			v.changed[key] = r.changed[slot(key)]
		}
		ask = append(ask, key)
	}
	return ask
}

// bypass tells whether no value that the server has may be trusted now.
func (r *Redis) bypass(s *server, now time.Time) bool { return r.lost || now.Before(s.settledAt) }

// bypassed tells the same of several servers.
func (r *Redis) bypassed(servers []*server) []bool {
	bypassed, now := make([]bool, len(servers)), time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, s := range servers {
		bypassed[i] = r.bypass(s, now)
	}
	return bypassed
}

// keepNear keeps the values of those keys that were not changed since the reader began.
func (r *Redis) keepNear(v *view, keys []string, values map[string]any) {
	until := time.Now().Add(nearTime)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.near)+len(keys) > nearMost {
		clear(r.near)
	}
	for _, key := range keys {
		value, ok := values[key]
		if changed, may := v.changed[key]; ok && may && changed == r.changed[slot(key)] {
			r.near[key] = nearValue{value, until}
		}
	}
}

type loader func(ctx context.Context, keys []string) (map[string]any, error)

// read returns the values of the keys that exist.
func (r *Redis) read(ctx context.Context, k *kind, keys []string, load loader) (map[string]any, error) {
	v := r.peek(ctx, k, keys)
	fresh := make(map[string]bool, len(v.missing)+len(v.unusable)) // what is wanted; true where it must be new
	for _, key := range v.missing {
		fresh[key] = false
	}
	for _, key := range v.unusable {
		fresh[key] = true
	}
	for len(fresh) > 0 {
		joined, blocked := r.board(ctx, k, v, fresh, load)
		for f, keys := range joined {
			if err := f.wait(ctx); err != nil {
				return nil, err
			}
			if f.err != nil {
				return nil, f.err
			}
			for _, key := range keys {
				if value, exists := f.values[key]; exists {
					v.found[key] = value
				}
				delete(fresh, key)
			}
		}
		if blocked != nil {
			if err := blocked.wait(ctx); err != nil {
				return nil, err
			}
		}
	}
	return v.found, nil
}

func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// board finds a flight for each key that is wanted, and begins one for those that have none. A flight that began before
// a reader who needs a new value is waited for, and then another one is begun: so there is one load of a key at a time,
// however many ask. For a key that Redis does not have, one of the last second will do: had the value been changed in
// that time, there would be a mark.
func (r *Redis) board(ctx context.Context, k *kind, v *view, fresh map[string]bool, load loader) (joined map[*flight][]string, blocked *flight) {
	joined = map[*flight][]string{}
	own := &flight{began: time.Now(), done: make(chan struct{})}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.order++
	own.order = r.order
	for key, mustBeNew := range fresh {
		f := r.flights[key]
		switch {
		case f == nil:
			r.flights[key] = own
			joined[own] = append(joined[own], key)
		case f.order > v.order, !mustBeNew && time.Since(f.began) < fillTime:
			joined[f] = append(joined[f], key)
		default:
			blocked = f
		}
	}
	if keys := joined[own]; len(keys) > 0 {
		fill := make(map[string]bool, len(keys))
		for _, key := range keys {
			fill[key] = !fresh[key] || v.marks[key] != ""
		}
		r.running.Go(func() { r.fly(context.WithoutCancel(ctx), k, v, own, keys, fill, load) })
	}
	return joined, blocked
}

// fly loads the keys and fills those that may be filled.
func (r *Redis) fly(ctx context.Context, k *kind, v *view, f *flight, keys []string, fill map[string]bool, load loader) {
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	f.values, f.err = recovered(ctx, keys, load)
	values := map[string]any{}
	if f.err == nil && time.Since(f.began) < fillTime {
		r.mu.Lock()
		for _, key := range keys {
			value, exists := f.values[key]
			if fill[key] && r.flights[key] == f && (exists || k.absent) {
				values[key] = value
			}
		}
		r.mu.Unlock()
	}
	r.fill(ctx, k, values, v.marks, v.epoch)
	if k.near {
		r.keepNear(v, keys, f.values)
	}
	r.mu.Lock()
	for _, key := range keys {
		if r.flights[key] == f {
			delete(r.flights, key)
		}
	}
	r.mu.Unlock()
	close(f.done)
}

// recovered loads the keys. A panic becomes an error, for it would end the process here.
func recovered(ctx context.Context, keys []string, load loader) (values map[string]any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("load: panic: %v\n%s", p, debug.Stack())
		}
	}()
	return load(ctx, keys)
}
