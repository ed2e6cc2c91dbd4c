package cache

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cloudwego/gopkg/protocol/thrift"
)

// Store stores values and leases by key. It returns no errors: a value that cannot be looked up is loaded, and one that
// cannot be stored is loaded again.
type Store interface {
	// Delete deletes values and leases. [Change] calls it.
	Delete(ctx context.Context, keys ...string)

	// lookup returns an entry for each key. With a lease, it takes that on the missing keys.
	lookup(ctx context.Context, newValue func() thrift.FastCodec, keys []string, l lease) []entry
	// put stores items whose keys have the lease. An item without a TTL returns its lease.
	put(ctx context.Context, l lease, items []item)
}

// lease is a random token.
type lease uint64

const noLease lease = 0

func newLease() lease { return lease(rand.Uint64() | 1) }

// entry is the state of a key in a store.
type entry struct {
	state state
	value thrift.FastCodec // nil if the absence is cached
}

type state int

const (
	isUnknown state = iota // load without storing
	isCached
	isLeased // to the caller
	isBusy   // leased to another
)

// item is a value to store; nil stores the absence.
type item struct {
	key   string
	value thrift.FastCodec
	ttl   time.Duration
}

// Also adds keys that become known during a write. They are deleted after it.
type Also func(keys ...string)

// Change runs a write that makes the values of the keys old. It deletes them after the write, also after a failed one,
// whose transaction may have been committed. It deletes them before the write too: if Redis or the process fails in
// between, fewer old values stay. The store may be nil.
func Change(ctx context.Context, store Store, write func(also Also) error, keys ...string) error {
	if store == nil {
		return write(func(...string) {})
	}
	keys = distinct(keys)
	store.Delete(ctx, keys...)
	defer func() { store.Delete(context.WithoutCancel(ctx), distinct(keys)...) }()
	return write(func(more ...string) { keys = append(keys, more...) })
}

func distinct(keys []string) []string {
	keys = slices.Clone(keys) // the caller may share them
	slices.Sort(keys)
	return slices.Compact(keys)
}
