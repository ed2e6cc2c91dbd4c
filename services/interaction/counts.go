package interaction

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/services/internal/database"
)

// videoStats are the counts of likes and comments of a video. The transaction that changes rows also changes their counts,
// so counts are exact. A missing row means zero.
type videoStats struct {
	VideoID      int64 `gorm:"primaryKey;autoIncrement:false"`
	LikeCount    int64 `gorm:"not null"`
	CommentCount int64 `gorm:"not null"`
}

// TableName implements gorm's Tabler.
func (videoStats) TableName() string { return "video_stats" }

// userStats are the counts of likes that a user's videos received and that the user gave.
type userStats struct {
	UserID        int64 `gorm:"primaryKey;autoIncrement:false"`
	ReceivedCount int64 `gorm:"not null"`
	GivenCount    int64 `gorm:"not null"`
}

// TableName implements gorm's Tabler.
func (userStats) TableName() string { return "user_like_stats" }

// stats returns the counts of every video, and whether the viewer likes it. 0 is an anonymous viewer.
func (s *store) stats(ctx context.Context, viewer int64, videos []int64) (map[int64]*interaction.VideoStats, error) {
	if s.caches.store == nil {
		return s.readStats(ctx, viewer, videos)
	}
	// The viewer's likes come first: the counts read after them include them.
	liked := map[int64]bool{}
	if viewer != 0 && len(videos) > 0 {
		var err error
		if liked, err = s.liked(ctx, viewer, videos); err != nil {
			return nil, err
		}
	}
	found, err := s.caches.videos.Get(ctx, videos, func(ctx context.Context, videos []int64) (map[int64]*interaction.VideoStats, error) {
		return s.readStats(ctx, 0, videos)
	})
	if err != nil || viewer == 0 {
		return found, err
	}
	stats := make(map[int64]*interaction.VideoStats, len(found)) // cached values are shared
	for id, c := range found {
		stats[id] = &interaction.VideoStats{LikeCount: c.LikeCount, CommentCount: c.CommentCount, LikedByViewer: liked[id]}
	}
	return stats, nil
}

func (s *store) readStats(ctx context.Context, viewer int64, videos []int64) (map[int64]*interaction.VideoStats, error) {
	stats := make(map[int64]*interaction.VideoStats, len(videos))
	if len(videos) == 0 {
		return stats, nil
	}
	for _, id := range videos {
		stats[id] = &interaction.VideoStats{}
	}
	var found []struct {
		VideoID, LikeCount, CommentCount int64
		Liked                            bool
	}
	err := s.db.Read(ctx).Raw(`SELECT video_id, like_count, comment_count,
		EXISTS (SELECT 1 FROM likes WHERE likes.user_id = ? AND likes.video_id = video_stats.video_id AND likes.liked = 1) AS liked
		FROM video_stats WHERE video_id IN ?`, viewer, videos).Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("get video stats: %w", err)
	}
	for _, v := range found {
		stats[v.VideoID] = &interaction.VideoStats{LikeCount: v.LikeCount, CommentCount: v.CommentCount, LikedByViewer: v.Liked}
	}
	return stats, nil
}

// userStats returns the counts of every user.
func (s *store) userStats(ctx context.Context, users []int64) (map[int64]*interaction.UserLikeStats, error) {
	return s.caches.users.Get(ctx, users, s.readUserStats)
}

func (s *store) readUserStats(ctx context.Context, users []int64) (map[int64]*interaction.UserLikeStats, error) {
	stats := make(map[int64]*interaction.UserLikeStats, len(users))
	var found []userStats
	if err := s.db.Read(ctx).Where("user_id IN ?", users).Find(&found).Error; err != nil {
		return nil, fmt.Errorf("get user like stats: %w", err)
	}
	for _, id := range users {
		stats[id] = &interaction.UserLikeStats{}
	}
	for _, u := range found {
		stats[u.UserID] = &interaction.UserLikeStats{ReceivedCount: u.ReceivedCount, GivenCount: u.GivenCount}
	}
	return stats, nil
}

// tally is what a transaction adds to the counts.
type tally struct {
	videos map[int64]videoStats
	users  map[int64]userStats
}

func newTally() tally {
	return tally{videos: map[int64]videoStats{}, users: map[int64]userStats{}}
}

// likes adds n likes, by the user, of the author's video.
func (t tally) likes(n int64, l like) {
	v, author := t.videos[l.VideoID], t.users[l.AuthorID]
	v.VideoID, v.LikeCount = l.VideoID, v.LikeCount+n
	author.UserID, author.ReceivedCount = l.AuthorID, author.ReceivedCount+n
	t.videos[l.VideoID], t.users[l.AuthorID] = v, author
	liker := t.users[l.UserID] // may be the author
	liker.UserID, liker.GivenCount = l.UserID, liker.GivenCount+n
	t.users[l.UserID] = liker
}

// comments adds n comments of the video.
func (t tally) comments(n, videoID int64) {
	v := t.videos[videoID]
	v.VideoID, v.CommentCount = videoID, v.CommentCount+n
	t.videos[videoID] = v
}

// add adds the tally to the counts, with one statement for each table.
func (t tally) add(tx *gorm.DB) error {
	if len(t.videos) > 0 {
		rows := slices.SortedFunc(maps.Values(t.videos), func(a, b videoStats) int { return cmp.Compare(a.VideoID, b.VideoID) })
		if err := tx.Clauses(database.Adding(tx, "video_id", "like_count", "comment_count")).Create(&rows).Error; err != nil {
			return err
		}
	}
	if len(t.users) > 0 {
		rows := slices.SortedFunc(maps.Values(t.users), func(a, b userStats) int { return cmp.Compare(a.UserID, b.UserID) })
		return tx.Clauses(database.Adding(tx, "user_id", "received_count", "given_count")).Create(&rows).Error
	}
	return nil
}

// deleteZeros deletes the rows of the tally whose counts are zero.
func (t tally) deleteZeros(tx *gorm.DB) error {
	if len(t.videos) > 0 {
		zeros := tx.Where("video_id IN ? AND like_count = 0 AND comment_count = 0", slices.Sorted(maps.Keys(t.videos)))
		if err := zeros.Delete(&videoStats{}).Error; err != nil {
			return err
		}
	}
	if len(t.users) > 0 {
		zeros := tx.Where("user_id IN ? AND received_count = 0 AND given_count = 0", slices.Sorted(maps.Keys(t.users)))
		return zeros.Delete(&userStats{}).Error
	}
	return nil
}
