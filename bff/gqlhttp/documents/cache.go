package documents

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

const (
	maxCachedText  = 16 << 10 // bytes of one document that is worth a place in the cache
	maxCachedTexts = 1 << 20  // bytes of all of them; parsed, a document takes some twenty times as much
)

// Cache keeps valid documents by their text, within a number of bytes.
type Cache struct{ parsed *lru[*ast.QueryDocument] }

var _ graphql.Cache[*ast.QueryDocument] = (*Cache)(nil)

// NewCache returns an empty cache.
func NewCache() *Cache { return &Cache{newLRU[*ast.QueryDocument](maxCachedTexts)} }

// Get returns the document of a text.
func (c *Cache) Get(_ context.Context, text string) (*ast.QueryDocument, bool) {
	return c.parsed.get(text)
}

// Add keeps a document, unless it is large.
func (c *Cache) Add(_ context.Context, text string, document *ast.QueryDocument) {
	if len(text) <= maxCachedText {
		c.parsed.add(text, document, len(text))
	}
}
