// Package social is the service of follows and messages.
//
// It knows users only as ids: callers have made sure that they exist, and purge what is left of those that were
// deleted.
package social

import (
	"context"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/services/internal/argument"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/database"
)

// maxMessage is the longest message, in characters.
const maxMessage = 256

// Handler answers the calls of the service. Errors that the sender can mend have a code of minidouyin/idl/codes.
type Handler struct {
	store store
}

var _ social.SocialService = (*Handler)(nil)

// store keeps follows and messages: [tables] in the database, [cached] with a cache before it.
type store interface {
	follow(ctx context.Context, from, to int64) error
	unfollow(ctx context.Context, from, to int64) error
	following(ctx context.Context, users []int64, p *page.Page) (map[int64]*social.FollowPage, error)
	followers(ctx context.Context, users []int64, p *page.Page) (map[int64]*social.FollowPage, error)
	friends(ctx context.Context, userID int64, p *page.Page) (*social.FollowPage, error)
	stats(ctx context.Context, viewer int64, users []int64) (map[int64]*social.RelationStats, error)

	send(ctx context.Context, m *message) error
	messages(ctx context.Context, a, b int64, limit int, before *page.Cursor) (*social.ListMessagesResponse, error)
	received(ctx context.Context, userID, peer int64, limit int, after int64) (*social.ListMessagesResponse, error)
	latest(ctx context.Context, userID int64, peers []int64) (map[int64]*social.Message, error)
	inbox(ctx context.Context, userID int64, limit int, after *page.Cursor) (*social.ListReceivedMessagesResponse, error)

	purgeUser(ctx context.Context, id int64) error
}

// New brings the database to the service's schema and returns the handler, which caches what it reads unless the
// cache is nil. It does not close the database.
func New(ctx context.Context, db *database.DB, store cache.Store) (*Handler, error) {
	if err := db.Migrate(ctx, schema); err != nil {
		return nil, err
	}
	h := &Handler{store: &tables{db: db}}
	if store != nil {
		h.store = newCached(&tables{db: db}, store)
	}
	return h, nil
}

// Follow makes a user follow another; it may be repeated and counts once. Code: InvalidArgument.
func (h *Handler) Follow(ctx context.Context, req *social.FollowRequest) (*social.FollowResponse, error) {
	if err := argument.First(argument.ID("user", req.FromUserID), argument.ID("user", req.ToUserID)); err != nil {
		return nil, err
	}
	if req.FromUserID == req.ToUserID {
		return nil, codes.Errorf(codes.InvalidArgument, "nobody follows themselves")
	}
	if err := h.store.follow(ctx, req.FromUserID, req.ToUserID); err != nil {
		return nil, err
	}
	return &social.FollowResponse{}, nil
}

// Unfollow takes a follow back; it may be repeated. Code: InvalidArgument.
func (h *Handler) Unfollow(ctx context.Context, req *social.UnfollowRequest) (*social.UnfollowResponse, error) {
	if err := argument.First(argument.ID("user", req.FromUserID), argument.ID("user", req.ToUserID)); err != nil {
		return nil, err
	}
	if err := h.store.unfollow(ctx, req.FromUserID, req.ToUserID); err != nil {
		return nil, err
	}
	return &social.UnfollowResponse{}, nil
}

// ListFollowing returns a page of those whom each user follows, latest first. Code: InvalidArgument.
func (h *Handler) ListFollowing(ctx context.Context, req *social.ListFollowingRequest) (*social.ListFollowingResponse, error) {
	if err := argument.Pages("user", req.UserIds, req.Page); err != nil {
		return nil, err
	}
	found, err := h.store.following(ctx, req.UserIds, req.Page)
	if err != nil {
		return nil, err
	}
	return &social.ListFollowingResponse{Pages: found}, nil
}

// ListFollowers returns a page of those who follow each user, latest first. Code: InvalidArgument.
func (h *Handler) ListFollowers(ctx context.Context, req *social.ListFollowersRequest) (*social.ListFollowersResponse, error) {
	if err := argument.Pages("user", req.UserIds, req.Page); err != nil {
		return nil, err
	}
	found, err := h.store.followers(ctx, req.UserIds, req.Page)
	if err != nil {
		return nil, err
	}
	return &social.ListFollowersResponse{Pages: found}, nil
}

// ListFriends returns a page of the users who follow the user and are followed back, with the latest message of
// each; those followed latest come first. Code: InvalidArgument.
func (h *Handler) ListFriends(ctx context.Context, req *social.ListFriendsRequest) (*social.ListFriendsResponse, error) {
	if err := argument.First(argument.ID("user", req.UserID), argument.Page(req.Page)); err != nil {
		return nil, err
	}
	found, err := h.store.friends(ctx, req.UserID, req.Page)
	if err != nil {
		return nil, err
	}
	peers := make([]int64, len(found.Edges))
	for i, e := range found.Edges {
		peers[i] = e.UserID
	}
	latest, err := h.store.latest(ctx, req.UserID, peers)
	if err != nil {
		return nil, err
	}
	edges := make([]*social.FriendEdge, len(found.Edges))
	for i, e := range found.Edges {
		edges[i] = &social.FriendEdge{ID: e.ID, UserID: e.UserID, CreatedAt: e.CreatedAt, LatestMessage: latest[e.UserID]}
	}
	return &social.ListFriendsResponse{Page: &social.FriendPage{Edges: edges, HasMore: found.HasMore}}, nil
}

// BatchGetRelationStats returns the counts of every user asked for, zeros for those nobody follows. Code:
// InvalidArgument.
func (h *Handler) BatchGetRelationStats(ctx context.Context, req *social.BatchGetRelationStatsRequest) (*social.BatchGetRelationStatsResponse, error) {
	if err := argument.First(argument.IDs("user", req.UserIds), argument.Viewer(req.ViewerID)); err != nil {
		return nil, err
	}
	found, err := h.store.stats(ctx, req.ViewerID, req.UserIds)
	if err != nil {
		return nil, err
	}
	return &social.BatchGetRelationStatsResponse{Stats: found}, nil
}

// SendMessage sends a message. Code: InvalidArgument.
func (h *Handler) SendMessage(ctx context.Context, req *social.SendMessageRequest) (*social.SendMessageResponse, error) {
	if err := argument.First(argument.ID("user", req.FromUserID), argument.ID("user", req.ToUserID), argument.Body("message", req.Content, maxMessage)); err != nil {
		return nil, err
	}
	if req.FromUserID == req.ToUserID {
		return nil, codes.Errorf(codes.InvalidArgument, "nobody writes to themselves")
	}
	m := message{FromID: req.FromUserID, ToID: req.ToUserID, Content: req.Content}
	if err := h.store.send(ctx, &m); err != nil {
		return nil, err
	}
	return &social.SendMessageResponse{Message: m.wire()}, nil
}

// ListMessages returns messages of two users, oldest first: the latest before a cursor, or those received after a
// time. Code: InvalidArgument.
func (h *Handler) ListMessages(ctx context.Context, req *social.ListMessagesRequest) (*social.ListMessagesResponse, error) {
	if err := argument.First(argument.ID("user", req.UserID), argument.ID("peer", req.PeerID), argument.Limit(req.Limit)); err != nil {
		return nil, err
	}
	if req.Before != nil && req.ReceivedAfter != nil {
		return nil, codes.Errorf(codes.InvalidArgument, "messages are listed before a cursor or after a time, not both")
	}
	if req.ReceivedAfter != nil {
		return h.store.received(ctx, req.UserID, req.PeerID, int(req.Limit), *req.ReceivedAfter)
	}
	return h.store.messages(ctx, req.UserID, req.PeerID, int(req.Limit), req.Before)
}

// ListReceivedMessages returns messages that anybody sent to the user, oldest first: those behind a cursor, else the
// latest. Code: InvalidArgument.
func (h *Handler) ListReceivedMessages(ctx context.Context, req *social.ListReceivedMessagesRequest) (*social.ListReceivedMessagesResponse, error) {
	if err := argument.First(argument.ID("user", req.UserID), argument.Limit(req.Limit)); err != nil {
		return nil, err
	}
	return h.store.inbox(ctx, req.UserID, int(req.Limit), req.After)
}

// PurgeUser deletes what is held of a deleted user; it may be repeated. Code: InvalidArgument.
func (h *Handler) PurgeUser(ctx context.Context, req *social.PurgeUserRequest) (*social.PurgeUserResponse, error) {
	if err := argument.ID("user", req.UserID); err != nil {
		return nil, err
	}
	if err := h.store.purgeUser(ctx, req.UserID); err != nil {
		return nil, err
	}
	return &social.PurgeUserResponse{}, nil
}
