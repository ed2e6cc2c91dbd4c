package cache

import "context"

// Drop makes the values of the keys old after a write that was committed already. Whoever reads them after it has
// returned gets the new ones. It is [Redis.Change] for a writer who does the same write again, with its Drop, when the
// process ends between the two.
func (r *Redis) Drop(ctx context.Context, keys ...string) {
	if len(keys) == 0 {
		return
	}
	before := r.pendingOf(keys)
	r.forget(keys, before, r.mark(context.WithoutCancel(ctx), keys))
}
