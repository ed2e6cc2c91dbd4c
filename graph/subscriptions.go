package graph

import (
	"cmp"
	"context"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"minidouyin/graph/live"
	"minidouyin/graph/model"
	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
)

const (
	// tellTimeout bounds the calls that one event needs.
	tellTimeout = 10 * time.Second
	// statsPause is how long changes of counts are gathered before they are read, and so the least time between two
	// states of a video's counts.
	statsPause = 250 * time.Millisecond
	// statsAgain is when counts are read once more: an event may be earlier than the counts that a service keeps.
	statsAgain = 2 * time.Second
	// maxWatched is how many videos one subscription watches.
	maxWatched = 100
	// catchUpSpread spreads those who all read at once what they have missed.
	catchUpSpread = 2 * time.Second

	missedPage = 100 // rows that are read at once of what was missed
	// maxMissedPages bounds how far back a subscription reads the feed for what was missed in it.
	maxMissedPages = 20

	followsPage = 1000 // users whose follows are read at once
	// maxFollows is how many follows a subscription keeps in mind, some 20 bytes each. Of a user who follows more, the
	// authors are asked about with each video.
	maxFollows = 2000
)

// stream runs a subscription: tell sends its payloads until it fails or ctx ends. It listens before tell reads anything,
// so nothing is lost in between. Its error, or panic, is the last that the client hears.
func stream[T any](
	ctx context.Context, hub *live.Hub, topics []live.Topic, tell func(*live.Listener, func(T) error) error,
) (<-chan T, error) {
	listener, err := hub.Listen(topics...)
	if err != nil {
		return nil, err
	}
	payloads := make(chan T)
	send := func(payload T) error {
		select {
		case payloads <- payload:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	go func() { // the hub waits for it: it ends with its listener
		defer listener.Close()
		defer close(payloads)
		defer func() {
			if cause := recover(); cause != nil {
				graphql.AddError(ctx, graphql.GetOperationContext(ctx).Recover(ctx, cause))
			}
		}()
		if err := tell(listener, send); err != nil && ctx.Err() == nil {
			graphql.AddError(ctx, err)
		}
	}()
	return payloads, nil
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// toldUntil reads the cursor where a subscription goes on; without one, nothing is told yet.
func toldUntil(after *string) (*model.Told, error) {
	if after == nil {
		return model.ParseTold("")
	}
	return model.ParseTold(*after)
}

// untell brings back what has happened since the subscription listens but before it read what to pass over.
func untell(told *model.Told, events []live.Event) {
	for _, event := range events {
		told.Forget(event.Object)
	}
}

// follow tells what happens: from now on, when skip notes what was before, or from where told ends, which catchUp
// tells, as it does whenever events were lost. hear tells the events.
func follow(ctx context.Context, listener *live.Listener, told *model.Told, fromNow bool,
	skip, catchUp func(context.Context) error, hear func(context.Context, []live.Event) error) error {
	begin := catchUp
	if fromNow {
		begin = skip
	}
	if err := begin(ctx); err != nil {
		return err
	}
	for ; ; fromNow = false {
		events, lost, err := listener.Take(ctx)
		if err != nil {
			return err
		}
		if fromNow {
			untell(told, events)
		}
		if !lost {
			err = hear(ctx, events)
		} else if err = pause(ctx, rand.N(catchUpSpread)); err == nil {
			err = catchUp(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// inbox tells a user the messages that come in. Events only wake it: what is new is read from the service, so that a
// cursor never passes over a message whose event is late.
type inbox struct {
	*Resolver
	viewer int64
	from   selection
	told   *model.Told
	send   func(*model.MessageReceivedPayload) error
}

func (i *inbox) run(ctx context.Context, listener *live.Listener, fromNow bool) error {
	hear := func(ctx context.Context, _ []live.Event) error { return i.tell(ctx) }
	return follow(ctx, listener, i.told, fromNow, i.skip, i.tell, hear)
}

// skip notes the messages so far as told.
func (i *inbox) skip(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	reply, err := i.Social.ListReceivedMessages(ctx, &social.ListReceivedMessagesRequest{UserID: i.viewer, Limit: missedPage})
	if err != nil {
		return err
	}
	for _, row := range reply.Messages {
		i.told.Add(row.ID, row.CreatedAt)
	}
	return nil
}

// tell sends the messages that are not told yet.
func (i *inbox) tell(ctx context.Context) error {
	after := &page.Cursor{CreatedAt: i.told.UpTo(), ID: math.MaxInt64}
	for {
		payloads, next, err := i.read(ctx, after)
		if err != nil {
			return err
		}
		for _, payload := range payloads {
			i.told.Add(payload.Message.ID, payload.Message.CreatedAt)
			payload.Cursor = i.told.Cursor()
			if err := i.send(payload); err != nil {
				return err
			}
		}
		if next == nil {
			return nil
		}
		after = next
	}
}

// read returns those of a page of messages that are not told yet, with their senders, and where the next page begins.
func (i *inbox) read(ctx context.Context, after *page.Cursor) ([]*model.MessageReceivedPayload, *page.Cursor, error) {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	reply, err := i.Social.ListReceivedMessages(ctx,
		&social.ListReceivedMessagesRequest{UserID: i.viewer, Limit: 2 * missedPage, After: after})
	if err != nil {
		return nil, nil, err
	}
	var payloads []*model.MessageReceivedPayload
	var senders []int64
	for _, row := range reply.Messages {
		i.told.Met(row.ID, row.CreatedAt)
		if !i.told.Has(row.ID, row.CreatedAt) {
			payloads = append(payloads, &model.MessageReceivedPayload{Message: &model.Message{Message: row, ViewerID: i.viewer}})
			senders = append(senders, row.FromUserID)
		}
	}
	if i.from != nil && len(payloads) > 0 {
		w := i.walk(ctx)
		w.users(ctx, i.from, senders, func(users map[int64]model.Joined[*model.User]) {
			for _, payload := range payloads {
				payload.FromUser = users[payload.Message.FromUserID]
			}
		})
		w.run()
	}
	var next *page.Cursor
	if reply.HasMore {
		last := reply.Messages[len(reply.Messages)-1]
		next = &page.Cursor{CreatedAt: last.CreatedAt, ID: last.ID}
	}
	return payloads, next, nil
}

// premieres tells a user the videos of those whom the user follows. An event names the video and its author, and is
// checked against the follows that the subscription keeps in mind: a video costs nothing for those who do not follow
// its author, and for the others what they select of it.
type premieres struct {
	*Resolver
	viewer  int64
	video   selection
	follows map[int64]bool // nil = too many to keep
	told    *model.Told
	send    func(*model.VideoPublishedPayload) error
}

func (p *premieres) run(ctx context.Context, listener *live.Listener, fromNow bool) error {
	return follow(ctx, listener, p.told, fromNow, p.skip, p.catchUp, p.hear)
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

// counts tells the counts of videos.
type counts struct {
	*Resolver
	ids   []int64
	video selection
	send  func(*model.VideoStatsChangedPayload) error

	// always says that each event is told, for what is selected shows more of it than the counts.
	always bool
	told   map[int64]videoState // the last that was told
}

// videoState is what is told of a video only when it differs.
type videoState struct {
	there bool
	stats interaction.VideoStats
}

// run tells all counts as they are, and then those that change. What changes within a short time is told together, and
// looked at once more some time later.
func (c *counts) run(ctx context.Context, listener *live.Listener) error {
	counted, more := false, c.video == nil
	for _, f := range c.video.fields(ctx, model.TypeVideo) {
		counted = counted || isCount(f.Name)
		more = more || f.Name == "comments"
	}
	c.always, c.told = more || !counted, map[int64]videoState{}
	if err := c.tell(ctx, c.ids, true); err != nil {
		return err
	}
	again := map[int64]time.Time{} // when to read once more
	changed := c.ids
	for {
		if counted {
			for _, id := range changed {
				again[id] = time.Now().Add(statsAgain)
			}
		}
		events, lost, err := takeUntil(ctx, listener, again)
		if err != nil {
			return err
		}
		wait := statsPause
		changed = nil
		for _, event := range events {
			changed = append(changed, event.ID)
		}
		if lost {
			changed, wait = c.ids, rand.N(catchUpSpread)
		}
		if len(changed) > 0 {
			if err := pause(ctx, wait); err != nil {
				return err
			}
			if err := c.tell(ctx, distinct(changed), c.always); err != nil {
				return err
			}
		}
		if due := c.due(again, changed); len(due) > 0 {
			if err := c.tell(ctx, due, false); err != nil {
				return err
			}
		}
	}
}

// due takes out the videos that are to be read once more now, without those that were just read.
func (c *counts) due(again map[int64]time.Time, read []int64) (due []int64) {
	for _, id := range read {
		delete(again, id)
	}
	for _, id := range c.ids {
		if at, waits := again[id]; waits && !time.Now().Before(at) {
			delete(again, id)
			due = append(due, id)
		}
	}
	return due
}

// takeUntil takes the next events, none when the earliest of the times comes first.
func takeUntil(ctx context.Context, listener *live.Listener, times map[int64]time.Time) ([]live.Event, bool, error) {
	if len(times) == 0 {
		return listener.Take(ctx)
	}
	first := slices.MinFunc(slices.Collect(maps.Values(times)), time.Time.Compare)
	bounded, cancel := context.WithDeadline(ctx, first)
	defer cancel()
	events, lost, err := listener.Take(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return nil, false, nil
	}
	return events, lost, err
}

// tell tells the videos as they are, without always only those that differ from what was told.
func (c *counts) tell(ctx context.Context, ids []int64, always bool) error {
	videos, err := c.load(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		video := videos[id].Value
		state, failed := videoState{there: video != nil}, false
		if video != nil {
			state.stats, failed = video.Stats.Value, video.Stats.Err != nil
		}
		if !always && !failed && c.told[id] == state {
			continue
		}
		c.told[id] = state
		payload := &model.VideoStatsChangedPayload{VideoID: model.GlobalID(model.TypeVideo, id), Video: video}
		if err := c.send(payload); err != nil {
			return err
		}
	}
	return nil
}

func (c *counts) load(ctx context.Context, ids []int64) (map[int64]model.Joined[*model.Video], error) {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	return c.videosByID(ctx, c.video, ids)
}

// videosByID returns videos by id with what is selected of them, nil for an unknown id.
func (r *Resolver) videosByID(ctx context.Context, sel selection, ids []int64) (map[int64]model.Joined[*model.Video], error) {
	w := r.walk(ctx)
	var found map[int64]model.Joined[*model.Video]
	w.videosByID(ctx, sel, ids, func(videos map[int64]model.Joined[*model.Video]) { found = videos })
	w.run()
	for _, video := range found {
		if video.Err != nil {
			return nil, video.Err
		}
	}
	return found, nil
}
