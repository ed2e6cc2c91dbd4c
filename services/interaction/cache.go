package interaction

import (
	"context"
	"maps"
	"slices"

	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/services/internal/cache"
)

// maxCachedLikes is how many likes of a user are cached, the latest. Beyond them the database is asked.
const maxCachedLikes = 1000

// caches hold what the service has read from its database: the counts of videos and users, and the latest likes of
// users. Without a cache, nil, everything is read each time.
type caches struct {
	store  cache.Store
	videos *cache.Cache[int64, *interaction.VideoStats]
	users  *cache.Cache[int64, *interaction.UserLikeStats]
	likes  *cache.Cache[int64, *interaction.LikePage] // by user
}

func openCaches(s cache.Store) *caches {
	if s == nil {
		return nil
	}
	return &caches{
		store: s,
		videos: cache.New(s, cache.Config[int64, *interaction.VideoStats]{
			Name: "interaction:v2", Key: cache.ID, New: interaction.NewVideoStats, TTL: cache.MaxTTL}),
		users: cache.New(s, cache.Config[int64, *interaction.UserLikeStats]{
			Name: "interaction:u2", Key: cache.ID, New: interaction.NewUserLikeStats, TTL: cache.MaxTTL}),
		likes: cache.New(s, cache.Config[int64, *interaction.LikePage]{
			Name: "interaction:l2", Key: cache.ID, New: interaction.NewLikePage, TTL: cache.MaxTTL}),
	}
}

func (c *caches) userStats(ctx context.Context, users []int64,
	load func(context.Context, []int64) (map[int64]*interaction.UserLikeStats, error)) (map[int64]*interaction.UserLikeStats, error) {
	if c == nil {
		return load(ctx, users)
	}
	return c.users.Get(ctx, users, load)
}

// likesOf returns the latest likes of a user.
func (c *caches) likesOf(ctx context.Context, user int64, load func(context.Context) (*interaction.LikePage, error)) (*interaction.LikePage, error) {
	likes, _, err := c.likes.One(ctx, user, func(ctx context.Context) (*interaction.LikePage, bool, error) {
		likes, err := load(ctx)
		return likes, true, err
	})
	return likes, err
}

// changed is what a write changes: likes, and the counts of videos beside them.
type changed struct {
	likes  []like
	videos []int64
}

// change runs a write and invalidates what it changes: what is known before, and what the write returns. After a crash
// in between, only the first is invalidated.
func (c *caches) change(ctx context.Context, before changed, write func() (after changed, err error)) error {
	if c == nil {
		_, err := write()
		return err
	}
	early := c.keys(before)
	return cache.Change(ctx, c.store, func(also cache.Also) error {
		after, err := write()
		late := c.keys(after)
		maps.DeleteFunc(late, func(key string, _ bool) bool { return early[key] })
		also(slices.Collect(maps.Keys(late))...)
		return err
	}, slices.Collect(maps.Keys(early))...)
}

// keys returns the keys of what is cached of a change.
func (c *caches) keys(of changed) map[string]bool {
	keys := make(map[string]bool, 4*len(of.likes)+len(of.videos))
	for _, id := range of.videos {
		keys[c.videos.Key(id)] = true
	}
	for _, l := range of.likes {
		keys[c.videos.Key(l.VideoID)], keys[c.users.Key(l.UserID)], keys[c.likes.Key(l.UserID)] = true, true, true
		if l.AuthorID != 0 {
			keys[c.users.Key(l.AuthorID)] = true
		}
	}
	return keys
}
