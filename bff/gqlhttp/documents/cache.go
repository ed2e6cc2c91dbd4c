package documents

import (
	"context"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/vektah/gqlparser/v2/ast"
)

const (
	maxCachedText  = 16 << 10 // bytes of one document that is worth to be kept
	maxCachedTexts = 1 << 20  // bytes of all of them; parsed, a document takes some twenty times as much
)

// Cache keeps valid documents by their text, those used last, within a number of bytes.
type Cache struct {
	mu        sync.Mutex
	documents *simplelru.LRU[string, *ast.QueryDocument]
	bytes     int
}

var _ graphql.Cache[*ast.QueryDocument] = (*Cache)(nil)

// NewCache returns an empty cache.
func NewCache() *Cache {
	c := &Cache{}
	// The number of documents follows from that of their bytes; the error is that of a size below 1.
	c.documents, _ = simplelru.NewLRU(maxCachedTexts, func(text string, _ *ast.QueryDocument) { c.bytes -= len(text) })
	return c
}

// Get returns the document of a text.
func (c *Cache) Get(_ context.Context, text string) (*ast.QueryDocument, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.documents.Get(text)
}

// Add keeps a document, unless it is large.
func (c *Cache) Add(_ context.Context, text string, document *ast.QueryDocument) {
	if len(text) > maxCachedText {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.documents.Contains(text) {
		c.bytes += len(text)
	}
	c.documents.Add(text, document)
	for c.bytes > maxCachedTexts {
		c.documents.RemoveOldest()
	}
}
