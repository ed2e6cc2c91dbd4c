// Package reconcile compares counts that a service keeps with the rows that they count.
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

// Count is one kept count and how to find out what it should be. It must change in the transactions of its rows.
type Count struct {
	Table, Key, Column string
	// Rows is a query for the counted rows as id and n, whose keys are above its first placeholder and up to its second.
	Rows string
	// Others are the columns that a new row of counts needs beside this one. Nil means that none is made: Rows counts
	// nothing for keys without one.
	Others []string
}

// Difference is a count that does not equal the rows it counts.
type Difference struct {
	Table, Column string
	Key           int64 // what the count is of, such as a video or user
	Stored, Rows  int64
}

// batch is how many keys one statement compares: so much is held in memory.
const batch = 5000

// Run compares the counts with their rows and reports each that differs. With fix, it puts them right. It may run while
// the service does: one statement reads rows as they are at one moment, so a difference is no change that is under way.
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

// nextKeys returns the last key of a batch that begins after from, and whether there are more. Keys without counts fall
// between those with counts; the last batch has all that follow.
func (c Count) nextKeys(db *gorm.DB, from int64) (to int64, more bool, err error) {
	var keys []int64
	err = db.Table(c.Table).Where(c.Key+" > ?", from).Order(c.Key).Offset(batch-1).Limit(1).Pluck(c.Key, &keys).Error
	if err != nil || len(keys) == 0 {
		const last = 1<<63 - 1
		return last, false, err
	}
	return keys[0], true, nil
}

// differences compares the counts of the keys after from and up to to, by one statement.
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

// repair puts one count right. It holds the count's row, so that nobody changes it from the comparison on, and adds
// what is missing.
func (c Count) repair(tx *gorm.DB, key int64) error {
	if err := c.hold(tx, key); err != nil {
		return err
	}
	found, err := c.differences(tx, key-1, key)
	if err != nil || len(found) == 0 {
		return err
	}
	return tx.Exec("UPDATE "+c.Table+" SET "+c.Column+" = "+c.Column+" + ? WHERE "+c.Key+" = ?", found[0].Rows-found[0].Stored, key).Error
}

// hold locks the row of counts, which it makes when there is none and there may be.
func (c Count) hold(tx *gorm.DB, key int64) error {
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
