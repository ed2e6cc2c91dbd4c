package basics

import (
	"context"
	"math"
	"slices"
	"time"

	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services/internal/cache"
)

const (
	// ttl bounds how long something is kept that nobody reads or changes any more. Changes do not wait for it.
	ttl = 10 * time.Minute
	// absentTTL is short: what does not exist may be asked for without end.
	absentTTL = 10 * time.Second
	// firstVideos is how many videos of the feed, and of each author, are kept. When deletions leave fewer than half,
	// they are read anew.
	firstVideos = 100
	// recent is the time before now from which on the feed is asked for its newest page: apps send their own clock.
	recent = time.Minute
)

// newest is the key of the only feed.
const newest = "newest"

// cached answers from Redis what it can and keeps that true to what it writes. Password hashes stay in the database:
// beside the time that checking one takes, reading it is nothing.
type cached struct {
	*tables
	redis *cache.Redis
	user  *cache.Cache[int64, *basics.User]
	name  *cache.Cache[string, *basics.User] // by the unique form of the name, with nothing but the id
	video *cache.Cache[int64, *basics.Video]
	front *cache.Cache[string, *basics.VideoPage] // the newest videos of the feed
	list  *cache.Cache[int64, *basics.VideoPage]  // the newest videos of an author
}

var _ store = (*cached)(nil)

func newCached(t *tables, r *cache.Redis) *cached {
	same := func(key string) string { return key }
	return &cached{
		tables: t,
		redis:  r,
		user:   cache.New(r, cache.Config[int64, *basics.User]{Name: "u1", Key: cache.ID, New: basics.NewUser, TTL: ttl, AbsentTTL: absentTTL}),
		name:   cache.New(r, cache.Config[string, *basics.User]{Name: "n1", Key: same, New: basics.NewUser, TTL: ttl, AbsentTTL: absentTTL}),
		video:  cache.New(r, cache.Config[int64, *basics.Video]{Name: "v1", Key: cache.ID, New: basics.NewVideo, TTL: ttl, AbsentTTL: absentTTL}),
		front:  cache.New(r, cache.Config[string, *basics.VideoPage]{Name: "f1", Key: same, New: basics.NewVideoPage, TTL: ttl}),
		list:   cache.New(r, cache.Config[int64, *basics.VideoPage]{Name: "l1", Key: cache.ID, New: basics.NewVideoPage, TTL: ttl}),
	}
}

func (c *cached) createUser(ctx context.Context, u *user) error {
	key := nameKey(u.Name)
	if c.name.Peek(ctx, key)[key] != nil {
		return errTaken()
	}
	return c.redis.Change(ctx, func(change *cache.Change) error {
		err := c.tables.createUser(ctx, u)
		if err == nil {
			change.Also(ctx, c.user.Key(u.ID)) // somebody may have asked for it before
		}
		return err
	}, c.name.Key(key))
}

func (c *cached) userByName(ctx context.Context, name string) (user, error) {
	loaded := make(chan user, 1)
	_, exists, err := c.name.One(ctx, nameKey(name), func(ctx context.Context) (*basics.User, bool, error) {
		u, err := c.tables.userByName(ctx, name)
		loaded <- u
		return &basics.User{ID: u.ID}, u.ID != 0, err
	})
	if err != nil || !exists {
		return user{}, err
	}
	select {
	case u := <-loaded:
		return u, nil
	default: // kept, without the hash
		return c.tables.userByName(ctx, name)
	}
}

func (c *cached) users(ctx context.Context, ids []int64) (map[int64]*basics.User, error) {
	return c.user.Get(ctx, ids, c.tables.users)
}

func (c *cached) updateProfile(ctx context.Context, id int64, change profile) (before, after *basics.User, err error) {
	keys := []string{c.user.Key(id)}
	if change.name != nil {
		keys = append(keys, c.name.Key(nameKey(*change.name)))
	}
	err = c.redis.Change(ctx, func(made *cache.Change) error {
		if before, after, err = c.tables.updateProfile(ctx, id, change); err != nil {
			return err
		}
		if change.name != nil {
			made.Also(ctx, c.name.Key(nameKey(before.Name)))
		}
		c.user.Edit(made, id, func(*basics.User) (*basics.User, bool) { return after, true })
		return nil
	}, keys...)
	return before, after, err
}

func (c *cached) deleteUser(ctx context.Context, id int64) (gone deleted, err error) {
	err = c.redis.Change(ctx, func(change *cache.Change) error {
		if gone, err = c.tables.deleteUser(ctx, id); err != nil {
			return err
		}
		keys := []string{c.name.Key(gone.nameKey)}
		for _, video := range gone.videos {
			keys = append(keys, c.video.Key(video))
		}
		change.Also(ctx, keys...)
		return nil
	}, c.user.Key(id), c.list.Key(id), c.front.Key(newest))
	return gone, err
}

func (c *cached) createVideo(ctx context.Context, v *video) error {
	return c.redis.Change(ctx, func(change *cache.Change) error {
		if err := c.tables.createVideo(ctx, v); err != nil {
			return err
		}
		change.Also(ctx, c.video.Key(v.ID)) // somebody may have asked for it before
		published := v.wire()
		c.editLists(change, v.AuthorID, func(old *basics.VideoPage) (*basics.VideoPage, bool) {
			videos, more := cache.Insert(old.Videos, old.HasMore, videoPlace, published, firstVideos)
			return &basics.VideoPage{Videos: videos, HasMore: more}, true
		})
		c.countVideo(change, v.AuthorID, 1)
		return nil
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

func cutVideos(kept *basics.VideoPage, p *page.Page) (*basics.VideoPage, bool) {
	videos, more, ok := cache.Cut(kept.Videos, kept.HasMore, videoPlace, p)
	return &basics.VideoPage{Videos: videos, HasMore: more}, ok
}

func (c *cached) updateVideo(ctx context.Context, id, asker int64, title, coverKey *string) (v *basics.Video, err error) {
	err = c.redis.Change(ctx, func(change *cache.Change) error {
		if v, err = c.tables.updateVideo(ctx, id, asker, title, coverKey); err != nil {
			return err
		}
		c.video.Edit(change, id, func(*basics.Video) (*basics.Video, bool) { return v, true })
		c.editLists(change, asker, func(old *basics.VideoPage) (*basics.VideoPage, bool) {
			videos := slices.Clone(old.Videos)
			if at := indexOf(videos, id); at >= 0 {
				videos[at] = v
			}
			return &basics.VideoPage{Videos: videos, HasMore: old.HasMore}, true
		})
		return nil
	}, c.video.Key(id), c.list.Key(asker), c.front.Key(newest))
	return v, err
}

func (c *cached) deleteVideo(ctx context.Context, id, asker int64) error {
	return c.redis.Change(ctx, func(change *cache.Change) error {
		if err := c.tables.deleteVideo(ctx, id, asker); err != nil {
			return err
		}
		c.editLists(change, asker, func(old *basics.VideoPage) (*basics.VideoPage, bool) {
			videos := slices.Clone(old.Videos)
			if at := indexOf(videos, id); at >= 0 {
				videos = slices.Delete(videos, at, at+1)
			}
			return &basics.VideoPage{Videos: videos, HasMore: old.HasMore}, !old.HasMore || len(videos) >= firstVideos/2
		})
		c.countVideo(change, asker, -1)
		return nil
	}, c.video.Key(id), c.user.Key(asker), c.list.Key(asker), c.front.Key(newest))
}

// editLists edits both lists that an author's video is in.
func (c *cached) editLists(change *cache.Change, author int64, edit func(old *basics.VideoPage) (*basics.VideoPage, bool)) {
	c.front.Edit(change, newest, edit)
	c.list.Edit(change, author, edit)
}

func (c *cached) countVideo(change *cache.Change, author, n int64) {
	c.user.Edit(change, author, func(old *basics.User) (*basics.User, bool) {
		u := *old
		u.VideoCount += n
		return &u, true
	})
}

func videoPlace(v *basics.Video) (createdAt, id int64) { return v.CreatedAt, v.ID }

func indexOf(videos []*basics.Video, id int64) int {
	return slices.IndexFunc(videos, func(v *basics.Video) bool { return v.ID == id })
}
