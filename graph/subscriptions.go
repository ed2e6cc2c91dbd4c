package graph

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"minidouyin/graph/live"
	"minidouyin/graph/model"
	"minidouyin/idl/kitex_gen/basics"
)

// This file is the common part of the subscriptions. Each subscription is in *.subscriptions.go.

const (
	// eventTimeout bounds a batch of calls that an event needs.
	eventTimeout = 10 * time.Second
	// catchUpSpread spreads the reads of the subscribers that lost events at the same time.
	catchUpSpread = 2 * time.Second
	// missedPage is the number of missed rows that one call reads.
	missedPage = 100
)

// stream starts a subscription. run sends its payloads until it fails or ctx ends. The listener exists before run reads
// anything, so no change between the two is lost. The error or panic of run ends the subscription.
func stream[T any](
	ctx context.Context, hub *live.Hub, topics []live.Topic, run func(*live.Listener, func(T) error) error,
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
	go func() { // ends before its listener is closed, which the hub waits for
		defer listener.Close()
		defer close(payloads)
		defer func() {
			if cause := recover(); cause != nil {
				graphql.AddError(ctx, graphql.GetOperationContext(ctx).Recover(ctx, cause))
			}
		}()
		if err := run(listener, send); err != nil && ctx.Err() == nil {
			graphql.AddError(ctx, err)
		}
	}()
	return payloads, nil
}

// pause waits for d, or returns the error of ctx if that ends first.
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

// sentUntil parses the cursor that a subscription resumes from. Without a cursor, no row is sent yet.
func sentUntil(after *string) (*model.Sent, error) {
	if after == nil {
		return model.ParseSent("")
	}
	return model.ParseSent(*after)
}

// unmark marks items as not sent whose events arrived before the first read.
func unmark(sent *model.Sent, events []live.Event) {
	for _, event := range events {
		sent.Remove(event.Object)
	}
}

// delivery is how a subscription sends rows to its subscriber.
type delivery struct {
	sent    *model.Sent
	skip    func(context.Context) error               // marks the existing rows as sent
	catchUp func(context.Context) error               // sends the rows that are not sent yet
	handle  func(context.Context, []live.Event) error // sends the rows of events
}

// run sends rows until ctx ends: new rows only if fromNow, else also those since the cursor. It catches up again when
// events were lost.
func (d delivery) run(ctx context.Context, listener *live.Listener, fromNow bool) error {
	start := d.catchUp
	if fromNow {
		start = d.skip
	}
	if err := start(ctx); err != nil {
		return err
	}
	for ; ; fromNow = false {
		events, lost, err := listener.Take(ctx)
		if err != nil {
			return err
		}
		if fromNow {
			unmark(d.sent, events)
		}
		if !lost {
			err = d.handle(ctx, events)
		} else if err = pause(ctx, rand.N(catchUpSpread)); err == nil {
			err = d.catchUp(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// videosByID loads the rows of videos: one video for each ID, nil for an unknown one.
func (r *Resolver) videosByID(ctx context.Context, ids []int64) ([]*model.Video, error) {
	reply, err := r.Basics.BatchGetVideos(ctx, &basics.BatchGetVideosRequest{VideoIds: ids})
	if err != nil {
		return nil, err
	}
	videos := make([]*model.Video, len(ids))
	for i, id := range ids {
		if row := reply.Videos[id]; row != nil {
			videos[i] = r.newVideo(ctx, row)
		}
	}
	return videos, nil
}
