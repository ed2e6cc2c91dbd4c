package graph

import (
	"cmp"
	"context"
	"slices"

	"minidouyin/graph/live"
	"minidouyin/graph/model"
	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
)

const (
	// maxMissedPages is the number of pages of the feed that a subscription reads at most for missed videos.
	maxMissedPages = 20
	// followsPage is the number of follows that one call reads.
	followsPage = 1000
	// maxFollows is the number of follows that a subscription keeps at most, some 20 bytes each. For a viewer who
	// follows more users, each video costs a call that checks its author.
	maxFollows = 2000
)

// publishedVideos is the subscription videoPublished: it sends a viewer the videos of the users that the viewer
// follows. An event names the video and its author, and the author is looked up in the kept follows. So a video of
// another author costs nothing, and one of a followed author costs what is selected of it.
type publishedVideos struct {
	r       *Resolver
	viewer  int64
	sel     selection      // of the payload
	follows map[int64]bool // nil = more than maxFollows
	sent    *model.Sent
	send    func(*model.VideoPublishedPayload) error
}

func (p *publishedVideos) run(ctx context.Context, listener *live.Listener, fromNow bool) error {
	return delivery{sent: p.sent, skip: p.skip, catchUp: p.catchUp, handle: p.handle}.run(ctx, listener, fromNow)
}

// handle sends the videos of events. It first updates the follows, so that they count for these videos already.
func (p *publishedVideos) handle(ctx context.Context, events []live.Event) error {
	var changed []int64
	authors := map[int64]int64{} // by video
	for _, event := range events {
		if event.Kind == live.Follows {
			changed = append(changed, event.Object)
		} else {
			authors[event.Object] = event.By
		}
	}
	if err := p.updateFollows(ctx, changed); err != nil {
		return err
	}
	followed, err := p.followed(ctx, authors)
	if err != nil {
		return err
	}
	var ids []int64
	for video, author := range authors {
		if followed[author] {
			ids = append(ids, video)
		}
	}
	return p.sendVideos(ctx, ids)
}

// updateFollows reads again whether the viewer follows these users.
func (p *publishedVideos) updateFollows(ctx context.Context, changed []int64) error {
	if len(changed) == 0 || p.follows == nil {
		return nil
	}
	followed, err := p.loadFollowed(ctx, changed)
	if err != nil {
		return err
	}
	for _, id := range changed {
		if delete(p.follows, id); followed[id] {
			p.follows[id] = true
		}
	}
	return nil
}

// followed returns which of the authors of videos the viewer follows.
func (p *publishedVideos) followed(ctx context.Context, authors map[int64]int64) (map[int64]bool, error) {
	if p.follows != nil || len(authors) == 0 {
		return p.follows, nil
	}
	var ids []int64
	for _, author := range authors {
		ids = append(ids, author)
	}
	return p.loadFollowed(ctx, ids)
}

// loadFollowed returns which of these users the viewer follows, with one call.
func (p *publishedVideos) loadFollowed(ctx context.Context, ids []int64) (map[int64]bool, error) {
	ctx, cancel := context.WithTimeout(ctx, eventTimeout)
	defer cancel()
	reply, err := p.r.Social.BatchGetRelationStats(ctx,
		&social.BatchGetRelationStatsRequest{UserIds: distinct(ids), ViewerID: p.viewer})
	if err != nil {
		return nil, err
	}
	followed := map[int64]bool{}
	for id, stats := range reply.Stats {
		if stats.FollowedByViewer {
			followed[id] = true
		}
	}
	return followed, nil
}

// loadFollows loads the follows of the viewer.
func (p *publishedVideos) loadFollows(ctx context.Context) error {
	p.follows = map[int64]bool{}
	next := &page.Page{Limit: followsPage}
	for {
		edges, more, err := p.loadFollowPage(ctx, next)
		if err != nil {
			return err
		}
		for _, edge := range edges {
			p.follows[edge.UserID] = true
		}
		switch {
		case !more:
			return nil
		case len(p.follows) >= maxFollows:
			p.follows = nil
			return nil
		}
		last := edges[len(edges)-1]
		next = &page.Page{Limit: followsPage, After: &page.Cursor{CreatedAt: last.CreatedAt, ID: last.ID}}
	}
}

func (p *publishedVideos) loadFollowPage(
	ctx context.Context, next *page.Page,
) (edges []*social.FollowEdge, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, eventTimeout)
	defer cancel()
	reply, err := p.r.Social.ListFollowing(ctx, &social.ListFollowingRequest{UserIds: []int64{p.viewer}, Page: next})
	if err != nil {
		return nil, false, err
	}
	found := reply.Pages[p.viewer]
	return found.Edges, found.HasMore, nil
}

// skip marks the newest videos of the feed as sent.
func (p *publishedVideos) skip(ctx context.Context) error {
	if err := p.loadFollows(ctx); err != nil {
		return err
	}
	rows, _, err := p.loadFeed(ctx, nil)
	for _, row := range slices.Backward(rows) {
		p.sent.Add(row.ID, row.CreatedAt)
	}
	return err
}

// catchUp sends the videos of the feed that are not sent yet, oldest first.
func (p *publishedVideos) catchUp(ctx context.Context) error {
	if err := p.loadFollows(ctx); err != nil {
		return err
	}
	missed, err := p.loadMissed(ctx)
	if err != nil {
		return err
	}
	authors := make(map[int64]int64, len(missed)) // by video
	for _, row := range missed {
		authors[row.ID] = row.AuthorID
	}
	followed, err := p.followed(ctx, authors)
	if err != nil {
		return err
	}
	missed = slices.DeleteFunc(missed, func(row *basics.Video) bool { return !followed[row.AuthorID] })
	slices.Reverse(missed)
	for rows := range slices.Chunk(missed, missedPage) {
		ids := make([]int64, len(rows))
		for i, row := range rows {
			ids[i] = row.ID
		}
		if err := p.sendVideos(ctx, ids); err != nil {
			return err
		}
	}
	return nil
}

// loadMissed returns the videos of the feed that are not sent yet, newest first.
func (p *publishedVideos) loadMissed(ctx context.Context) ([]*basics.Video, error) {
	var missed []*basics.Video
	var after *page.Cursor
	for range maxMissedPages {
		rows, more, err := p.loadFeed(ctx, after)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			p.sent.SetTime(row.ID, row.CreatedAt)
			if !p.sent.Has(row.ID, row.CreatedAt) {
				missed = append(missed, row)
			}
		}
		if !more || rows[len(rows)-1].CreatedAt <= p.sent.UpTo() {
			return missed, nil
		}
		last := rows[len(rows)-1]
		after = &page.Cursor{CreatedAt: last.CreatedAt, ID: last.ID}
	}
	return nil, codes.Errorf(codes.InvalidArgument, "too much was published since, please read the feed instead")
}

func (p *publishedVideos) loadFeed(ctx context.Context, after *page.Cursor) (rows []*basics.Video, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, eventTimeout)
	defer cancel()
	reply, err := p.r.Basics.ListFeed(ctx, &basics.ListFeedRequest{Page: &page.Page{Limit: missedPage, After: after}})
	if err != nil {
		return nil, false, err
	}
	return reply.Page.Videos, reply.Page.HasMore, nil
}

// sendVideos sends those of the videos that exist and are not sent yet, oldest first.
func (p *publishedVideos) sendVideos(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	payloads, err := p.load(ctx, ids)
	if err != nil {
		return err
	}
	for _, payload := range payloads {
		video := payload.Video
		if p.sent.Has(video.ID, video.CreatedAt) {
			continue
		}
		p.sent.Add(video.ID, video.CreatedAt)
		payload.Cursor = p.sent.Cursor()
		if err := p.send(payload); err != nil {
			return err
		}
	}
	return nil
}

// load returns the payloads of those of the videos that exist, oldest first.
func (p *publishedVideos) load(ctx context.Context, ids []int64) ([]*model.VideoPublishedPayload, error) {
	ctx, cancel := context.WithTimeout(ctx, eventTimeout)
	defer cancel()
	videos, err := p.r.videosByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	var payloads []*model.VideoPublishedPayload
	for _, video := range videos {
		if video != nil {
			payloads = append(payloads, &model.VideoPublishedPayload{Video: video})
		}
	}
	slices.SortFunc(payloads, func(a, b *model.VideoPublishedPayload) int {
		return cmp.Compare(a.Video.CreatedAt, b.Video.CreatedAt)
	})
	w := p.r.walk(ctx)
	fill(ctx, w, &w.fields.videoPublished, p.sel, payloads)
	w.run()
	return payloads, nil
}
