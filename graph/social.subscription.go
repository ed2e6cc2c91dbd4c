package graph

import (
	"context"
	"math"

	"minidouyin/graph/live"
	"minidouyin/graph/model"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
)

// inbox is messageReceived: it tells a user the messages that come in. Events only wake it: what is new is read from
// the service, so that a cursor never passes over a message whose event is late.
type inbox struct {
	*Resolver
	viewer int64
	from   selection
	told   *model.Told
	send   func(*model.MessageReceivedPayload) error
}

func (i *inbox) run(ctx context.Context, listener *live.Listener, fromNow bool) error {
	hear := func(ctx context.Context, _ []live.Event) error { return i.tell(ctx) }
	return keepTelling(ctx, listener, i.told, fromNow, i.skip, i.tell, hear)
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
