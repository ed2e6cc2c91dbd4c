package interaction

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"gorm.io/gorm"

	"minidouyin/services/internal/database"
)

// Difference is a count that does not equal the rows it counts.
type Difference struct {
	Table, Column string
	Key           int64 // the video or user
	Stored, Rows  int64
}

// counted is what one count should be, and how to find out.
type counted struct {
	table, key, column string
	// rows counts them by key, for the keys after one and up to another.
	rows string
}

// countedColumns is everything that is counted. One statement reads rows as they are at one moment, and counts change in the
// transactions of their rows: so a difference is no change that is under way.
var countedColumns = []counted{
	{"video_stats", "video_id", "like_count", "SELECT video_id AS id, COUNT(*) AS n FROM likes WHERE liked = 1 AND video_id > ? AND video_id <= ? GROUP BY video_id"},
	{"video_stats", "video_id", "comment_count", "SELECT video_id AS id, COUNT(*) AS n FROM comments WHERE video_id > ? AND video_id <= ? GROUP BY video_id"},
	{"user_like_stats", "user_id", "given_count", "SELECT user_id AS id, COUNT(*) AS n FROM likes WHERE liked = 1 AND user_id > ? AND user_id <= ? GROUP BY user_id"},
	// No index leads to the likes of an author, which nothing else needs: each batch reads all likes.
	{"user_like_stats", "user_id", "received_count", "SELECT author_id AS id, COUNT(*) AS n FROM likes WHERE liked = 1 AND author_id > ? AND author_id <= ? GROUP BY author_id"},
}

// reconcileBatch is how many keys one statement compares: so much is held in memory.
const reconcileBatch = 5000

// Reconcile compares all counts with the rows that they count and reports each that differs. With fix, it puts them
// right. It may run while the service does.
func Reconcile(ctx context.Context, db *database.DB, fix bool, report func(Difference)) error {
	s := &store{db: db}
	for _, c := range countedColumns {
		err := s.reconcile(ctx, c, fix, report)
		if err != nil {
			return fmt.Errorf("reconcile %s.%s: %w", c.table, c.column, err)
		}
	}
	return nil
}

func (s *store) reconcile(ctx context.Context, c counted, fix bool, report func(Difference)) error {
	for from := int64(0); ; {
		to, more, err := s.nextKeys(ctx, c, from)
		if err != nil {
			return err
		}
		found, err := s.differences(s.db.Read(ctx), c, from, to)
		if err != nil {
			return err
		}
		for _, d := range found {
			report(d)
			if !fix {
				continue
			}
			if err := s.repair(ctx, c, d.Key); err != nil {
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
func (s *store) nextKeys(ctx context.Context, c counted, from int64) (to int64, more bool, err error) {
	var keys []int64
	err = s.db.Read(ctx).Raw("SELECT "+c.key+" FROM "+c.table+" WHERE "+c.key+" > ? ORDER BY "+c.key+" LIMIT 1 OFFSET ?",
		from, reconcileBatch-1).Scan(&keys).Error
	if err != nil || len(keys) == 0 {
		const last = 1<<63 - 1
		return last, false, err
	}
	return keys[0], true, nil
}

// differences compares the counts of the keys after from and up to to, by one statement.
func (s *store) differences(db *gorm.DB, c counted, from, to int64) ([]Difference, error) {
	var found []struct {
		ID, Stored, Counted int64
	}
	err := db.Raw("SELECT id, SUM(stored) AS stored, SUM(n) AS counted FROM ("+
		"SELECT "+c.key+" AS id, "+c.column+" AS stored, 0 AS n FROM "+c.table+" WHERE "+c.key+" > ? AND "+c.key+" <= ? "+
		"UNION ALL SELECT id, 0 AS stored, n FROM ("+c.rows+") AS counted_rows) AS both_sides "+
		"GROUP BY id HAVING SUM(stored) <> SUM(n)", from, to, from, to).Scan(&found).Error
	if err != nil {
		return nil, err
	}
	differences := make(map[int64]Difference, len(found))
	for _, d := range found {
		differences[d.ID] = Difference{c.table, c.column, d.ID, d.Stored, d.Counted}
	}
	sorted := make([]Difference, 0, len(found))
	for _, id := range slices.Sorted(maps.Keys(differences)) {
		sorted = append(sorted, differences[id])
	}
	return sorted, nil
}

// repair puts one count right. It holds the count's row, so that nobody changes it from the comparison on, and adds
// what is missing.
func (s *store) repair(ctx context.Context, c counted, key int64) error {
	return s.db.Write(ctx, func(tx *gorm.DB) error {
		if err := s.hold(tx, c, key); err != nil {
			return err
		}
		found, err := s.differences(tx, c, key-1, key)
		if err != nil || len(found) == 0 {
			return err
		}
		return tx.Exec("UPDATE "+c.table+" SET "+c.column+" = "+c.column+" + ? WHERE "+c.key+" = ?",
			found[0].Rows-found[0].Stored, key).Error
	})
}

// hold locks the row of counts, which it makes when there is none, by adding nothing to it.
func (s *store) hold(tx *gorm.DB, c counted, key int64) error {
	if c.table == "video_stats" {
		return tx.Clauses(adding(tx, "video_id", "like_count")).Create(&videoStats{VideoID: key}).Error
	}
	return tx.Clauses(adding(tx, "user_id", "given_count")).Create(&userStats{UserID: key}).Error
}
