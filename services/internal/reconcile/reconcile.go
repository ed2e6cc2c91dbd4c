// Package reconcile compares the counts of a service with the number of their rows, and repairs them.
package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"minidouyin/services/internal/database"
)

// Count is a column with a count. The transactions that change its rows must change it too.
type Count struct {
	Table, Key, Column string
	// Rows is a query for the number of rows of each key, as id and n. Its placeholders are the range of keys, excluding the
	// first.
	Rows string
	// Others are the other columns that a new row of counts needs. Nil means that no row is created: Rows has no keys
	// without one.
	Others []string
}

// Difference is a count that differs from the number of its rows.
type Difference struct {
	Table, Column string
	Key           int64 // of the row, such as the id of a video
	Stored, Rows  int64
}

// batch is how many keys one statement compares. It bounds the memory.
const batch = 5000

// Run compares the counts with their rows and reports each difference. With fix, it repairs them. The service may run
// meanwhile: one statement reads one state of the database, so a change in progress is no difference.
func Run(ctx context.Context, db *database.DB, counts []Count, fix bool, report func(Difference)) error {
	for _, c := range counts {
		if err := c.run(ctx, db, fix, report); err != nil {
			return fmt.Errorf("reconcile %s.%s: %w", c.Table, c.Column, err)
		}
	}
	return nil
}

func (c Count) run(ctx context.Context, db *database.DB, fix bool, report func(Difference)) error {
	for from := int64(0); ; {
		to, more, err := c.nextKeys(db.Read(ctx), from)
		if err != nil {
			return err
		}
		found, err := c.differences(db.Read(ctx), from, to)
		if err != nil {
			return err
		}
		for _, d := range found {
			report(d)
			if !fix {
				continue
			}
			if err := db.Write(ctx, func(tx *gorm.DB) error { return c.repair(tx, d.Key) }); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		from = to
	}
}

// nextKeys returns the last key of the batch that begins after from, and whether there are more. A key without counts
// falls between keys with counts. The last batch has all remaining keys.
func (c Count) nextKeys(db *gorm.DB, from int64) (to int64, more bool, err error) {
	var keys []int64
	err = db.Table(c.Table).Where(c.Key+" > ?", from).Order(c.Key).Offset(batch-1).Limit(1).Pluck(c.Key, &keys).Error
	if err != nil || len(keys) == 0 {
		const last = 1<<63 - 1
		return last, false, err
	}
	return keys[0], true, nil
}

// differences compares the counts of the keys after from and up to to, with one statement.
func (c Count) differences(db *gorm.DB, from, to int64) ([]Difference, error) {
	var found []struct {
		ID, Kept, Counted int64
	}
	err := db.Raw("SELECT both_sides.id AS id, SUM(kept) AS kept, SUM(n) AS counted FROM ("+
		"SELECT "+c.Key+" AS id, "+c.Column+" AS kept, 0 AS n FROM "+c.Table+" WHERE "+c.Key+" > ? AND "+c.Key+" <= ? "+
		"UNION ALL SELECT id, 0 AS kept, n FROM ("+c.Rows+") AS counted_rows) AS both_sides "+
		"GROUP BY both_sides.id HAVING SUM(kept) <> SUM(n)", from, to, from, to).Scan(&found).Error
	differences := make([]Difference, len(found))
	for i, d := range found {
		differences[i] = Difference{c.Table, c.Column, d.ID, d.Kept, d.Counted}
	}
	slices.SortFunc(differences, func(a, b Difference) int { return cmp.Compare(a.Key, b.Key) })
	return differences, err
}

// repair repairs one count. It locks the row of the count, so that nothing changes it after the comparison, and adds
// the difference.
func (c Count) repair(tx *gorm.DB, key int64) error {
	if err := c.lock(tx, key); err != nil {
		return err
	}
	found, err := c.differences(tx, key-1, key)
	if err != nil || len(found) == 0 {
		return err
	}
	return tx.Exec("UPDATE "+c.Table+" SET "+c.Column+" = "+c.Column+" + ? WHERE "+c.Key+" = ?", found[0].Rows-found[0].Stored, key).Error
}

// lock locks the row of counts. It creates a missing one if Others is set.
func (c Count) lock(tx *gorm.DB, key int64) error {
	if c.Others != nil {
		row := map[string]any{c.Key: key, c.Column: 0}
		for _, other := range c.Others {
			row[other] = 0
		}
		keep := clause.OnConflict{Columns: []clause.Column{{Name: c.Key}}, DoUpdates: clause.Assignments(map[string]any{c.Key: gorm.Expr(c.Key)})}
		if err := tx.Table(c.Table).Clauses(keep).Create(row).Error; err != nil {
			return err
		}
	}
	var locked []int64
	return database.Locked(tx.Table(c.Table)).Where(c.Key+" = ?", key).Pluck(c.Key, &locked).Error
}
