package cache

import (
	"context"
	"maps"
	"slices"

	"github.com/cloudwego/gopkg/protocol/thrift"

	"minidouyin/idl/kitex_gen/page"
)

// Cut returns a page from a cached prefix of a list. position returns where a row stands, and more reports whether rows
// follow the prefix. ok is false if the page reaches beyond the prefix.
func Cut[T any](rows []T, more bool, position func(T) (createdAt, id int64), p *page.Page) (cut []T, hasMore, ok bool) {
	begin := 0
	if c := p.After; c != nil {
		begin = slices.IndexFunc(rows, func(row T) bool {
			createdAt, id := position(row)
			return createdAt < c.CreatedAt || createdAt == c.CreatedAt && id < c.ID
		})
		if begin < 0 {
			begin = len(rows)
		}
	}
	rows = rows[begin:len(rows):len(rows)]
	limit := int(p.Limit)
	switch {
	case len(rows) > limit:
		return rows[:limit:limit], true, true
	case more:
		return rows, true, len(rows) == limit
	}
	return rows, false, true
}

// Pages returns the same page of the list of each owner. lists caches a prefix of each list, at most maxCached rows, and
// cut returns a page from a prefix, as [Cut] does. A page that reaches beyond the prefix is loaded.
func Pages[L thrift.FastCodec](ctx context.Context, lists *Cache[int64, L], owners []int64, p *page.Page, maxCached int32,
	cut func(prefix L, p *page.Page) (L, bool),
	load func(ctx context.Context, owners []int64, p *page.Page) (map[int64]L, error)) (map[int64]L, error) {
	if lists.store == nil {
		return load(ctx, owners, p)
	}
	var prefixes map[int64]L
	if p.After == nil {
		var err error
		prefixes, err = lists.Get(ctx, owners, func(ctx context.Context, owners []int64) (map[int64]L, error) {
			return load(ctx, owners, &page.Page{Limit: maxCached})
		})
		if err != nil {
			return nil, err
		}
	} else {
		prefixes = lists.Peek(ctx, owners...)
	}
	pages := make(map[int64]L, len(owners))
	var beyond []int64
	for _, owner := range owners {
		if list, ok := prefixes[owner]; ok {
			if part, ok := cut(list, p); ok {
				pages[owner] = part
				continue
			}
		}
		beyond = append(beyond, owner)
	}
	if len(beyond) > 0 {
		rest, err := load(ctx, beyond, p)
		if err != nil {
			return nil, err
		}
		maps.Copy(pages, rest)
	}
	return pages, nil
}
