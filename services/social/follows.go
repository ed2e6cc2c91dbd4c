package social

import (
	"context"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/database"
)

type follow struct {
	ID        int64 `gorm:"primaryKey;index:follows_from,priority:3;index:follows_to,priority:3"`
	FromID    int64 `gorm:"not null;uniqueIndex:follows_from_to,priority:1;index:follows_from,priority:1"`
	ToID      int64 `gorm:"not null;uniqueIndex:follows_from_to,priority:2;index:follows_to,priority:1"`
	CreatedAt int64 `gorm:"not null;autoCreateTime:false;index:follows_from,priority:2;index:follows_to,priority:2"`
}

// following is a follow in the list of its follower.
type following follow

// Position implements [database.Row].
func (f following) Position() (owner, createdAt, id int64) { return f.FromID, f.CreatedAt, f.ID }

func (f following) wire() *social.FollowEdge {
	return &social.FollowEdge{ID: f.ID, UserID: f.ToID, CreatedAt: f.CreatedAt}
}

// follower is a follow in the list of the followed user.
type follower follow

// Position implements [database.Row].
func (f follower) Position() (owner, createdAt, id int64) { return f.ToID, f.CreatedAt, f.ID }

func (f follower) wire() *social.FollowEdge {
	return &social.FollowEdge{ID: f.ID, UserID: f.FromID, CreatedAt: f.CreatedAt}
}

// maxCachedFollows is how many rows of a list are cached, the latest.
const maxCachedFollows = 1000

// follow stores that from follows to. It changes nothing if from does already.
func (s *store) follow(ctx context.Context, from, to int64) error {
	err := s.write(ctx, func(tx *gorm.DB, _ cache.Also) error {
		f := follow{FromID: from, ToID: to, CreatedAt: now()}
		created := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&f)
		if created.Error != nil || created.RowsAffected == 0 {
			return created.Error
		}
		return count(tx, []follow{f}, 1)
	}, s.caches.followKeys(from, to)...)
	if err != nil {
		return fmt.Errorf("follow: %w", err)
	}
	return nil
}

// unfollow deletes the follow, if it exists.
func (s *store) unfollow(ctx context.Context, from, to int64) error {
	err := s.write(ctx, func(tx *gorm.DB, _ cache.Also) error {
		_, err := deleteFollows(tx, tx.Where("from_id = ? AND to_id = ?", from, to))
		return err
	}, s.caches.followKeys(from, to)...)
	if err != nil {
		return fmt.Errorf("unfollow: %w", err)
	}
	return nil
}

// deleteFollows deletes the follows that the query finds, subtracts them from the counts and returns them.
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

// following returns a page of the users whom each user follows, latest first. It is empty for a user who follows nobody.
func (s *store) following(ctx context.Context, users []int64, p *page.Page) (map[int64]*social.FollowPage, error) {
	return cache.Pages(ctx, s.caches.following, users, p, maxCachedFollows, cutFollows, s.readFollowing)
}

func (s *store) readFollowing(ctx context.Context, users []int64, p *page.Page) (map[int64]*social.FollowPage, error) {
	return database.Pages(s.db.ReadAfter(ctx, p.After), database.Listing{Table: "follows", Owner: "from_id"}, users, p, followPage[following])
}

// followers returns a page of the users who follow each user, latest first. It is empty for a user whom nobody follows.
func (s *store) followers(ctx context.Context, users []int64, p *page.Page) (map[int64]*social.FollowPage, error) {
	return cache.Pages(ctx, s.caches.followers, users, p, maxCachedFollows, cutFollows, s.readFollowers)
}

func (s *store) readFollowers(ctx context.Context, users []int64, p *page.Page) (map[int64]*social.FollowPage, error) {
	return database.Pages(s.db.ReadAfter(ctx, p.After), database.Listing{Table: "follows", Owner: "to_id"}, users, p, followPage[follower])
}

func followPage[T interface{ wire() *social.FollowEdge }](rows database.Rows[T]) *social.FollowPage {
	edges := make([]*social.FollowEdge, len(rows.Rows))
	for i := range rows.Rows {
		edges[i] = rows.Rows[i].wire()
	}
	return &social.FollowPage{Edges: edges, HasMore: rows.HasMore}
}

func cutFollows(prefix *social.FollowPage, p *page.Page) (*social.FollowPage, bool) {
	position := func(e *social.FollowEdge) (createdAt, id int64) { return e.CreatedAt, e.ID }
	edges, more, ok := cache.Cut(prefix.Edges, prefix.HasMore, position, p)
	return &social.FollowPage{Edges: edges, HasMore: more}, ok
}

// friends returns a page of the users whom the user follows and who follow back, latest followed first.
func (s *store) friends(ctx context.Context, userID int64, p *page.Page) (*social.FollowPage, error) {
	found, err := cache.Pages(ctx, s.caches.friends, []int64{userID}, p, maxCachedFollows, cutFollows,
		func(ctx context.Context, _ []int64, p *page.Page) (map[int64]*social.FollowPage, error) {
			friends, err := s.readFriends(ctx, userID, p)
			return map[int64]*social.FollowPage{userID: friends}, err
		})
	return found[userID], err
}

func (s *store) readFriends(ctx context.Context, userID int64, p *page.Page) (*social.FollowPage, error) {
	after, afterValues := database.After(p.After)
	values := append([]any{userID}, afterValues...)
	var found []following
	// The database may start a plain join from the other end, and sort. This walks the user's list and stops at the limit.
	err := s.db.ReadAfter(ctx, p.After).Raw(`SELECT * FROM follows WHERE from_id = ? AND `+after+`
		AND (SELECT back.id FROM follows AS back WHERE back.from_id = follows.to_id AND back.to_id = follows.from_id) IS NOT NULL
		ORDER BY created_at DESC, id DESC LIMIT ?`, append(values, p.Limit+1)...).Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("list friends: %w", err)
	}
	return followPage(database.Cut(found, int(p.Limit))), nil
}
