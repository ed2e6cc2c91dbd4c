package social

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"minidouyin/idl/kitex_gen/social"
	"minidouyin/services/internal/database"
)

// relationStats counts whom a user follows and who follows the user. The counts change in the transaction that
// changes the follows, so they are exact; no row means zero.
type relationStats struct {
	UserID         int64 `gorm:"primaryKey;autoIncrement:false"`
	FollowingCount int64 `gorm:"not null"`
	FollowerCount  int64 `gorm:"not null"`
}

// TableName implements gorm's Tabler.
func (relationStats) TableName() string { return "relation_stats" }

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
