package database

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/page"
)

// maxUnion is how many lists one statement reads; SQLite allows 500.
const maxUnion = 400

// Row is a row of a list.
type Row interface {
	// Position returns the owner of the list and the position in it. Lists are ordered by createdAt, then id, both
	// descending.
	Position() (owner, createdAt, id int64)
}

// Rows is a page of a list.
type Rows[T any] struct {
	Rows    []T
	HasMore bool
}

// Listing is a table that has one list for each owner. It needs an index (Owner, created_at, id), with the column of
// Only after Owner.
type Listing struct {
	Table string
	Owner string // the column of the owner's id
	Only  string // a condition on one column, such as "liked = 1"; "" for all rows
}

// Pages returns the same page of the list of each owner, with one statement for up to 400 owners. convert returns the
// page of an owner's rows, also if there are no rows.
func Pages[T Row, P any](db *gorm.DB, list Listing, owners []int64, p *page.Page, convert func(Rows[T]) P) (map[int64]P, error) {
	pages := make(map[int64]P, len(owners))
	for chunk := range slices.Chunk(distinct(owners), maxUnion) {
		query, values := list.query(chunk, p)
		var rows []T
		if err := db.Raw(query, values...).Scan(&rows).Error; err != nil {
			return nil, fmt.Errorf("list %s by %s: %w", list.Table, list.Owner, err)
		}
		sortRows(rows)
		for _, owner := range chunk { // in ascending order, as the rows
			n := slices.IndexFunc(rows, func(r T) bool { o, _, _ := r.Position(); return o != owner })
			if n < 0 {
				n = len(rows)
			}
			pages[owner] = convert(Cut(rows[:n:n], int(p.Limit)))
			rows = rows[n:]
		}
	}
	return pages, nil
}

// query reads one row more than a page from each list, to find out whether there are more. Each part of the union reads
// its own range of the index and stops.
func (l Listing) query(owners []int64, p *page.Page) (string, []any) {
	after, afterValues := After(p.After)
	if l.Only != "" {
		after = l.Only + " AND " + after
	}
	one := fmt.Sprintf("SELECT * FROM %s WHERE %s = ? AND %s ORDER BY created_at DESC, id DESC LIMIT ?", l.Table, l.Owner, after)
	parts := make([]string, len(owners))
	var values []any
	for i, owner := range owners {
		parts[i] = fmt.Sprintf("SELECT * FROM (%s) AS t%d", one, i)
		values = append(values, owner)
		values = append(values, afterValues...)
		values = append(values, p.Limit+1)
	}
	if len(owners) == 1 {
		return one, values
	}
	return strings.Join(parts, " UNION ALL "), values
}

// After returns the condition that rows come after the cursor, and its values. Without a cursor it is always true. With
// OR alone, or with row values, one of the databases scans.
func After(cursor *page.Cursor) (string, []any) {
	if cursor == nil {
		return "1 = 1", nil
	}
	return "created_at <= ? AND (created_at < ? OR id < ?)", []any{cursor.CreatedAt, cursor.CreatedAt, cursor.ID}
}

// Cut returns a page of at most limit rows from limit+1 rows.
func Cut[T any](rows []T, limit int) Rows[T] {
	if len(rows) > limit {
		return Rows[T]{Rows: rows[:limit], HasMore: true}
	}
	return Rows[T]{Rows: rows}
}

// sortRows sorts rows by owner and position. A union has no order.
func sortRows[T Row](rows []T) {
	slices.SortFunc(rows, func(a, b T) int {
		aOwner, aTime, aID := a.Position()
		bOwner, bTime, bID := b.Position()
		return cmp.Or(cmp.Compare(aOwner, bOwner), cmp.Compare(bTime, aTime), cmp.Compare(bID, aID))
	})
}

func distinct(ids []int64) []int64 {
	ids = slices.Clone(ids) // the caller may share them
	slices.Sort(ids)
	return slices.Compact(ids)
}
