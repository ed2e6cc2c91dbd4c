package cache

import (
	"context"
	"maps"
	"slices"

	"github.com/cloudwego/gopkg/protocol/thrift"

	"minidouyin/idl/kitex_gen/page"
)

// Cut returns a page of a list of which the first rows are kept: place tells where one stands, and more that others
// follow. It is not ok when the page goes beyond what is kept.
func Cut[T any](rows []T, more bool, place func(T) (createdAt, id int64), p *page.Page) (cut []T, hasMore, ok bool) {
	begin := 0
	if c := p.After; c != nil {
		begin = slices.IndexFunc(rows, func(row T) bool {
			createdAt, id := place(row)
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

// Insert returns the list with a row in its place, and at most so many rows; more tells whether others follow.
func Insert[T any](rows []T, more bool, place func(T) (createdAt, id int64), row T, most int) (list []T, hasMore bool) {
	createdAt, id := place(row)
	at := slices.IndexFunc(rows, func(other T) bool {
		t, n := place(other)
		return t < createdAt || t == createdAt && n < id
	})
	if at < 0 {
		if more { // it stands among those that are not kept, or behind them
			return rows, more
		}
		at = len(rows)
	}
	list = slices.Insert(slices.Clone(rows), at, row)
	if len(list) > most {
		return list[:most], true
	}
	return list, more
}

// Pages returns the same page of each owner's list. It comes from the first rows, as many as most, that are kept of the
// list; by read where the page goes beyond those. cut returns a page of what is kept, as [Cut] does.
func Pages[L thrift.FastCodec](ctx context.Context, lists *Cache[int64, L], owners []int64, p *page.Page, most int32,
	cut func(kept L, p *page.Page) (L, bool),
	read func(ctx context.Context, owners []int64, p *page.Page) (map[int64]L, error)) (map[int64]L, error) {
	var kept map[int64]L
	if p.After == nil {
		var err error
		kept, err = lists.Get(ctx, owners, func(ctx context.Context, owners []int64) (map[int64]L, error) {
			return read(ctx, owners, &page.Page{Limit: most})
		})
		if err != nil {
			return nil, err
		}
	} else {
		kept = lists.Peek(ctx, owners...)
	}
	pages := make(map[int64]L, len(owners))
	var beyond []int64
	for _, owner := range owners {
		if list, ok := kept[owner]; ok {
			if part, ok := cut(list, p); ok {
				pages[owner] = part
				continue
			}
		}
		beyond = append(beyond, owner)
	}
	if len(beyond) > 0 {
		rest, err := read(ctx, beyond, p)
		if err != nil {
			return nil, err
		}
		maps.Copy(pages, rest)
	}
	return pages, nil
}
