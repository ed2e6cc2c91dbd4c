package interaction

import (
	"context"
	"maps"
	"slices"
	"time"

	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/services/internal/cache"
)

const (
	// ttl is how long is cached what nobody changes: what many ask for stays, the rest goes.
	ttl = 10 * time.Minute
	// maxCachedLikes is how many likes of a user are cached, the latest. Beyond them the database is asked.
	maxCachedLikes = 1000
)

// caches hold what the service has read from its database: the counts of videos and users, and the latest likes of
// users. Without a cache, nil, everything is read each time.
type caches struct {
	redis  *cache.Redis
	videos *cache.Cache[int64, *interaction.VideoStats]
	near   *cache.Cache[int64, *interaction.VideoStats] // for visitors, who may see counts of a second ago
	users  *cache.Cache[int64, *interaction.UserLikeStats]
	likes  *cache.Cache[int64, *interaction.LikePage] // by user
}

func openCaches(r *cache.Redis) *caches {
	if r == nil {
		return nil
	}
	videos := cache.Config[int64, *interaction.VideoStats]{Name: "v1", Key: cache.ID, New: interaction.NewVideoStats, TTL: ttl}
	near := videos
	near.Near = true
	return &caches{
		redis: r, videos: cache.New(r, videos), near: cache.New(r, near),
		users: cache.New(r, cache.Config[int64, *interaction.UserLikeStats]{
			Name: "u1", Key: cache.ID, New: interaction.NewUserLikeStats, TTL: ttl}),
		likes: cache.New(r, cache.Config[int64, *interaction.LikePage]{
			Name: "l1", Key: cache.ID, New: interaction.NewLikePage, TTL: ttl}),
	}
}

func (c *caches) videoStats(ctx context.Context, viewer int64, videos []int64,
	load func(context.Context, []int64) (map[int64]*interaction.VideoStats, error)) (map[int64]*interaction.VideoStats, error) {
	if viewer == 0 {
		return c.near.Get(ctx, videos, load)
	}
	return c.videos.Get(ctx, videos, load)
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
	found, err := c.likes.Get(ctx, []int64{user}, func(ctx context.Context, _ []int64) (map[int64]*interaction.LikePage, error) {
		likes, err := load(ctx)
		return map[int64]*interaction.LikePage{user: likes}, err
	})
	return found[user], err
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
	keys, late := c.keys(before), map[string]bool{}
	err := c.redis.Change(ctx, func(*cache.Change) error {
		after, err := write()
		late = c.keys(after)
		return err
	}, slices.Collect(maps.Keys(keys))...)
	maps.DeleteFunc(late, func(key string, _ bool) bool { return keys[key] })
	c.redis.Drop(ctx, slices.Collect(maps.Keys(late))...)
	return err
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
