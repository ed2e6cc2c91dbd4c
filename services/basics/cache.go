package basics

import (
	"context"
	"time"

	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/services/internal/cache"
)

// absentTTL is short: requests for ids that do not exist are unlimited.
const absentTTL = 10 * time.Second

// caches hold what the service reads from its database, except password hashes: checking one takes far longer than
// reading it.
type caches struct {
	store  cache.Store // nil caches nothing
	users  *cache.Cache[int64, *basics.User]
	videos *cache.Cache[int64, *basics.Video]
	feed   *cache.Cache[string, *basics.VideoPage] // the newest videos of all
	lists  *cache.Cache[int64, *basics.VideoPage]  // the newest videos of an author
}

// newest is the only key of caches.feed.
const newest = "newest"

func newCaches(s cache.Store) caches {
	return caches{
		store: s,
		users: cache.New(s, cache.Config[int64, *basics.User]{
			Name: "basics:u2", Key: cache.ID, New: basics.NewUser, TTL: cache.MaxTTL, AbsentTTL: absentTTL}),
		videos: cache.New(s, cache.Config[int64, *basics.Video]{
			Name: "basics:v2", Key: cache.ID, New: basics.NewVideo, TTL: cache.MaxTTL, AbsentTTL: absentTTL}),
		feed: cache.New(s, cache.Config[string, *basics.VideoPage]{
			Name: "basics:f2", Key: func(key string) string { return key }, New: basics.NewVideoPage, TTL: cache.MaxTTL}),
		lists: cache.New(s, cache.Config[int64, *basics.VideoPage]{
			Name: "basics:l2", Key: cache.ID, New: basics.NewVideoPage, TTL: cache.MaxTTL}),
	}
}

// videoKeys returns the keys of the values that change when an author publishes or deletes a video.
func (c *caches) videoKeys(author int64) []string {
	return []string{c.users.Key(author), c.lists.Key(author), c.feed.Key(newest)}
}

// write runs a transaction that makes the values of the keys old, and of those that it adds by also.
func (s *store) write(ctx context.Context, change func(tx *gorm.DB, also cache.Also) error, keys ...string) error {
	return cache.Change(ctx, s.caches.store, func(also cache.Also) error {
		return s.db.Write(ctx, func(tx *gorm.DB) error { return change(tx, also) })
	}, keys...)
}
