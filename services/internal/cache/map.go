package cache

import (
	"context"
	"sync"
	"time"

	"github.com/cloudwego/gopkg/protocol/thrift"
	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// mapBytes bounds the encoded size of all values, with an overhead for each entry. Measured, the heap of a full map is
	// about that size.
	mapBytes      = 64 << 20
	entryOverhead = 256
)

// Map is a [Store] in a process that uses its database alone. It holds the values themselves, and evicts those used
// longest ago when they exceed mapBytes.
type Map struct {
	mu      sync.Mutex
	entries *simplelru.LRU[string, mapEntry]
	bytes   int
}

type mapEntry struct {
	value   thrift.FastCodec // nil for a lease or an absence
	lease   lease
	expires time.Time
	size    int
}

// NewMap returns an empty store.
func NewMap() *Map {
	m := &Map{}
	// Sizes bound the number of entries; only a number below 1 is an error.
	m.entries, _ = simplelru.NewLRU(mapBytes/entryOverhead, func(_ string, e mapEntry) { m.bytes -= e.size })
	return m
}

func (m *Map) lookup(_ context.Context, _ func() thrift.FastCodec, keys []string, l lease) []entry {
	entries := make([]entry, len(keys))
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, key := range keys {
		switch e, ok := m.entries.Get(key); {
		case !ok || !now.Before(e.expires):
			if l != noLease {
				m.set(key, mapEntry{lease: l, expires: now.Add(leaseTime)})
				entries[i].state = isLeased
			}
		case e.lease == noLease:
			entries[i] = entry{isCached, e.value}
		case e.lease == l:
			entries[i].state = isLeased
		default:
			entries[i].state = isBusy
		}
	}
	return entries
}

func (m *Map) put(_ context.Context, l lease, items []item) {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, it := range items {
		e, ok := m.entries.Peek(it.key)
		switch {
		case !ok || e.lease != l:
		case it.ttl == 0:
			m.entries.Remove(it.key)
		case it.value == nil:
			m.set(it.key, mapEntry{expires: now.Add(it.ttl)})
		default:
			m.set(it.key, mapEntry{value: it.value, expires: now.Add(it.ttl), size: it.value.BLength()})
		}
	}
}

// set sets an entry and evicts the least recently used until the others fit. The caller holds the mutex.
func (m *Map) set(key string, e mapEntry) {
	m.entries.Remove(key) // which subtracts its size
	e.size += entryOverhead
	m.bytes += e.size
	m.entries.Add(key, e)
	for m.bytes > mapBytes {
		m.entries.RemoveOldest()
	}
}

// Delete deletes values and leases.
func (m *Map) Delete(_ context.Context, keys ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		m.entries.Remove(key)
	}
}
