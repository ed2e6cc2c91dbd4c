// Package social is the service of follows and messages.
//
// It knows users only as ids: callers have made sure that they exist, and purge what is left of those that were
// deleted.
package social

import (
	"context"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/services/internal/argument"
	"minidouyin/services/internal/database"
)

// maxMessage is the longest message, in characters.
const maxMessage = 256

// Handler answers the calls of the service. Errors that the sender can mend have a code of minidouyin/idl/codes.
type Handler struct {
	store *store
}

var _ social.SocialService = (*Handler)(nil)

// New brings the database to the service's schema and returns the handler. It does not close the database.
func New(ctx context.Context, db *database.DB) (*Handler, error) {
	if err := db.Migrate(ctx, schema); err != nil {
		return nil, err
	}
	return &Handler{store: &store{db: db}}, nil
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
	return &social.ListFollowingResponse{Pages: followPages(req.UserIds, found)}, nil
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
	return &social.ListFollowersResponse{Pages: followPages(req.UserIds, found)}, nil
}

func followPages[T interface{ wire() *social.FollowEdge }](users []int64, found map[int64]database.Rows[T]) map[int64]*social.FollowPage {
	pages := make(map[int64]*social.FollowPage, len(users))
	for _, id := range users {
		rows := found[id]
		edges := make([]*social.FollowEdge, len(rows.Rows))
		for i := range rows.Rows {
			edges[i] = rows.Rows[i].wire()
		}
		pages[id] = &social.FollowPage{Edges: edges, HasMore: rows.HasMore}
	}
	return pages
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
	peers := make([]int64, len(found.Rows))
	for i, f := range found.Rows {
		peers[i] = f.ToID
	}
	conversations, err := h.store.latest(ctx, req.UserID, peers)
	if err != nil {
		return nil, err
	}
	latest := make(map[int64]*social.Message, len(conversations))
	for _, c := range conversations {
		latest[c.LowID+c.HighID-req.UserID] = c.latest()
	}
	edges := make([]*social.FriendEdge, len(found.Rows))
	for i, f := range found.Rows {
		edges[i] = &social.FriendEdge{ID: f.ID, UserID: f.ToID, CreatedAt: f.CreatedAt, LatestMessage: latest[f.ToID]}
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
	stats := make(map[int64]*social.RelationStats, len(req.UserIds))
	for _, id := range req.UserIds {
		stats[id] = &social.RelationStats{}
	}
	for _, s := range found {
		stats[s.UserID] = &social.RelationStats{
			FollowingCount: s.FollowingCount, FollowerCount: s.FollowerCount, FollowedByViewer: s.Followed}
	}
	return &social.BatchGetRelationStatsResponse{Stats: stats}, nil
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
	var found database.Rows[message]
	var err error
	if req.ReceivedAfter != nil {
		found, err = h.store.received(ctx, req.UserID, req.PeerID, int(req.Limit), *req.ReceivedAfter)
	} else {
		found, err = h.store.messages(ctx, req.UserID, req.PeerID, int(req.Limit), req.Before)
	}
	if err != nil {
		return nil, err
	}
	return &social.ListMessagesResponse{Messages: wires(found.Rows), HasMore: found.HasMore}, nil
}

// ListReceivedMessages returns messages that anybody sent to the user, oldest first: those behind a cursor, else the
// latest. Code: InvalidArgument.
func (h *Handler) ListReceivedMessages(ctx context.Context, req *social.ListReceivedMessagesRequest) (*social.ListReceivedMessagesResponse, error) {
	if err := argument.First(argument.ID("user", req.UserID), argument.Limit(req.Limit)); err != nil {
		return nil, err
	}
	found, err := h.store.inbox(ctx, req.UserID, int(req.Limit), req.After)
	if err != nil {
		return nil, err
	}
	return &social.ListReceivedMessagesResponse{Messages: wires(found.Rows), HasMore: found.HasMore}, nil
}

func wires(rows []message) []*social.Message {
	messages := make([]*social.Message, len(rows))
	for i := range rows {
		messages[i] = rows[i].wire()
	}
	return messages
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
