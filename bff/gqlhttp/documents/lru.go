package documents

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// lru is a cache that is bounded in bytes and evicts the least recently used entries.
type lru[V any] struct {
	maxBytes int

	mu      sync.Mutex
	entries *simplelru.LRU[string, entry[V]]
	bytes   int
}

type entry[V any] struct {
	value V
	bytes int
}

func newLRU[V any](maxBytes int) *lru[V] {
	c := &lru[V]{maxBytes: maxBytes}
	// The number of entries follows from that of their bytes; the error is that of a size below 1.
	c.entries, _ = simplelru.NewLRU(maxBytes, func(_ string, evicted entry[V]) { c.bytes -= evicted.bytes })
	return c
}

func (c *lru[V]) get(key string) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.entries.Get(key)
	return found.value, ok
}

// add stores a value that takes so many bytes. It reports whether the key is new.
func (c *lru[V]) add(key string, value V, bytes int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries.Contains(key) {
		c.entries.Get(key) // it is in use
		return false
	}
	c.bytes += bytes
	c.entries.Add(key, entry[V]{value, bytes})
	for c.bytes > c.maxBytes {
		c.entries.RemoveOldest()
	}
	return true
}
