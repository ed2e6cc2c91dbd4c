package social

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/services/internal/database"
)

type follow struct {
	ID        int64 `gorm:"primaryKey;index:follows_from,priority:3;index:follows_to,priority:3"`
	FromID    int64 `gorm:"not null;uniqueIndex:follows_from_to,priority:1;index:follows_from,priority:1"`
	ToID      int64 `gorm:"not null;uniqueIndex:follows_from_to,priority:2;index:follows_to,priority:1"`
	CreatedAt int64 `gorm:"not null;autoCreateTime:false;index:follows_from,priority:2;index:follows_to,priority:2"`
}

// following is a follow in the list of the user who follows.
type following follow

// Place implements [database.Row].
func (f following) Place() (owner, createdAt, id int64) { return f.FromID, f.CreatedAt, f.ID }

// follower is a follow in the list of the user who is followed.
type follower follow

// Place implements [database.Row].
func (f follower) Place() (owner, createdAt, id int64) { return f.ToID, f.CreatedAt, f.ID }

// relationStats counts whom a user follows and who follows the user. The counts change in the transaction that
// changes the follows, so they are exact; no row means zero.
type relationStats struct {
	UserID         int64 `gorm:"primaryKey;autoIncrement:false"`
	FollowingCount int64 `gorm:"not null"`
	FollowerCount  int64 `gorm:"not null"`
}

// TableName implements gorm's Tabler.
func (relationStats) TableName() string { return "relation_stats" }

// tables keeps follows and messages in the database. Every transaction touches follows first, then relation_stats in
// the order of its key: so few of them meet in a deadlock.
type tables struct {
	db *database.DB
}

func now() int64 { return time.Now().UnixMilli() }

// follow stores that from follows to, once.
func (s *tables) follow(ctx context.Context, from, to int64) error {
	err := s.db.Write(ctx, func(tx *gorm.DB) error {
		f := follow{FromID: from, ToID: to, CreatedAt: now()}
		created := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&f)
		if created.Error != nil || created.RowsAffected == 0 {
			return created.Error
		}
		return count(tx, []follow{f}, 1)
	})
	if err != nil {
		return fmt.Errorf("follow: %w", err)
	}
	return nil
}

// unfollow deletes the follow, if there is one.
func (s *tables) unfollow(ctx context.Context, from, to int64) error {
	err := s.db.Write(ctx, func(tx *gorm.DB) error {
		_, err := deleteFollows(tx, tx.Where("from_id = ? AND to_id = ?", from, to))
		return err
	})
	if err != nil {
		return fmt.Errorf("unfollow: %w", err)
	}
	return nil
}

// deleteFollows deletes the follows that the query finds, takes them off the counts and returns them.
func deleteFollows(tx, query *gorm.DB) ([]follow, error) {
	var found []follow
	if err := database.Locked(query).Find(&found).Error; err != nil || len(found) == 0 {
		return nil, err
	}
	if err := tx.Delete(&found).Error; err != nil {
		return nil, err
	}
	return found, count(tx, found, -1)
}

// count adds n to the counts of both sides of each follow, by one statement.
func count(tx *gorm.DB, follows []follow, n int64) error {
	stats := map[int64]relationStats{}
	for _, f := range follows {
		from := stats[f.FromID]
		from.UserID, from.FollowingCount = f.FromID, from.FollowingCount+n
		stats[f.FromID] = from
		to := stats[f.ToID]
		to.UserID, to.FollowerCount = f.ToID, to.FollowerCount+n
		stats[f.ToID] = to
	}
	rows := slices.SortedFunc(maps.Values(stats), func(a, b relationStats) int { return cmp.Compare(a.UserID, b.UserID) })
	conflict := clause.OnConflict{Columns: []clause.Column{{Name: "user_id"}}}
	for _, column := range []string{"following_count", "follower_count"} {
		conflict.DoUpdates = append(conflict.DoUpdates, clause.Assignment{
			Column: clause.Column{Name: column},
			Value:  gorm.Expr(column + " + " + database.Excluded(tx, column)),
		})
	}
	return tx.Clauses(conflict).Create(&rows).Error
}

// following returns a page of those whom each user follows, latest first; an empty one where there is nobody.
func (s *tables) following(ctx context.Context, users []int64, p *page.Page) (map[int64]*social.FollowPage, error) {
	found, err := database.Pages[following](s.db.ReadAfter(ctx, p.After), database.Listing{Table: "follows", Owner: "from_id"}, users, p)
	return followPages(users, found), err
}

// followers returns a page of those who follow each user, latest first; an empty one where there is nobody.
func (s *tables) followers(ctx context.Context, users []int64, p *page.Page) (map[int64]*social.FollowPage, error) {
	found, err := database.Pages[follower](s.db.ReadAfter(ctx, p.After), database.Listing{Table: "follows", Owner: "to_id"}, users, p)
	return followPages(users, found), err
}

func followPages[T interface{ wire() *social.FollowEdge }](users []int64, found map[int64]database.Rows[T]) map[int64]*social.FollowPage {
	pages := make(map[int64]*social.FollowPage, len(users))
	for _, id := range users {
		pages[id] = followPage(found[id])
	}
	return pages
}

func followPage[T interface{ wire() *social.FollowEdge }](rows database.Rows[T]) *social.FollowPage {
	edges := make([]*social.FollowEdge, len(rows.Rows))
	for i := range rows.Rows {
		edges[i] = rows.Rows[i].wire()
	}
	return &social.FollowPage{Edges: edges, HasMore: rows.HasMore}
}

// friends returns a page of those whom the user follows and who follow the user, latest followed first.
func (s *tables) friends(ctx context.Context, userID int64, p *page.Page) (*social.FollowPage, error) {
	after, place := database.After(p.After)
	values := append([]any{userID}, place...)
	var found []following
	// A plain join may be begun from the other end and sorted; this walks the user's list and stops at the limit.
	err := s.db.ReadAfter(ctx, p.After).Raw(`SELECT * FROM follows WHERE from_id = ? AND `+after+`
		AND (SELECT back.id FROM follows AS back WHERE back.from_id = follows.to_id AND back.to_id = follows.from_id) IS NOT NULL
		ORDER BY created_at DESC, id DESC LIMIT ?`, append(values, p.Limit+1)...).Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("list friends: %w", err)
	}
	return followPage(database.Cut(found, int(p.Limit))), nil
}

// viewedStats are the counts of a user with whether the viewer follows the user.
type viewedStats struct {
	UserID, FollowingCount, FollowerCount int64
	Followed                              bool
}

// stats returns the counts of every user asked for, zeros for those nobody follows, as the viewer sees them.
func (s *tables) stats(ctx context.Context, viewer int64, users []int64) (map[int64]*social.RelationStats, error) {
	stats := make(map[int64]*social.RelationStats, len(users))
	if len(users) == 0 {
		return stats, nil
	}
	for _, id := range users {
		stats[id] = &social.RelationStats{}
	}
	var found []viewedStats
	err := s.db.Read(ctx).Raw(`SELECT user_id, following_count, follower_count,
		EXISTS (SELECT 1 FROM follows WHERE follows.from_id = ? AND follows.to_id = relation_stats.user_id) AS followed
		FROM relation_stats WHERE user_id IN ?`, viewer, users).Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("get relation stats: %w", err)
	}
	for _, f := range found {
		stats[f.UserID] = &social.RelationStats{
			FollowingCount: f.FollowingCount, FollowerCount: f.FollowerCount, FollowedByViewer: f.Followed}
	}
	return stats, nil
}

func (f following) wire() *social.FollowEdge {
	return &social.FollowEdge{ID: f.ID, UserID: f.ToID, CreatedAt: f.CreatedAt}
}

func (f follower) wire() *social.FollowEdge {
	return &social.FollowEdge{ID: f.ID, UserID: f.FromID, CreatedAt: f.CreatedAt}
}
