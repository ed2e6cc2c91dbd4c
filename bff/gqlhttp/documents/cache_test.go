package documents

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
)

// The cache evicts the documents that were used longest ago, and takes no large ones.
func TestDocumentCache(t *testing.T) {
	ctx := context.Background()
	cache := NewCache()
	filler := strings.Repeat(" ", maxCachedText-10)
	cache.Add(ctx, filler+strings.Repeat(" ", 20), &ast.QueryDocument{})
	require.Zero(t, cache.parsed.bytes)
	for i := range 200 {
		cache.Add(ctx, fmt.Sprint(i, filler), &ast.QueryDocument{})
		cache.Add(ctx, fmt.Sprint(i, filler), &ast.QueryDocument{})
		_, kept := cache.Get(ctx, fmt.Sprint(0, filler))
		require.True(t, kept, "it is in use")
	}
	_, kept := cache.Get(ctx, fmt.Sprint(1, filler))
	require.False(t, kept)
	require.LessOrEqual(t, cache.parsed.bytes, maxCachedTexts)
	sum := 0
	for _, text := range cache.parsed.entries.Keys() {
		sum += len(text)
	}
	require.Equal(t, sum, cache.parsed.bytes)
}
