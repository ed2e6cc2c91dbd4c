package graph

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"minidouyin/graph/live"
	"minidouyin/graph/model"
)

// What the subscriptions of all three services have in common. Each of them is in the file beside its resolver.

const (
	// tellTimeout bounds the calls that one event needs.
	tellTimeout = 10 * time.Second
	// catchUpSpread spreads those who all read at once what they have missed.
	catchUpSpread = 2 * time.Second
	// missedPage is how many rows are read at once of what was missed.
	missedPage = 100
)

// stream runs a subscription: tell sends its payloads until it fails or ctx ends. It listens before tell reads
// anything, so nothing is lost in between. Its error, or panic, is the last that the client hears.
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

// keepTelling tells what happens: from now on, when skip notes what was before, or from where told ends, which catchUp
// tells, as it does whenever events were lost. hear tells the events.
func keepTelling(ctx context.Context, listener *live.Listener, told *model.Told, fromNow bool,
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
