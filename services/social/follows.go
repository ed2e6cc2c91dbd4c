package social

import (
	"context"
	"fmt"
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

func (f following) wire() *social.FollowEdge {
	return &social.FollowEdge{ID: f.ID, UserID: f.ToID, CreatedAt: f.CreatedAt}
}

func (f follower) wire() *social.FollowEdge {
	return &social.FollowEdge{ID: f.ID, UserID: f.FromID, CreatedAt: f.CreatedAt}
}
