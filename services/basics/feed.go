package basics

import (
	"context"
	"fmt"

	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/database"
)

// feed returns a page of all videos, newest first: with before, only those published before that time.
func (s *tables) feed(ctx context.Context, p *page.Page, before *int64) (*basics.VideoPage, error) {
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

// userVideos returns a page of each author's videos, newest first; an empty one of those who have none there.
func (s *tables) userVideos(ctx context.Context, authors []int64, p *page.Page) (map[int64]*basics.VideoPage, error) {
	found, err := database.Pages[video](s.db.ReadAfter(ctx, p.After), database.Listing{Table: "videos", Owner: "author_id"}, authors, p)
	if err != nil {
		return nil, err
	}
	pages := make(map[int64]*basics.VideoPage, len(authors))
	for _, id := range authors {
		pages[id] = videoPage(found[id])
	}
	return pages, nil
}

func videoPage(found database.Rows[video]) *basics.VideoPage {
	videos := make([]*basics.Video, len(found.Rows))
	for i := range found.Rows {
		videos[i] = found.Rows[i].wire()
	}
	return &basics.VideoPage{Videos: videos, HasMore: found.HasMore}
}

func cutVideos(prefix *basics.VideoPage, p *page.Page) (*basics.VideoPage, bool) {
	place := func(v *basics.Video) (createdAt, id int64) { return v.CreatedAt, v.ID }
	videos, more, ok := cache.Cut(prefix.Videos, prefix.HasMore, place, p)
	return &basics.VideoPage{Videos: videos, HasMore: more}, ok
}
