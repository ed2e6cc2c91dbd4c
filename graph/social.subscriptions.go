package graph

import (
	"context"
	"math"

	"minidouyin/graph/live"
	"minidouyin/graph/model"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
)

// receivedMessages is the subscription messageReceived. An event only starts a read of new messages from the service,
// so a cursor never passes a message whose event is late.
type receivedMessages struct {
	r      *Resolver
	viewer int64
	sel    selection // of the payload
	sent   *model.Sent
	send   func(*model.MessageReceivedPayload) error
}

func (m *receivedMessages) run(ctx context.Context, listener *live.Listener, fromNow bool) error {
	handle := func(ctx context.Context, _ []live.Event) error { return m.sendNew(ctx) }
	return delivery{sent: m.sent, skip: m.skip, catchUp: m.sendNew, handle: handle}.run(ctx, listener, fromNow)
}

// skip marks the existing messages as sent.
func (m *receivedMessages) skip(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, eventTimeout)
	defer cancel()
	reply, err := m.r.Social.ListReceivedMessages(ctx,
		&social.ListReceivedMessagesRequest{UserID: m.viewer, Limit: missedPage})
	if err != nil {
		return err
	}
	for _, row := range reply.Messages {
		m.sent.Add(row.ID, row.CreatedAt)
	}
	return nil
}

// sendNew sends the messages that are not sent yet.
func (m *receivedMessages) sendNew(ctx context.Context) error {
	after := &page.Cursor{CreatedAt: m.sent.UpTo(), ID: math.MaxInt64}
	for {
		payloads, next, err := m.load(ctx, after)
		if err != nil {
			return err
		}
		for _, payload := range payloads {
			m.sent.Add(payload.Message.ID, payload.Message.CreatedAt)
			payload.Cursor = m.sent.Cursor()
			if err := m.send(payload); err != nil {
				return err
			}
		}
		if next == nil {
			return nil
		}
		after = next
	}
}

// load returns the messages of a page that are not sent yet, and the cursor of the next page, nil after the last one.
func (m *receivedMessages) load(
	ctx context.Context, after *page.Cursor,
) ([]*model.MessageReceivedPayload, *page.Cursor, error) {
	ctx, cancel := context.WithTimeout(ctx, eventTimeout)
	defer cancel()
	reply, err := m.r.Social.ListReceivedMessages(ctx,
		&social.ListReceivedMessagesRequest{UserID: m.viewer, Limit: 2 * missedPage, After: after})
	if err != nil {
		return nil, nil, err
	}
	w := m.r.walk(ctx)
	var payloads []*model.MessageReceivedPayload
	for _, row := range reply.Messages {
		m.sent.SetTime(row.ID, row.CreatedAt)
		if !m.sent.Has(row.ID, row.CreatedAt) {
			payloads = append(payloads, &model.MessageReceivedPayload{Message: w.message(row)})
		}
	}
	fill(ctx, w, &w.fields.messageReceived, m.sel, payloads)
	w.run()
	var next *page.Cursor
	if reply.HasMore {
		last := reply.Messages[len(reply.Messages)-1]
		next = &page.Cursor{CreatedAt: last.CreatedAt, ID: last.ID}
	}
	return payloads, next, nil
}
