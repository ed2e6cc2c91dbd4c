package interaction

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services/interaction/likelog"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/database"
)

// maxCachedLikes is how many likes of a user are cached, the latest.
const maxCachedLikes = 1000

// like is whether a user likes a video. It has the video's author, so that an unlike needs no other service. An unliked
// row stays as a tombstone: its version makes older log entries no-ops. There is at most one row for a pair, and purges
// delete it.
type like struct {
	ID        int64 `gorm:"primaryKey;index:likes_user_liked,priority:4;index:likes_video,priority:2"`
	UserID    int64 `gorm:"not null;uniqueIndex:likes_user_video,priority:1;index:likes_user_liked,priority:1"`
	VideoID   int64 `gorm:"not null;uniqueIndex:likes_user_video,priority:2;index:likes_video,priority:1"`
	AuthorID  int64 `gorm:"not null"` // 0 only where the video was never liked
	CreatedAt int64 `gorm:"not null;autoCreateTime:false;index:likes_user_liked,priority:3"`
	Liked     int8  `gorm:"not null;index:likes_user_liked,priority:2"`
	Version   int64 `gorm:"not null"`
	// Delta is what the last change of the row adds to the counts: 1, 0 or -1. Only the transaction of that change reads it.
	Delta int8 `gorm:"not null"`
}

// Position implements [database.Row]: a like is in the list of its user.
func (l like) Position() (owner, createdAt, id int64) { return l.UserID, l.CreatedAt, l.ID }

func (l *like) wire() *interaction.Like {
	return &interaction.Like{ID: l.ID, VideoID: l.VideoID, CreatedAt: l.CreatedAt}
}

func (l like) pair() likelog.Pair { return likelog.Pair{UserID: l.UserID, VideoID: l.VideoID} }

// order decides which of two changes of a pair wins.
type order bool

const (
	// byCommit is the order of stored likes. The statement gives a change a version above its row's, so the last commit
	// wins, across instances. The version is the clock of the instance, or one above the row's.
	byCommit order = true
	// byVersion is the order of the log. A change whose version is not above its row's changes nothing.
	byVersion order = false
)

// changeLikes writes changes, at most one for a pair, in one transaction, and returns the error of each. A batch that the
// database refuses is split, so that one bad change fails alone.
func (s *store) changeLikes(ctx context.Context, changes []like, by order) []error {
	err := s.changeTogether(ctx, changes, by)
	if err == nil || len(changes) == 1 || ctx.Err() != nil || database.Unavailable(err) {
		return slices.Repeat([]error{err}, len(changes))
	}
	half := len(changes) / 2
	return append(s.changeLikes(ctx, changes[:half], by), s.changeLikes(ctx, changes[half:], by)...)
}

func (s *store) changeTogether(ctx context.Context, changes []like, by order) error {
	changes = slices.SortedFunc(slices.Values(changes), func(a, b like) int {
		return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.VideoID, b.VideoID))
	})
	var keys []string
	if by == byCommit { // the log repeats a write that a crash interrupts
		keys = s.caches.likeKeys(changes)
	}
	reserved := s.reserved.Load()
	err := s.write(ctx, func(tx *gorm.DB, also cache.Also) (err error) {
		if by == byVersion {
			if reserved, err = s.reserve(tx, changes); err != nil {
				return err
			}
		}
		sql, values := upsert(tx, changes, by)
		if err := tx.Exec(sql, values...).Error; err != nil {
			return err
		}
		rows, err := changedRows(tx, changes)
		if err != nil {
			return err
		}
		also(s.caches.likeKeys(rows)...)
		counts := newTally()
		for _, l := range rows {
			if l.Delta != 0 {
				counts.likes(int64(l.Delta), l)
			}
		}
		return counts.add(tx)
	}, keys...)
	if err != nil {
		return fmt.Errorf("write likes: %w", err)
	}
	s.reserved.Store(reserved) // if another batch has stored a higher value, reserve runs once more
	return nil
}

// upsertLikes inserts rows. An existing row is updated if the change wins, and its delta is what that adds to the counts.
// MySQL assigns from left to right: delta needs the old state, and all columns need the old version.
const upsertLikes = `INSERT INTO likes (user_id, video_id, author_id, created_at, liked, version, delta) VALUES {rows} {conflict}
	delta = CASE WHEN {wins} THEN {liked} - likes.liked ELSE 0 END,
	author_id = CASE WHEN {wins} AND {author_id} <> 0 THEN {author_id} ELSE likes.author_id END,
	created_at = CASE WHEN {wins} AND {liked} <> likes.liked THEN {created_at} ELSE likes.created_at END,
	liked = CASE WHEN {wins} THEN {liked} ELSE likes.liked END,
	version = CASE WHEN {version} > likes.version THEN {version} ELSE likes.version + {step} END`

// upsert returns the statement for the changes and its values.
func upsert(tx *gorm.DB, changes []like, by order) (string, []any) {
	wins, step, conflict := database.Excluded(tx, "version")+" > likes.version", "0", "ON CONFLICT (user_id, video_id) DO UPDATE SET"
	if by == byCommit {
		wins, step = "1 = 1", "1"
	}
	if tx.Name() == "mysql" {
		conflict = "ON DUPLICATE KEY UPDATE"
	}
	parts := []string{"{rows}", list("(?,?,?,?,?,?,?)", len(changes)), "{conflict}", conflict, "{wins}", wins, "{step}", step}
	for _, column := range []string{"liked", "author_id", "created_at", "version"} {
		parts = append(parts, "{"+column+"}", database.Excluded(tx, column))
	}
	values := make([]any, 0, 7*len(changes))
	clock := now()
	for _, c := range changes {
		if by == byCommit {
			c.Version = clock << likelog.VersionShift
		}
		// A version of the log may be ahead of the clock, a time may not.
		values = append(values, c.UserID, c.VideoID, c.AuthorID, min(c.Version>>likelog.VersionShift, clock), c.Liked, c.Version, c.Liked)
	}
	return strings.NewReplacer(parts...).Replace(upsertLikes), values
}

func list(item string, n int) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }

// changedRows returns the current rows of the changes.
func changedRows(tx *gorm.DB, changes []like) ([]like, error) {
	values := make([]any, 0, 2*len(changes))
	for _, c := range changes {
		values = append(values, c.UserID, c.VideoID)
	}
	pairs := list("(?,?)", len(changes))
	if tx.Name() != "mysql" {
		pairs = "VALUES " + pairs
	}
	var found []like
	err := tx.Raw("SELECT user_id, video_id, author_id, version, delta FROM likes WHERE (user_id, video_id) IN ("+pairs+")", values...).
		Scan(&found).Error
	return found, err
}

// deleteLikes deletes the likes that the query finds, tombstones too, and subtracts them from the counts. It returns the
// keys of the cached values that change.
func (s *store) deleteLikes(tx, query *gorm.DB) (keys []string, counts tally, err error) {
	counts = newTally()
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
	return s.caches.likeKeys(found), counts, counts.add(tx)
}

// likesOf returns a page of the likes of each user, latest first.
func (s *store) likesOf(ctx context.Context, users []int64, p *page.Page) (map[int64]*interaction.LikePage, error) {
	return database.Pages(s.db.ReadAfter(ctx, p.After), database.Listing{Table: "likes", Owner: "user_id", Only: "liked = 1"}, users, p, likePage)
}

// liked returns which of the videos a user likes. The latest likes are cached, older ones come from the database.
func (s *store) liked(ctx context.Context, user int64, videos []int64) (map[int64]bool, error) {
	latest, _, err := s.caches.likes.One(ctx, user, func(ctx context.Context) (*interaction.LikePage, bool, error) {
		pages, err := s.likesOf(ctx, []int64{user}, &page.Page{Limit: maxCachedLikes})
		return pages[user], true, err
	})
	if err != nil {
		return nil, err
	}
	liked := make(map[int64]bool, len(latest.Likes))
	for _, l := range latest.Likes {
		liked[l.VideoID] = true
	}
	others := slices.DeleteFunc(slices.Clone(videos), func(id int64) bool { return liked[id] })
	if !latest.HasMore || len(others) == 0 {
		return liked, nil
	}
	found, err := s.likedAmong(ctx, user, others)
	for _, id := range found {
		liked[id] = true
	}
	return liked, err
}

func (s *store) likedAmong(ctx context.Context, user int64, videos []int64) (found []int64, err error) {
	err = s.db.Read(ctx).Raw("SELECT video_id FROM likes WHERE user_id = ? AND video_id IN ? AND liked = 1", user, videos).Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("get a viewer's likes: %w", err)
	}
	return found, nil
}

func likePage(rows database.Rows[like]) *interaction.LikePage {
	likes := make([]*interaction.Like, len(rows.Rows))
	for i := range rows.Rows {
		likes[i] = rows.Rows[i].wire()
	}
	return &interaction.LikePage{Likes: likes, HasMore: rows.HasMore}
}
