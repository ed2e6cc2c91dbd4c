// Package interaction is the service of likes and comments.
//
// It knows users and videos only as ids: callers have made sure that they exist, and purge what is left of those
// that were deleted.
package interaction

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/services/interaction/likelog"
	"minidouyin/services/internal/argument"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/database"
)

// maxComment is the longest comment, in characters.
const maxComment = 256

// The moments at which a like is acknowledged. All instances on one database must have the same.
const (
	// AckStored is when the database has it.
	AckStored = "stored"
	// AckLogged is when Redis has it, which must then lose nothing that it has acknowledged. While Redis is unavailable,
	// likes are refused.
	AckLogged = "logged"
)

// Config configures the service.
type Config struct {
	Redis    redis.UniversalClient // holds the log of AckLogged; nil for none
	Cache    cache.Store           // nil for none
	Ack      string                // AckStored or AckLogged; "" is AckStored
	Log      *slog.Logger
	Registry *prometheus.Registry // takes the metrics of the log; nil for none
	// LagAlarm is the age of the oldest entry of the log that is worth an error in the log; 0 means 10 s.
	LagAlarm time.Duration
	// OwnWait is how long a user's own pages wait for what the user has just liked and the database does not have yet;
	// 0 means 200 ms.
	OwnWait time.Duration
}

// Handler answers the calls of the service. Errors that the sender can mend have a code of minidouyin/idl/codes.
type Handler struct {
	store *store
	likes *batcher
	log   *likelog.Log // nil for AckStored
}

var _ interaction.InteractionService = (*Handler)(nil)

// store keeps likes, comments and their counts in the database. Every transaction touches likes or comments first,
// then video_stats, then user_like_stats, each in the order of its keys: so few of them meet in a deadlock.
type store struct {
	db       *database.DB
	caches   *caches
	reserved atomic.Int64 // of likeLog, as this process knows it
}

func now() int64 { return time.Now().UnixMilli() }

// New brings the database to the service's schema and returns the handler. It closes none of what it is given.
func New(ctx context.Context, db *database.DB, cfg Config) (*Handler, error) {
	if err := db.Migrate(ctx, schema); err != nil {
		return nil, err
	}
	h := &Handler{store: &store{db: db, caches: openCaches(cfg.Cache)}}
	if err := h.openLog(ctx, cfg); err != nil {
		return nil, err
	}
	h.likes = newBatcher(inFlight, h.writeLikes)
	return h, nil
}

// Close stores the likes that are queued or logged, within a few seconds, and ends what the handler runs. No calls may
// come any more.
func (h *Handler) Close() {
	h.likes.close()
	if h.log != nil {
		h.log.Close()
	}
}

// writeLikes writes a batch of likes to where they are acknowledged.
func (h *Handler) writeLikes(ctx context.Context, changes []like) []error {
	if h.log == nil {
		return h.store.changeLikes(ctx, changes, byCommit)
	}
	logged := make([]likelog.Change, len(changes))
	for i, l := range changes {
		logged[i] = likelog.Change{Pair: likelog.Pair{UserID: l.UserID, VideoID: l.VideoID}, AuthorID: l.AuthorID, Liked: l.Liked}
	}
	return h.log.Change(ctx, logged)
}

// LikeVideo likes a video; it may be repeated and counts once. Codes: InvalidArgument, UpstreamUnavailable.
func (h *Handler) LikeVideo(ctx context.Context, req *interaction.LikeVideoRequest) (*interaction.LikeVideoResponse, error) {
	if err := argument.First(argument.ID("user", req.UserID), argument.ID("video", req.VideoID), argument.ID("author", req.AuthorID)); err != nil {
		return nil, err
	}
	if err := h.likes.change(ctx, like{UserID: req.UserID, VideoID: req.VideoID, AuthorID: req.AuthorID, Liked: 1}); err != nil {
		return nil, err
	}
	return &interaction.LikeVideoResponse{}, nil
}

// UnlikeVideo takes a like back; it may be repeated. Codes: InvalidArgument, UpstreamUnavailable.
func (h *Handler) UnlikeVideo(ctx context.Context, req *interaction.UnlikeVideoRequest) (*interaction.UnlikeVideoResponse, error) {
	if err := argument.First(argument.ID("user", req.UserID), argument.ID("video", req.VideoID)); err != nil {
		return nil, err
	}
	if err := h.likes.change(ctx, like{UserID: req.UserID, VideoID: req.VideoID}); err != nil {
		return nil, err
	}
	return &interaction.UnlikeVideoResponse{}, nil
}

// ListLikedVideoIDs returns a page of each user's likes, latest first. Code: InvalidArgument.
func (h *Handler) ListLikedVideoIDs(ctx context.Context, req *interaction.ListLikedVideoIDsRequest) (*interaction.ListLikedVideoIDsResponse, error) {
	if err := argument.Pages("user", req.UserIds, req.Page); err != nil {
		return nil, err
	}
	if h.log != nil {
		h.log.Promised(ctx, req.UserIds...) // waits until the lists have what was just liked
	}
	found, err := h.store.likesOf(ctx, req.UserIds, req.Page)
	if err != nil {
		return nil, err
	}
	pages := make(map[int64]*interaction.LikePage, len(req.UserIds))
	for _, id := range req.UserIds {
		pages[id] = likePage(found[id])
	}
	return &interaction.ListLikedVideoIDsResponse{Pages: pages}, nil
}

// BatchGetVideoStats returns the counts of every video asked for, zeros for those nobody touched. Code:
// InvalidArgument.
func (h *Handler) BatchGetVideoStats(ctx context.Context, req *interaction.BatchGetVideoStatsRequest) (*interaction.BatchGetVideoStatsResponse, error) {
	if err := argument.First(argument.IDs("video", req.VideoIds), argument.Viewer(req.ViewerID)); err != nil {
		return nil, err
	}
	var promised map[likelog.Pair]bool
	if h.log != nil && req.ViewerID != 0 {
		promised = h.log.Promised(ctx, req.ViewerID)
	}
	found, err := h.store.stats(ctx, req.ViewerID, req.VideoIds)
	if err != nil {
		return nil, err
	}
	for p, liked := range promised {
		if stats := found[p.VideoID]; stats != nil {
			stats.LikedByViewer = liked
		}
	}
	return &interaction.BatchGetVideoStatsResponse{Stats: found}, nil
}

// BatchGetUserLikeStats returns the counts of every user asked for. Code: InvalidArgument.
func (h *Handler) BatchGetUserLikeStats(ctx context.Context, req *interaction.BatchGetUserLikeStatsRequest) (*interaction.BatchGetUserLikeStatsResponse, error) {
	if err := argument.IDs("user", req.UserIds); err != nil {
		return nil, err
	}
	found, err := h.store.userStats(ctx, req.UserIds)
	if err != nil {
		return nil, err
	}
	return &interaction.BatchGetUserLikeStatsResponse{Stats: found}, nil
}

// CreateComment writes a comment. Code: InvalidArgument.
func (h *Handler) CreateComment(ctx context.Context, req *interaction.CreateCommentRequest) (*interaction.CreateCommentResponse, error) {
	if err := argument.First(argument.ID("user", req.UserID), argument.ID("video", req.VideoID), argument.Body("comment", req.Content, maxComment)); err != nil {
		return nil, err
	}
	c := comment{UserID: req.UserID, VideoID: req.VideoID, Content: req.Content}
	if err := h.store.createComment(ctx, &c); err != nil {
		return nil, err
	}
	return &interaction.CreateCommentResponse{Comment: c.wire()}, nil
}

// BatchGetComments returns the comments that exist. Code: InvalidArgument.
func (h *Handler) BatchGetComments(ctx context.Context, req *interaction.BatchGetCommentsRequest) (*interaction.BatchGetCommentsResponse, error) {
	if err := argument.IDs("comment", req.CommentIds); err != nil {
		return nil, err
	}
	found, err := h.store.comments(ctx, req.CommentIds)
	if err != nil {
		return nil, err
	}
	comments := make(map[int64]*interaction.Comment, len(found))
	for i := range found {
		comments[found[i].ID] = found[i].wire()
	}
	return &interaction.BatchGetCommentsResponse{Comments: comments}, nil
}

// DeleteComment deletes a comment that stands under the video. Codes: InvalidArgument, NotFound, PermissionDenied.
func (h *Handler) DeleteComment(ctx context.Context, req *interaction.DeleteCommentRequest) (*interaction.DeleteCommentResponse, error) {
	if err := argument.First(argument.ID("comment", req.CommentID), argument.ID("video", req.VideoID),
		argument.ID("user", req.UserID), argument.ID("video author", req.VideoAuthorID)); err != nil {
		return nil, err
	}
	if err := h.store.deleteComment(ctx, req.CommentID, req.VideoID, req.UserID, req.VideoAuthorID); err != nil {
		return nil, err
	}
	return &interaction.DeleteCommentResponse{}, nil
}

// ListComments returns a page of the comments under each video, newest first. Code: InvalidArgument.
func (h *Handler) ListComments(ctx context.Context, req *interaction.ListCommentsRequest) (*interaction.ListCommentsResponse, error) {
	if err := argument.Pages("video", req.VideoIds, req.Page); err != nil {
		return nil, err
	}
	found, err := h.store.commentsUnder(ctx, req.VideoIds, req.Page)
	if err != nil {
		return nil, err
	}
	pages := make(map[int64]*interaction.CommentPage, len(req.VideoIds))
	for _, id := range req.VideoIds {
		rows := found[id]
		comments := make([]*interaction.Comment, len(rows.Rows))
		for i := range rows.Rows {
			comments[i] = rows.Rows[i].wire()
		}
		pages[id] = &interaction.CommentPage{Comments: comments, HasMore: rows.HasMore}
	}
	return &interaction.ListCommentsResponse{Pages: pages}, nil
}

// PurgeVideo deletes what is held of a deleted video; it may be repeated. Code: InvalidArgument.
func (h *Handler) PurgeVideo(ctx context.Context, req *interaction.PurgeVideoRequest) (*interaction.PurgeVideoResponse, error) {
	if err := argument.ID("video", req.VideoID); err != nil {
		return nil, err
	}
	if err := h.purgeVideo(ctx, req.VideoID); err != nil {
		return nil, err
	}
	return &interaction.PurgeVideoResponse{}, nil
}

// PurgeUser deletes what a deleted user gave; it may be repeated. What the user's videos received goes with
// [Handler.PurgeVideo]. Code: InvalidArgument.
func (h *Handler) PurgeUser(ctx context.Context, req *interaction.PurgeUserRequest) (*interaction.PurgeUserResponse, error) {
	if err := argument.ID("user", req.UserID); err != nil {
		return nil, err
	}
	if err := h.purgeUser(ctx, req.UserID); err != nil {
		return nil, err
	}
	return &interaction.PurgeUserResponse{}, nil
}
