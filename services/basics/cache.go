package basics

import (
	"context"
	"math"
	"time"

	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services/internal/cache"
)

const (
	// absentTTL is short: what does not exist may be asked for without end.
	absentTTL = 10 * time.Second
	// firstVideos is how many videos of the feed, and of each author, are kept.
	firstVideos = 100
	// recent is the time before now from which on the feed is asked for its newest page: apps send their own clock.
	recent = time.Minute
)

// newest is the key of the only feed.
const newest = "newest"

// cached caches what tables reads, and invalidates it when tables writes. Password hashes stay in the database: beside
// the time that checking one takes, reading it is nothing.
type cached struct {
	*tables
	cache cache.Store
	user  *cache.Cache[int64, *basics.User]
	video *cache.Cache[int64, *basics.Video]
	front *cache.Cache[string, *basics.VideoPage] // the newest videos of the feed
	list  *cache.Cache[int64, *basics.VideoPage]  // the newest videos of an author
}

var _ store = (*cached)(nil)

func newCached(t *tables, s cache.Store) *cached {
	return &cached{
		tables: t,
		cache:  s,
		user: cache.New(s, cache.Config[int64, *basics.User]{
			Name: "basics:u2", Key: cache.ID, New: basics.NewUser, TTL: cache.MaxTTL, AbsentTTL: absentTTL}),
		video: cache.New(s, cache.Config[int64, *basics.Video]{
			Name: "basics:v2", Key: cache.ID, New: basics.NewVideo, TTL: cache.MaxTTL, AbsentTTL: absentTTL}),
		front: cache.New(s, cache.Config[string, *basics.VideoPage]{
			Name: "basics:f2", Key: func(key string) string { return key }, New: basics.NewVideoPage, TTL: cache.MaxTTL}),
		list: cache.New(s, cache.Config[int64, *basics.VideoPage]{
			Name: "basics:l2", Key: cache.ID, New: basics.NewVideoPage, TTL: cache.MaxTTL}),
	}
}

func (c *cached) createUser(ctx context.Context, u *user) error {
	return cache.Change(ctx, c.cache, func(also cache.Also) error {
		err := c.tables.createUser(ctx, u)
		also(c.user.Key(u.ID)) // somebody may have asked for it before
		return err
	})
}

func (c *cached) users(ctx context.Context, ids []int64) (map[int64]*basics.User, error) {
	return c.user.Get(ctx, ids, c.tables.users)
}

func (c *cached) updateProfile(ctx context.Context, id int64, change profile) (u *basics.User, err error) {
	err = cache.Change(ctx, c.cache, func(cache.Also) error {
		u, err = c.tables.updateProfile(ctx, id, change)
		return err
	}, c.user.Key(id))
	return u, err
}

func (c *cached) deleteUser(ctx context.Context, id int64) (videos []int64, err error) {
	err = cache.Change(ctx, c.cache, func(also cache.Also) error {
		videos, err = c.tables.deleteUser(ctx, id)
		for _, video := range videos {
			also(c.video.Key(video))
		}
		return err
	}, c.user.Key(id), c.list.Key(id), c.front.Key(newest))
	return videos, err
}

func (c *cached) createVideo(ctx context.Context, v *video) error {
	return cache.Change(ctx, c.cache, func(also cache.Also) error {
		err := c.tables.createVideo(ctx, v)
		also(c.video.Key(v.ID)) // somebody may have asked for it before
		return err
	}, c.user.Key(v.AuthorID), c.list.Key(v.AuthorID), c.front.Key(newest))
}

func (c *cached) videos(ctx context.Context, ids []int64) (map[int64]*basics.Video, error) {
	return c.video.Get(ctx, ids, c.tables.videos)
}

func (c *cached) feed(ctx context.Context, p *page.Page, before *int64) (*basics.VideoPage, error) {
	var front *basics.VideoPage
	if p.After == nil && (before == nil || *before > now()-recent.Milliseconds()) {
		var err error
		front, _, err = c.front.One(ctx, newest, func(ctx context.Context) (*basics.VideoPage, bool, error) {
			first, err := c.tables.feed(ctx, &page.Page{Limit: firstVideos}, nil)
			return first, true, err
		})
		if err != nil {
			return nil, err
		}
	} else {
		front = c.front.Peek(ctx, newest)[newest]
	}
	if front != nil {
		start := *p
		if before != nil && (p.After == nil || *before <= p.After.CreatedAt) { // the later one of the two places
			start.After = &page.Cursor{CreatedAt: *before - 1, ID: math.MaxInt64}
		}
		if videos, ok := cutVideos(front, &start); ok {
			return videos, nil
		}
	}
	return c.tables.feed(ctx, p, before)
}

func (c *cached) userVideos(ctx context.Context, authors []int64, p *page.Page) (map[int64]*basics.VideoPage, error) {
	return cache.Pages(ctx, c.list, authors, p, firstVideos, cutVideos, c.tables.userVideos)
}

func (c *cached) updateVideo(ctx context.Context, id, asker int64, title, coverKey *string) (v *basics.Video, err error) {
	err = cache.Change(ctx, c.cache, func(cache.Also) error {
		v, err = c.tables.updateVideo(ctx, id, asker, title, coverKey)
		return err
	}, c.video.Key(id), c.list.Key(asker), c.front.Key(newest))
	return v, err
}

func (c *cached) deleteVideo(ctx context.Context, id, asker int64) error {
	return cache.Change(ctx, c.cache, func(cache.Also) error { return c.tables.deleteVideo(ctx, id, asker) },
		c.video.Key(id), c.user.Key(asker), c.list.Key(asker), c.front.Key(newest))
}
