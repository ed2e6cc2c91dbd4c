package social

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/services/internal/database"
)

// relationStats are the counts of users whom a user follows and who follow the user. The transaction that changes
// follows also changes the counts, so they are exact. A missing row means zero.
type relationStats struct {
	UserID         int64 `gorm:"primaryKey;autoIncrement:false"`
	FollowingCount int64 `gorm:"not null"`
	FollowerCount  int64 `gorm:"not null"`
}

// TableName implements gorm's Tabler.
func (relationStats) TableName() string { return "relation_stats" }

// count adds n to the counts of both users of each follow, with one statement.
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
	return tx.Clauses(database.Adding(tx, "user_id", "following_count", "follower_count")).Create(&rows).Error
}

// stats returns the counts of every user, zeros for users without follows, and whether the viewer follows the user.
// 0 is an anonymous viewer.
func (s *store) stats(ctx context.Context, viewer int64, users []int64) (map[int64]*social.RelationStats, error) {
	if s.caches.store == nil {
		return s.readStats(ctx, viewer, users)
	}
	counts, err := s.caches.stats.Get(ctx, users, func(ctx context.Context, users []int64) (map[int64]*social.RelationStats, error) {
		return s.readStats(ctx, 0, users)
	})
	if err != nil || viewer == 0 || len(users) == 0 {
		return counts, err
	}
	lists, err := s.following(ctx, []int64{viewer}, &page.Page{Limit: maxCachedFollows})
	if err != nil {
		return nil, err
	}
	follows := make(map[int64]bool, len(lists[viewer].Edges))
	for _, e := range lists[viewer].Edges {
		follows[e.UserID] = true
	}
	stats := make(map[int64]*social.RelationStats, len(counts)) // cached values are shared
	for id, count := range counts {
		if !follows[id] && lists[viewer].HasMore { // beyond the cached prefix
			return s.readStats(ctx, viewer, users)
		}
		viewed := *count
		viewed.FollowedByViewer = follows[id]
		stats[id] = &viewed
	}
	return stats, nil
}

func (s *store) readStats(ctx context.Context, viewer int64, users []int64) (map[int64]*social.RelationStats, error) {
	stats := make(map[int64]*social.RelationStats, len(users))
	if len(users) == 0 {
		return stats, nil
	}
	for _, id := range users {
		stats[id] = &social.RelationStats{}
	}
	var found []struct {
		UserID, FollowingCount, FollowerCount int64
		Followed                              bool
	}
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
