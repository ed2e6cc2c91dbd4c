package interaction

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services/internal/database"
)

// like says whether a user likes a video. It keeps the video's author, so that taking it back needs nothing from
// elsewhere.
//
// A like that was taken back stays as a row that is not liked: its version is what an older entry of the log loses
// against, however late that comes. There is at most one row for a pair, and purges take them; so none is ever
// pruned, which would need the proof that no process still holds an older entry.
type like struct {
	ID        int64 `gorm:"primaryKey;index:likes_user_liked,priority:4;index:likes_video,priority:2"`
	UserID    int64 `gorm:"not null;uniqueIndex:likes_user_video,priority:1;index:likes_user_liked,priority:1"`
	VideoID   int64 `gorm:"not null;uniqueIndex:likes_user_video,priority:2;index:likes_video,priority:1"`
	AuthorID  int64 `gorm:"not null"` // 0 only where the video was never liked
	CreatedAt int64 `gorm:"not null;autoCreateTime:false;index:likes_user_liked,priority:3"`
	Liked     int8  `gorm:"not null;index:likes_user_liked,priority:2"`
	Version   int64 `gorm:"not null"`
	// Delta is what the last change to the row added to the counts: 1, 0 or -1. The transaction of the change alone
	// reads it.
	Delta int8 `gorm:"not null"`
}

// Place implements [database.Row]: a like stands in the list of the user who gave it.
func (l like) Place() (owner, createdAt, id int64) { return l.UserID, l.CreatedAt, l.ID }

func (l *like) wire() *interaction.Like {
	return &interaction.Like{ID: l.ID, VideoID: l.VideoID, CreatedAt: l.CreatedAt}
}

func (l like) pair() pair { return pair{l.UserID, l.VideoID} }

// pair is what can be liked once.
type pair struct{ UserID, VideoID int64 }

// change is that a user likes a video or takes that back. AuthorID is 0 where it is taken back.
type change struct {
	pair
	AuthorID int64
	Liked    bool
}

// versioned is a change with its place among all changes of the pair.
type versioned struct {
	change
	version int64
}

// maxChanges is how many changes one transaction makes. MariaDB plans longer lists of pairs in another way.
const maxChanges = 500

// apply makes the changes, at most one for a pair, in one transaction. It returns their rows, as they are then. A
// change that is not newer than the row adds nothing, so it may be repeated; with newest, each is made newer than its
// row.
func (s *store) apply(ctx context.Context, changes []versioned, newest bool) (rows []like, err error) {
	slices.SortFunc(changes, func(a, b versioned) int { return a.compare(b.pair) })
	var covered int64
	err = s.db.Write(ctx, func(tx *gorm.DB) (err error) {
		if covered, err = s.reserve(tx, changes); err != nil {
			return err
		}
		sql, values := upsert(tx, changes, newest)
		if err := tx.Exec(sql, values...).Error; err != nil {
			return err
		}
		if rows, err = changedRows(tx, changes); err != nil {
			return err
		}
		counts := newTally()
		for _, l := range rows {
			if l.Delta != 0 {
				counts.likes(int64(l.Delta), l)
			}
		}
		return counts.add(tx)
	})
	if err == nil {
		s.reserved.Store(covered) // an older value only costs another look
	}
	return rows, err
}

// upsert inserts the rows; a row that is there already takes what is newer, and notes what that adds to the counts.
// MySQL assigns from left to right: delta needs the old state, and all need the old version.
func upsert(tx *gorm.DB, changes []versioned, newest bool) (string, []any) {
	newer := database.Excluded(tx, "version") + " > likes.version"
	version := "CASE WHEN " + newer + " THEN " + database.Excluded(tx, "version") + " ELSE likes.version END"
	if newest {
		newer = "1 = 1"
		version = "CASE WHEN " + database.Excluded(tx, "version") + " > likes.version THEN " + database.Excluded(tx, "version") +
			" ELSE likes.version + 1 END"
	}
	when := func(condition, column string) string {
		return column + " = CASE WHEN " + newer + condition + " THEN " + database.Excluded(tx, column) + " ELSE likes." + column + " END, "
	}
	var sql strings.Builder
	sql.WriteString("INSERT INTO likes (user_id, video_id, author_id, created_at, liked, version, delta) VALUES ")
	values := make([]any, 0, 7*len(changes))
	latest := now() // versions may be ahead of the clock for a moment, times may not
	for i, c := range changes {
		if i > 0 {
			sql.WriteByte(',')
		}
		sql.WriteString("(?,?,?,?,?,?,?)")
		liked := int64(0)
		if c.Liked {
			liked = 1
		}
		values = append(values, c.UserID, c.VideoID, c.AuthorID, min(c.version>>versionShift, latest), liked, c.version, liked)
	}
	if tx.Name() == "mysql" {
		sql.WriteString(" ON DUPLICATE KEY UPDATE ")
	} else {
		sql.WriteString(" ON CONFLICT (user_id, video_id) DO UPDATE SET ")
	}
	sql.WriteString("delta = CASE WHEN " + newer + " THEN " + database.Excluded(tx, "liked") + " - likes.liked ELSE 0 END, ")
	sql.WriteString(when(" AND "+database.Excluded(tx, "author_id")+" <> 0", "author_id"))
	sql.WriteString(when(" AND "+database.Excluded(tx, "liked")+" <> likes.liked", "created_at"))
	sql.WriteString(when("", "liked"))
	sql.WriteString("version = " + version)
	return sql.String(), values
}

// changedRows returns the rows of the changes, as they are now.
func changedRows(tx *gorm.DB, changes []versioned) ([]like, error) {
	values := make([]any, 0, 2*len(changes))
	for _, c := range changes {
		values = append(values, c.UserID, c.VideoID)
	}
	var found []like
	err := tx.Raw("SELECT user_id, video_id, author_id, version, delta FROM likes WHERE (user_id, video_id) IN ("+
		pairList(tx, len(changes))+")", values...).Scan(&found).Error
	return found, err
}

// pairList returns the placeholders of n pairs for the right side of IN.
func pairList(tx *gorm.DB, n int) string {
	list := strings.TrimSuffix(strings.Repeat("(?,?),", n), ",")
	if tx.Name() != "mysql" {
		return "VALUES " + list
	}
	return list
}

func (p pair) compare(other pair) int {
	switch {
	case p == other:
		return 0
	case p.UserID < other.UserID || p.UserID == other.UserID && p.VideoID < other.VideoID:
		return -1
	}
	return 1
}

// reservedAhead is how far beyond the versions in use the reservation reaches, in milliseconds: so many that it is
// rarely moved, so few that the likes after a loss of Redis are not dated far in the future.
const reservedAhead = 2000

// likeVersions has one row: no version that was ever written is above Reserved. What restarts the log begins there,
// even where Redis has lost everything and its clock went back.
type likeVersions struct {
	ID       int64 `gorm:"primaryKey;autoIncrement:false"`
	Reserved int64 `gorm:"not null"`
}

// TableName implements gorm's Tabler.
func (likeVersions) TableName() string { return "like_versions" }

// reserve makes sure that the reservation covers the changes, and returns how far it reaches.
func (s *store) reserve(tx *gorm.DB, changes []versioned) (int64, error) {
	top := slices.MaxFunc(changes, func(a, b versioned) int { return cmp.Compare(a.version, b.version) }).version
	if known := s.reserved.Load(); top <= known {
		return known, nil
	}
	known, err := reserved(tx)
	if err != nil || top <= known {
		return known, err
	}
	known = top + reservedAhead<<versionShift
	column := database.Excluded(tx, "reserved")
	greater := "CASE WHEN " + column + " > like_versions.reserved THEN " + column + " ELSE like_versions.reserved END"
	conflict := clause.OnConflict{Columns: []clause.Column{{Name: "id"}},
		DoUpdates: clause.Assignments(map[string]any{"reserved": gorm.Expr(greater)})}
	return known, tx.Clauses(conflict).Create(&likeVersions{ID: 1, Reserved: known}).Error
}

// reserved returns a version that none written so far is above.
func reserved(tx *gorm.DB) (int64, error) {
	var found []likeVersions
	if err := tx.Where("id = 1").Find(&found).Error; err != nil || len(found) == 0 {
		return 0, err
	}
	return found[0].Reserved, nil
}

// deleteLikes deletes the likes that the query finds, also those taken back, and takes them off the counts. It
// returns them with what it took.
func deleteLikes(tx, query *gorm.DB) ([]like, tally, error) {
	counts := newTally()
	var found []like
	if err := database.Locked(query).Find(&found).Error; err != nil || len(found) == 0 {
		return nil, counts, err
	}
	for _, l := range found {
		if l.Liked == 1 {
			counts.likes(-1, l)
		}
	}
	if err := tx.Delete(&found).Error; err != nil {
		return nil, counts, err
	}
	return found, counts, counts.add(tx)
}

// likedAmong returns which of the videos the user likes.
func (s *store) likedAmong(ctx context.Context, user int64, videos []int64) ([]int64, error) {
	var found []int64
	err := s.db.Read(ctx).Raw("SELECT video_id FROM likes WHERE user_id = ? AND video_id IN ? AND liked = 1", user, videos).Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("get a viewer's likes: %w", err)
	}
	return found, nil
}

// versionOf returns the version of the pair's row, 0 without one.
func (s *store) versionOf(ctx context.Context, p pair) (int64, error) {
	var found []int64
	err := s.db.Read(ctx).Raw("SELECT version FROM likes WHERE user_id = ? AND video_id = ?", p.UserID, p.VideoID).Scan(&found).Error
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return found[0], nil
}

// likesOf returns a page of the likes of each user, latest first.
func (s *store) likesOf(ctx context.Context, users []int64, p *page.Page) (map[int64]database.Rows[like], error) {
	return database.Pages[like](s.db.ReadAfter(ctx, p.After), database.Listing{Table: "likes", Owner: "user_id", Only: "liked = 1"}, users, p)
}
