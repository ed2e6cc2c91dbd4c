package social

import (
	"context"

	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/social"
	"minidouyin/services/internal/cache"
)

// caches hold what the service reads from its database.
type caches struct {
	store     cache.Store                                // nil caches nothing
	stats     *cache.Cache[int64, *social.RelationStats] // without a viewer
	following *cache.Cache[int64, *social.FollowPage]    // the latest follows of a user
	followers *cache.Cache[int64, *social.FollowPage]
	friends   *cache.Cache[int64, *social.FollowPage]
	messages  *cache.Cache[pair, *social.ListMessagesResponse] // the latest messages
	latest    *cache.Cache[pair, *social.Message]
}

func newCaches(s cache.Store) caches {
	follows := func(name string) *cache.Cache[int64, *social.FollowPage] {
		return cache.New(s, cache.Config[int64, *social.FollowPage]{
			Name: name, Key: cache.ID, New: social.NewFollowPage, TTL: cache.MaxTTL})
	}
	return caches{
		store: s,
		stats: cache.New(s, cache.Config[int64, *social.RelationStats]{
			Name: "social:s2", Key: cache.ID, New: social.NewRelationStats, TTL: cache.MaxTTL}),
		following: follows("social:o2"),
		followers: follows("social:i2"),
		friends:   follows("social:m2"),
		messages: cache.New(s, cache.Config[pair, *social.ListMessagesResponse]{
			Name: "social:c2", Key: pair.key, New: social.NewListMessagesResponse, TTL: cache.MaxTTL}),
		latest: cache.New(s, cache.Config[pair, *social.Message]{
			Name: "social:l2", Key: pair.key, New: social.NewMessage, TTL: cache.MaxTTL, AbsentTTL: cache.MaxTTL}),
	}
}

// followKeys returns the keys of the values that change with a follow.
func (c *caches) followKeys(from, to int64) []string {
	return []string{c.following.Key(from), c.followers.Key(to), c.friends.Key(from), c.friends.Key(to), c.stats.Key(from), c.stats.Key(to)}
}

// messageKeys returns the keys of the values that change with a message.
func (c *caches) messageKeys(both pair) []string {
	return []string{c.messages.Key(both), c.latest.Key(both)}
}

// userKeys returns the keys of all values of one user, apart from messages.
func (c *caches) userKeys(user int64) []string {
	return []string{c.following.Key(user), c.followers.Key(user), c.friends.Key(user), c.stats.Key(user)}
}

// write runs a transaction that makes the values of the keys old, and of those that it adds by also.
func (s *store) write(ctx context.Context, change func(tx *gorm.DB, also cache.Also) error, keys ...string) error {
	return cache.Change(ctx, s.caches.store, func(also cache.Also) error {
		return s.db.Write(ctx, func(tx *gorm.DB) error { return change(tx, also) })
	}, keys...)
}
