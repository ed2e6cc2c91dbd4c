package interaction

import (
	"context"

	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/services/internal/cache"
)

// caches hold what the service reads from its database.
type caches struct {
	store  cache.Store // nil caches nothing
	videos *cache.Cache[int64, *interaction.VideoStats]
	users  *cache.Cache[int64, *interaction.UserLikeStats]
	likes  *cache.Cache[int64, *interaction.LikePage] // the latest likes of a user
}

func newCaches(s cache.Store) caches {
	return caches{
		store: s,
		videos: cache.New(s, cache.Config[int64, *interaction.VideoStats]{
			Name: "interaction:v2", Key: cache.ID, New: interaction.NewVideoStats, TTL: cache.MaxTTL}),
		users: cache.New(s, cache.Config[int64, *interaction.UserLikeStats]{
			Name: "interaction:u2", Key: cache.ID, New: interaction.NewUserLikeStats, TTL: cache.MaxTTL}),
		likes: cache.New(s, cache.Config[int64, *interaction.LikePage]{
			Name: "interaction:l2", Key: cache.ID, New: interaction.NewLikePage, TTL: cache.MaxTTL}),
	}
}

// likeKeys returns the keys of the values that change with likes.
func (c *caches) likeKeys(likes []like) []string {
	keys := make([]string, 0, 4*len(likes))
	for _, l := range likes {
		keys = append(keys, c.videos.Key(l.VideoID), c.users.Key(l.UserID), c.likes.Key(l.UserID))
		if l.AuthorID != 0 {
			keys = append(keys, c.users.Key(l.AuthorID))
		}
	}
	return keys
}

// write runs a transaction that makes the values of the keys old, and of those that it adds by also.
func (s *store) write(ctx context.Context, change func(tx *gorm.DB, also cache.Also) error, keys ...string) error {
	return cache.Change(ctx, s.caches.store, func(also cache.Also) error {
		return s.db.Write(ctx, func(tx *gorm.DB) error { return change(tx, also) })
	}, keys...)
}
