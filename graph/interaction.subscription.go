package graph

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"minidouyin/graph/live"
	"minidouyin/graph/model"
	"minidouyin/idl/kitex_gen/interaction"
)

const (
	// statsPause is how long changes of counts are gathered before they are read, and so the least time between two
	// states of a video's counts.
	statsPause = 250 * time.Millisecond
	// statsAgain is when counts are read once more: an event may be earlier than the counts that a service keeps.
	statsAgain = 2 * time.Second
	// maxWatched is how many videos one subscription watches.
	maxWatched = 100
)

// counts is videoStatsChanged: it tells the counts of videos.
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
