// Package interaction is the service of likes and comments.
//
// It knows users and videos only as ids. Callers check that they exist, and purge the data of deleted ones.
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

// When a like is acknowledged. All instances on one database must use the same mode.
const (
	// AckStored acknowledges a like when it is in the database.
	AckStored = "stored"
	// AckLogged acknowledges a like when it is in Redis, which must then lose nothing. While Redis is unavailable, likes
	// are refused.
	AckLogged = "logged"
)

// Config configures the service.
type Config struct {
	Redis    redis.UniversalClient // the log of AckLogged; nil for none
	Cache    cache.Store           // nil caches nothing
	Ack      string                // AckStored or AckLogged; "" is AckStored
	Log      *slog.Logger
	Registry *prometheus.Registry // registers the metrics of the log; nil for none
	// LagAlarm is the age of the oldest log entry that is logged as an error; 0 means 10 s.
	LagAlarm time.Duration
	// OwnWait is how long a user's own pages wait for the user's latest likes to be in the database; 0 means 200 ms.
	OwnWait time.Duration
}

// Handler implements the service. Errors that the client can correct have a code of minidouyin/idl/codes.
type Handler struct {
	store *store
	likes *batcher
	log   *likelog.Log // nil for AckStored
}

var _ interaction.InteractionService = (*Handler)(nil)

// store keeps likes, comments and their counts in the database, behind caches. Every transaction writes likes or comments
// first, then video_stats, then user_like_stats, each in the order of its key, which avoids most deadlocks.
type store struct {
	db       *database.DB
	caches   caches
	reserved atomic.Int64 // of likeLog, as far as this process knows
}

func now() int64 { return time.Now().UnixMilli() }

// New migrates the database to the schema of the service and returns the handler. The caller closes everything that it
// passes in.
func New(ctx context.Context, db *database.DB, cfg Config) (*Handler, error) {
	if err := db.Migrate(ctx, schema); err != nil {
		return nil, err
	}
	h := &Handler{store: &store{db: db, caches: newCaches(cfg.Cache)}}
	if err := h.openLog(ctx, cfg); err != nil {
		return nil, err
	}
	h.likes = newBatcher(inFlight, h.writeLikes)
	return h, nil
}

// Close writes the likes that are queued or logged, within a few seconds, and stops the goroutines of the handler. The
// server must be stopped before.
func (h *Handler) Close() {
	h.likes.close()
	if h.log != nil {
		h.log.Close()
	}
}

// writeLikes writes a batch of likes to the database or to the log.
func (h *Handler) writeLikes(ctx context.Context, changes []like) []error {
	if h.log == nil {
		return h.store.changeLikes(ctx, changes, byCommit)
	}
	logged := make([]likelog.Change, len(changes))
	for i, l := range changes {
		logged[i] = likelog.Change{Pair: l.pair(), AuthorID: l.AuthorID, Liked: l.Liked}
	}
	return h.log.Change(ctx, logged)
}

// LikeVideo likes a video. It is idempotent. Codes: InvalidArgument, UpstreamUnavailable.
func (h *Handler) LikeVideo(ctx context.Context, req *interaction.LikeVideoRequest) (*interaction.LikeVideoResponse, error) {
	if err := argument.First(argument.ID("user", req.UserID), argument.ID("video", req.VideoID), argument.ID("author", req.AuthorID)); err != nil {
		return nil, err
	}
	if err := h.likes.change(ctx, like{UserID: req.UserID, VideoID: req.VideoID, AuthorID: req.AuthorID, Liked: 1}); err != nil {
		return nil, err
	}
	return &interaction.LikeVideoResponse{}, nil
}

// UnlikeVideo removes a like. It is idempotent. Codes: InvalidArgument, UpstreamUnavailable.
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
		h.log.Pending(ctx, req.UserIds...) // waits for the users' latest likes
	}
	found, err := h.store.likesOf(ctx, req.UserIds, req.Page)
	if err != nil {
		return nil, err
	}
	return &interaction.ListLikedVideoIDsResponse{Pages: found}, nil
}

// BatchGetVideoStats returns the counts of every video, zeros for videos without likes and comments. Code:
// InvalidArgument.
func (h *Handler) BatchGetVideoStats(ctx context.Context, req *interaction.BatchGetVideoStatsRequest) (*interaction.BatchGetVideoStatsResponse, error) {
	if err := argument.First(argument.IDs("video", req.VideoIds), argument.Viewer(req.ViewerID)); err != nil {
		return nil, err
	}
	var pending map[likelog.Pair]bool
	if h.log != nil && req.ViewerID != 0 {
		pending = h.log.Pending(ctx, req.ViewerID)
	}
	found, err := h.store.stats(ctx, req.ViewerID, req.VideoIds)
	if err != nil {
		return nil, err
	}
	for p, liked := range pending {
		if stats := found[p.VideoID]; stats != nil {
			stats.LikedByViewer = liked
		}
	}
	return &interaction.BatchGetVideoStatsResponse{Stats: found}, nil
}

// BatchGetUserLikeStats returns the counts of every user. Code: InvalidArgument.
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

// CreateComment creates a comment. Code: InvalidArgument.
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
	return &interaction.BatchGetCommentsResponse{Comments: found}, nil
}

// DeleteComment deletes a comment of the video. Codes: InvalidArgument, NotFound, PermissionDenied.
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

// ListComments returns a page of the comments of each video, newest first. Code: InvalidArgument.
func (h *Handler) ListComments(ctx context.Context, req *interaction.ListCommentsRequest) (*interaction.ListCommentsResponse, error) {
	if err := argument.Pages("video", req.VideoIds, req.Page); err != nil {
		return nil, err
	}
	found, err := h.store.commentsUnder(ctx, req.VideoIds, req.Page)
	if err != nil {
		return nil, err
	}
	return &interaction.ListCommentsResponse{Pages: found}, nil
}

// PurgeVideo deletes all likes and comments of a deleted video. It may be repeated. Code: InvalidArgument.
func (h *Handler) PurgeVideo(ctx context.Context, req *interaction.PurgeVideoRequest) (*interaction.PurgeVideoResponse, error) {
	if err := argument.ID("video", req.VideoID); err != nil {
		return nil, err
	}
	if err := h.waitForLog(ctx, 0); err != nil {
		return nil, err
	}
	if err := h.store.purgeVideo(ctx, req.VideoID); err != nil {
		return nil, err
	}
	return &interaction.PurgeVideoResponse{}, nil
}

// PurgeUser deletes all likes and comments by a deleted user. It may be repeated. Likes and comments of the user's videos
// are deleted by [Handler.PurgeVideo]. Code: InvalidArgument.
func (h *Handler) PurgeUser(ctx context.Context, req *interaction.PurgeUserRequest) (*interaction.PurgeUserResponse, error) {
	if err := argument.ID("user", req.UserID); err != nil {
		return nil, err
	}
	if err := h.waitForLog(ctx, req.UserID); err != nil {
		return nil, err
	}
	if err := h.store.purgeUser(ctx, req.UserID); err != nil {
		return nil, err
	}
	return &interaction.PurgeUserResponse{}, nil
}
