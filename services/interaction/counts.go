package interaction

import (
	"context"

	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/services/internal/cache"
)

// counts are the caches of the counts. The database alone changes them: what is kept here is deleted after a commit.
type counts struct {
	cache  cache.Store
	videos *cache.Cache[int64, *interaction.VideoStats]
	users  *cache.Cache[int64, *interaction.UserLikeStats]
}

func openCounts(s cache.Store) *counts {
	return &counts{
		cache: s,
		videos: cache.New(s, cache.Config[int64, *interaction.VideoStats]{
			Name: "interaction:v2", Key: cache.ID, New: interaction.NewVideoStats, TTL: cache.MaxTTL}),
		users: cache.New(s, cache.Config[int64, *interaction.UserLikeStats]{
			Name: "interaction:u2", Key: cache.ID, New: interaction.NewUserLikeStats, TTL: cache.MaxTTL}),
	}
}

// of returns the counts of the videos without a viewer.
func (c *counts) of(ctx context.Context, s *store, videos []int64) (map[int64]*interaction.VideoStats, error) {
	return c.videos.Get(ctx, videos, func(ctx context.Context, missing []int64) (map[int64]*interaction.VideoStats, error) {
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
	c.cache.Delete(context.WithoutCancel(ctx), keys...)
}
