package cache

import (
	"slices"

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
