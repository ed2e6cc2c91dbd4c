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
	// maxMissedPages bounds how far back a subscription reads the feed for what was missed in it.
	maxMissedPages = 20

	followsPage = 1000 // users whose follows are read at once
	// maxFollows is how many follows a subscription keeps in mind, some 20 bytes each. Of a user who follows more, the
	// authors are asked about with each video.
	maxFollows = 2000
)

// premieres is videoPublished: it tells a user the videos of those whom the user follows. An event names the video and
// its author, and is checked against the follows that the subscription keeps in mind: a video costs nothing for those
// who do not follow its author, and for the others what they select of it.
type premieres struct {
	*Resolver
	viewer  int64
	video   selection
	follows map[int64]bool // nil = too many to keep
	told    *model.Told
	send    func(*model.VideoPublishedPayload) error
}

func (p *premieres) run(ctx context.Context, listener *live.Listener, fromNow bool) error {
	return keepTelling(ctx, listener, p.told, fromNow, p.skip, p.catchUp, p.hear)
}

// hear tells the videos among the events. Changed follows count for them already.
func (p *premieres) hear(ctx context.Context, events []live.Event) error {
	var changed []int64
	authors := map[int64]int64{}
	for _, event := range events {
		if event.Kind == live.Follows {
			changed = append(changed, event.Object)
		} else {
			authors[event.Object] = event.By
		}
	}
	if len(changed) > 0 && p.follows != nil {
		followed, err := p.ask(ctx, changed)
		if err != nil {
			return err
		}
		for _, id := range changed {
			if delete(p.follows, id); followed[id] {
				p.follows[id] = true
			}
		}
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
	if len(ids) == 0 {
		return nil
	}
	videos, err := p.load(ctx, ids)
	if err != nil {
		return err
	}
	return p.tell(videos)
}

// followed returns which of the authors of videos the viewer follows.
func (p *premieres) followed(ctx context.Context, authors map[int64]int64) (map[int64]bool, error) {
	if p.follows != nil || len(authors) == 0 {
		return p.follows, nil
	}
	var ids []int64
	for _, author := range authors {
		ids = append(ids, author)
	}
	return p.ask(ctx, ids)
}

// ask returns which of these users the viewer follows, with one call.
func (p *premieres) ask(ctx context.Context, ids []int64) (map[int64]bool, error) {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	reply, err := p.Social.BatchGetRelationStats(ctx,
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

// loadFollows reads whom the viewer follows.
func (p *premieres) loadFollows(ctx context.Context) error {
	p.follows = map[int64]bool{}
	next := &page.Page{Limit: followsPage}
	for {
		edges, more, err := p.followPage(ctx, next)
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

func (p *premieres) followPage(ctx context.Context, next *page.Page) (edges []*social.FollowEdge, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	reply, err := p.Social.ListFollowing(ctx, &social.ListFollowingRequest{UserIds: []int64{p.viewer}, Page: next})
	if err != nil {
		return nil, false, err
	}
	found := reply.Pages[p.viewer]
	return found.Edges, found.HasMore, nil
}

// skip notes the videos so far as told.
func (p *premieres) skip(ctx context.Context) error {
	if err := p.loadFollows(ctx); err != nil {
		return err
	}
	rows, _, err := p.feed(ctx, nil)
	for _, row := range slices.Backward(rows) {
		p.told.Add(row.ID, row.CreatedAt)
	}
	return err
}

// catchUp tells the videos that the feed has and that are not told yet, oldest first.
func (p *premieres) catchUp(ctx context.Context) error {
	if err := p.loadFollows(ctx); err != nil {
		return err
	}
	var missed []*basics.Video
	var after *page.Cursor
	for pages := 0; ; pages++ {
		if pages == maxMissedPages {
			return codes.Errorf(codes.InvalidArgument, "too much was published since, please read the feed instead")
		}
		rows, more, err := p.feed(ctx, after)
		if err != nil {
			return err
		}
		for _, row := range rows {
			p.told.Met(row.ID, row.CreatedAt)
			if !p.told.Has(row.ID, row.CreatedAt) {
				missed = append(missed, row)
			}
		}
		if !more || rows[len(rows)-1].CreatedAt <= p.told.UpTo() {
			break
		}
		last := rows[len(rows)-1]
		after = &page.Cursor{CreatedAt: last.CreatedAt, ID: last.ID}
	}
	authors := make(map[int64]int64, len(missed))
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
		videos, err := p.load(ctx, ids)
		if err != nil {
			return err
		}
		if err := p.tell(videos); err != nil {
			return err
		}
	}
	return nil
}

func (p *premieres) feed(ctx context.Context, after *page.Cursor) (rows []*basics.Video, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	reply, err := p.Basics.ListFeed(ctx, &basics.ListFeedRequest{Page: &page.Page{Limit: missedPage, After: after}})
	if err != nil {
		return nil, false, err
	}
	return reply.Page.Videos, reply.Page.HasMore, nil
}

// load returns those of the videos that exist, oldest first, with what is selected of them.
func (p *premieres) load(ctx context.Context, ids []int64) ([]*model.Video, error) {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	found, err := p.videosByID(ctx, p.video, ids)
	if err != nil {
		return nil, err
	}
	var videos []*model.Video
	for _, video := range found {
		if video.Value != nil {
			videos = append(videos, video.Value)
		}
	}
	slices.SortFunc(videos, func(a, b *model.Video) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) })
	return videos, nil
}

func (p *premieres) tell(videos []*model.Video) error {
	for _, video := range videos {
		if p.told.Has(video.ID, video.CreatedAt) {
			continue
		}
		p.told.Add(video.ID, video.CreatedAt)
		if err := p.send(&model.VideoPublishedPayload{Cursor: p.told.Cursor(), Video: video}); err != nil {
			return err
		}
	}
	return nil
}
