package basics

import (
	"context"
	"fmt"
	"math"
	"time"

	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/database"
)

const (
	// maxCachedVideos is how many videos of the feed, and of each author, are cached: the newest.
	maxCachedVideos = 100
	// recent is how old a client's time may be to count as now: apps ask for the newest page with their own clock.
	recent = time.Minute
)

// feed returns a page of all videos, newest first: with before, only those published before that time.
func (s *store) feed(ctx context.Context, p *page.Page, before *int64) (*basics.VideoPage, error) {
	var prefix *basics.VideoPage
	if s.caches.store != nil && p.After == nil && (before == nil || *before > now()-recent.Milliseconds()) {
		var err error
		prefix, _, err = s.caches.feed.One(ctx, newest, func(ctx context.Context) (*basics.VideoPage, bool, error) {
			first, err := s.readFeed(ctx, &page.Page{Limit: maxCachedVideos}, nil)
			return first, true, err
		})
		if err != nil {
			return nil, err
		}
	} else {
		prefix = s.caches.feed.Peek(ctx, newest)[newest]
	}
	if prefix != nil {
		start := *p
		if before != nil && (p.After == nil || *before <= p.After.CreatedAt) { // the later of the two positions
			start.After = &page.Cursor{CreatedAt: *before - 1, ID: math.MaxInt64}
		}
		if videos, ok := cutVideos(prefix, &start); ok {
			return videos, nil
		}
	}
	return s.readFeed(ctx, p, before)
}

func (s *store) readFeed(ctx context.Context, p *page.Page, before *int64) (*basics.VideoPage, error) {
	after, values := database.After(p.After)
	start := p.After
	if before != nil && (start == nil || *before < start.CreatedAt) {
		start = &page.Cursor{CreatedAt: *before}
	}
	// The time alone orders them. With id behind it, MariaDB does not see that the unique index has the order.
	query := s.db.ReadAfter(ctx, start).Where(after, values...).Order("created_at DESC").Limit(int(p.Limit) + 1)
	if before != nil {
		query = query.Where("created_at < ?", *before)
	}
	var found []video
	if err := query.Find(&found).Error; err != nil {
		return nil, fmt.Errorf("list feed: %w", err)
	}
	return videoPage(database.Cut(found, int(p.Limit))), nil
}

// userVideos returns a page of each author's videos, newest first. It is empty for an author without videos there.
func (s *store) userVideos(ctx context.Context, authors []int64, p *page.Page) (map[int64]*basics.VideoPage, error) {
	return cache.Pages(ctx, s.caches.lists, authors, p, maxCachedVideos, cutVideos, s.readUserVideos)
}

func (s *store) readUserVideos(ctx context.Context, authors []int64, p *page.Page) (map[int64]*basics.VideoPage, error) {
	return database.Pages(s.db.ReadAfter(ctx, p.After), database.Listing{Table: "videos", Owner: "author_id"}, authors, p, videoPage)
}

func videoPage(found database.Rows[video]) *basics.VideoPage {
	videos := make([]*basics.Video, len(found.Rows))
	for i := range found.Rows {
		videos[i] = found.Rows[i].wire()
	}
	return &basics.VideoPage{Videos: videos, HasMore: found.HasMore}
}

func cutVideos(prefix *basics.VideoPage, p *page.Page) (*basics.VideoPage, bool) {
	position := func(v *basics.Video) (createdAt, id int64) { return v.CreatedAt, v.ID }
	videos, more, ok := cache.Cut(prefix.Videos, prefix.HasMore, position, p)
	return &basics.VideoPage{Videos: videos, HasMore: more}, ok
}
