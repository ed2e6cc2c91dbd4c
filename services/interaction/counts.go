package interaction

import (
	"context"
	"time"

	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/services/internal/cache"
)

// countsTTL is how long counts that nobody changes are kept: those of the videos that people look at stay, the many old
// ones go.
const countsTTL = 10 * time.Minute

// counts are the caches of the counts. The database alone changes them: what is kept here is dropped after a commit.
type counts struct {
	redis  *cache.Redis
	videos *cache.Cache[int64, *interaction.VideoStats]
	// near is the same for visitors, who may see counts of a second ago.
	near  *cache.Cache[int64, *interaction.VideoStats]
	users *cache.Cache[int64, *interaction.UserLikeStats]
}

func openCounts(r *cache.Redis) *counts {
	videos := cache.Config[int64, *interaction.VideoStats]{
		Name: "v1", Key: cache.ID, New: interaction.NewVideoStats, TTL: countsTTL}
	near := videos
	near.Near = true
	return &counts{
		redis: r, videos: cache.New(r, videos), near: cache.New(r, near),
		users: cache.New(r, cache.Config[int64, *interaction.UserLikeStats]{
			Name: "u1", Key: cache.ID, New: interaction.NewUserLikeStats, TTL: countsTTL}),
	}
}

// of returns the counts of the videos; those kept near will do for a visitor.
func (c *counts) of(ctx context.Context, s *store, viewer int64, videos []int64) (map[int64]*interaction.VideoStats, error) {
	from := c.videos
	if viewer == 0 {
		from = c.near
	}
	return from.Get(ctx, videos, func(ctx context.Context, missing []int64) (map[int64]*interaction.VideoStats, error) {
		return s.stats(ctx, 0, missing)
	})
}

func (c *counts) ofUsers(ctx context.Context, s *store, users []int64) (map[int64]*interaction.UserLikeStats, error) {
	return c.users.Get(ctx, users, s.userStats)
}

// drop forgets the counts that the likes are part of.
func (c *counts) drop(ctx context.Context, likes []like) {
	seen := make(map[string]bool, 2*len(likes))
	for _, l := range likes {
		seen[c.videos.Key(l.VideoID)] = true
		seen[c.users.Key(l.UserID)] = true
		if l.AuthorID != 0 {
			seen[c.users.Key(l.AuthorID)] = true
		}
	}
	keys := make([]string, 0, len(seen))
	for key := range seen {
		keys = append(keys, key)
	}
	c.redis.Drop(ctx, keys...)
}
