package graph

import (
	"context"
	"minidouyin/graph/live"
	"minidouyin/graph/model"
	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/social"
)

// Follow is the resolver for the follow field.
func (r *mutationResolver) Follow(ctx context.Context, input model.FollowInput) (*model.FollowPayload, error) {
	row, err := r.namedUser(ctx, input.UserID)
	if err != nil {
		return nil, err
	}
	_, err = r.Social.Follow(ctx, &social.FollowRequest{FromUserID: ViewerID(ctx), ToUserID: row.ID})
	if err != nil {
		return nil, err
	}
	r.Live.Publish(live.Event{Topic: live.Topic{Kind: live.Follows, ID: ViewerID(ctx)}, Object: row.ID})
	payload := &model.FollowPayload{User: r.newUser(ctx, row)}
	loadSelected(ctx, r.Resolver, &r.fields.follow, payload)
	return payload, nil
}

// Unfollow is the resolver for the unfollow field.
func (r *mutationResolver) Unfollow(ctx context.Context, input model.UnfollowInput) (*model.UnfollowPayload, error) {
	row, err := r.namedUser(ctx, input.UserID)
	if err != nil {
		return nil, err
	}
	_, err = r.Social.Unfollow(ctx, &social.UnfollowRequest{FromUserID: ViewerID(ctx), ToUserID: row.ID})
	if err != nil {
		return nil, err
	}
	r.Live.Publish(live.Event{Topic: live.Topic{Kind: live.Follows, ID: ViewerID(ctx)}, Object: row.ID})
	payload := &model.UnfollowPayload{User: r.newUser(ctx, row)}
	loadSelected(ctx, r.Resolver, &r.fields.unfollow, payload)
	return payload, nil
}

// SendMessage is the resolver for the sendMessage field.
func (r *mutationResolver) SendMessage(ctx context.Context, input model.SendMessageInput) (*model.SendMessagePayload, error) {
	receiver, err := r.namedUser(ctx, input.UserID)
	if err != nil {
		return nil, err
	}
	reply, err := r.Social.SendMessage(ctx, &social.SendMessageRequest{
		FromUserID: ViewerID(ctx), ToUserID: receiver.ID, Content: input.Content})
	if err != nil {
		return nil, err
	}
	r.Live.Publish(live.Event{Topic: live.Topic{Kind: live.Inbox, ID: receiver.ID}, Object: reply.Message.ID})
	return &model.SendMessagePayload{Message: &model.Message{Message: reply.Message, ViewerID: ViewerID(ctx)}}, nil
}

// Conversation is the resolver for the conversation field.
func (r *queryResolver) Conversation(ctx context.Context, with string, last *int, before *string, receivedAfter *int64) (*model.Connection[*model.Message], error) {
	if last == nil {
		size := ConversationPage
		last = &size
	}
	pages, err := pageOf(ctx, model.Args(last, before))
	if err != nil {
		return nil, err
	}
	if before != nil && receivedAfter != nil {
		return nil, codes.Errorf(codes.InvalidArgument, "before and receivedAfter do not go together")
	}
	peer, err := r.namedUser(ctx, with)
	if err != nil {
		return nil, err
	}
	reply, err := r.Social.ListMessages(ctx, &social.ListMessagesRequest{UserID: ViewerID(ctx), PeerID: peer.ID,
		Limit: pages.limit, Before: pages.wire().After, ReceivedAfter: receivedAfter})
	if err != nil {
		return nil, err
	}
	polling := receivedAfter != nil // reads the list forwards
	connection := model.NewConnection[*model.Message](polling && reply.HasMore, !polling && reply.HasMore)
	for _, row := range reply.Messages {
		connection.Add(row.CreatedAt, row.ID, &model.Message{Message: row, ViewerID: ViewerID(ctx)})
	}
	return connection, nil
}

func (r *subscriptionResolver) MessageReceived(ctx context.Context, after *string) (<-chan *model.MessageReceivedPayload, error) {
	sent, err := sentUntil(after)
	if err != nil {
		return nil, err
	}
	topics := []live.Topic{{Kind: live.Inbox, ID: ViewerID(ctx)}}
	return stream(ctx, r.Live, topics, func(listener *live.Listener, send func(*model.MessageReceivedPayload) error) error {
		m := &receivedMessages{r: r.Resolver, viewer: ViewerID(ctx), sel: selected(ctx), sent: sent, send: send}
		return m.run(ctx, listener, after == nil)
	})
}
