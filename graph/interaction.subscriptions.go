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
	// statsPause is how long changes of counts are collected before the counts are read. It is also the least time
	// between two payloads for a video.
	statsPause = 250 * time.Millisecond
	// statsAgain is when counts are read a second time: an event can arrive before the cached counts change.
	statsAgain = 2 * time.Second
	// maxWatched is the number of videos that one subscription watches at most.
	maxWatched = 100
)

// statsWatch is the subscription videoStatsChanged.
type statsWatch struct {
	r    *Resolver
	ids  []int64
	sel  selection // of the payload
	send func(*model.VideoStatsChangedPayload) error

	stats  bool                 // the stats of the video are selected
	always bool                 // every event sends a payload: more than the stats is selected
	last   map[int64]videoState // the state in the last payload of each video
}

// videoState is the part of a video whose change sends a payload.
type videoState struct {
	exists bool
	stats  interaction.VideoStats
}

func newStatsWatch(
	ctx context.Context, r *Resolver, ids []int64, send func(*model.VideoStatsChangedPayload) error,
) *statsWatch {
	s := &statsWatch{r: r, ids: ids, sel: selected(ctx), send: send, last: map[int64]videoState{}}
	video := s.sel.field(ctx, "VideoStatsChangedPayload", "video")
	s.stats = r.fields.video.needs(ctx, video, r.fields.videoStats)
	s.always = !s.stats || r.fields.video.needs(ctx, video, r.fields.videoComments)
	return s
}

// run sends the state of all videos, then that of changed ones. Changes within statsPause are sent together; statsAgain
// later the videos are read once more.
func (s *statsWatch) run(ctx context.Context, listener *live.Listener) error {
	if err := s.sendStates(ctx, s.ids, true); err != nil {
		return err
	}
	again := map[int64]time.Time{} // when to read once more
	changed := s.ids
	for {
		if s.stats {
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
			changed, wait = s.ids, rand.N(catchUpSpread)
		}
		if len(changed) > 0 {
			if err := pause(ctx, wait); err != nil {
				return err
			}
			if err := s.sendStates(ctx, distinct(changed), s.always); err != nil {
				return err
			}
		}
		if due := s.takeDue(again, changed); len(due) > 0 {
			if err := s.sendStates(ctx, due, false); err != nil {
				return err
			}
		}
	}
}

// takeDue removes from again the videos that were just read and those that are due, and returns the latter.
func (s *statsWatch) takeDue(again map[int64]time.Time, read []int64) (due []int64) {
	for _, id := range read {
		delete(again, id)
	}
	for _, id := range s.ids {
		if at, waits := again[id]; waits && !time.Now().Before(at) {
			delete(again, id)
			due = append(due, id)
		}
	}
	return due
}

// takeUntil takes the next events, or none if the earliest of the times comes first.
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

// sendStates sends the videos; without always, only those whose state differs from the last payload.
func (s *statsWatch) sendStates(ctx context.Context, ids []int64, always bool) error {
	payloads, err := s.load(ctx, ids)
	if err != nil {
		return err
	}
	for i, id := range ids {
		state, failed := videoState{exists: payloads[i].Video != nil}, false
		if state.exists && s.stats {
			state.stats, err = payloads[i].Video.Stats.Get()
			failed = err != nil
		}
		if !always && !failed && s.last[id] == state {
			continue
		}
		s.last[id] = state
		if err := s.send(payloads[i]); err != nil {
			return err
		}
	}
	return nil
}

// load returns the payload of each video.
func (s *statsWatch) load(ctx context.Context, ids []int64) ([]*model.VideoStatsChangedPayload, error) {
	ctx, cancel := context.WithTimeout(ctx, eventTimeout)
	defer cancel()
	videos, err := s.r.videosByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	payloads := make([]*model.VideoStatsChangedPayload, len(ids))
	for i, id := range ids {
		payloads[i] = &model.VideoStatsChangedPayload{VideoID: model.GlobalID(model.TypeVideo, id), Video: videos[i]}
	}
	w := s.r.walk(ctx)
	fill(ctx, w, &w.fields.videoStatsChanged, s.sel, payloads)
	w.run()
	return payloads, nil
}
