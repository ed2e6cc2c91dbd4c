// Package social is the service of follows and messages.
//
// It knows users only as ids. Callers check that users exist, and purge the data of deleted ones.
package social

import (
	"context"
	"time"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/services/internal/argument"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/database"
)

// maxMessage is the longest message, in characters.
const maxMessage = 256

// Handler implements the service. Errors that the client can correct have a code of minidouyin/idl/codes.
type Handler struct {
	store *store
}

var _ social.SocialService = (*Handler)(nil)

// store keeps follows and messages in the database, behind caches. Every transaction writes follows first, then
// relation_stats in the order of its key, which avoids most deadlocks.
type store struct {
	db     *database.DB
	caches caches
}

func now() int64 { return time.Now().UnixMilli() }

// New migrates the database to the schema of the service and returns the handler. With a nil cache it caches nothing.
// The caller closes the database.
func New(ctx context.Context, db *database.DB, s cache.Store) (*Handler, error) {
	if err := db.Migrate(ctx, schema); err != nil {
		return nil, err
	}
	return &Handler{store: &store{db: db, caches: newCaches(s)}}, nil
}

// Follow makes a user follow another. It is idempotent. Code: InvalidArgument.
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

// Unfollow deletes a follow. It is idempotent. Code: InvalidArgument.
func (h *Handler) Unfollow(ctx context.Context, req *social.UnfollowRequest) (*social.UnfollowResponse, error) {
	if err := argument.First(argument.ID("user", req.FromUserID), argument.ID("user", req.ToUserID)); err != nil {
		return nil, err
	}
	if err := h.store.unfollow(ctx, req.FromUserID, req.ToUserID); err != nil {
		return nil, err
	}
	return &social.UnfollowResponse{}, nil
}

// ListFollowing returns a page of the users whom each user follows, latest first. Code: InvalidArgument.
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

// ListFollowers returns a page of the users who follow each user, latest first. Code: InvalidArgument.
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

// ListFriends returns a page of the users whom the user follows and who follow back, latest followed first, each with
// the latest message. Code: InvalidArgument.
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

// BatchGetRelationStats returns the counts of every user, zeros for users without follows. Code: InvalidArgument.
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

// ListReceivedMessages returns messages that the user received from anybody, oldest first: those after a cursor, or the
// latest. Code: InvalidArgument.
func (h *Handler) ListReceivedMessages(ctx context.Context, req *social.ListReceivedMessagesRequest) (*social.ListReceivedMessagesResponse, error) {
	if err := argument.First(argument.ID("user", req.UserID), argument.Limit(req.Limit)); err != nil {
		return nil, err
	}
	return h.store.inbox(ctx, req.UserID, int(req.Limit), req.After)
}

// PurgeUser deletes all data of a deleted user. It may be repeated. Code: InvalidArgument.
func (h *Handler) PurgeUser(ctx context.Context, req *social.PurgeUserRequest) (*social.PurgeUserResponse, error) {
	if err := argument.ID("user", req.UserID); err != nil {
		return nil, err
	}
	if err := h.store.purgeUser(ctx, req.UserID); err != nil {
		return nil, err
	}
	return &social.PurgeUserResponse{}, nil
}
