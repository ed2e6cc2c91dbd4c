// Package basics is the service of users, videos and the feed.
//
// The transaction that deletes a user or a video also adds a removal for everything that other services and the file
// store hold of it. Clients work through the removals, so a crash leaves nothing behind.
package basics

import (
	"context"
	"time"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/services/internal/argument"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/database"
)

// The longest texts, in characters.
const (
	maxName      = 32
	maxPassword  = 32
	maxSignature = 100
	maxTitle     = 50
)

const (
	// maxReserved bounds how long a file may be reserved.
	maxReserved = 7 * 24 * time.Hour
	// batch is how many rows one statement deletes or inserts, and how many files one request reserves.
	batch = 500
)

// Handler implements the service. Errors that the client can correct have a code of minidouyin/idl/codes.
type Handler struct {
	store  *store
	hasher *hasher
}

var _ basics.BasicsService = (*Handler)(nil)

// store keeps users, videos and removals in the database, behind caches.
type store struct {
	db     *database.DB
	caches caches
}

func now() int64 { return time.Now().UnixMilli() }

// New migrates the database to the schema of the service and returns the handler. With a nil cache it caches nothing.
// The caller closes the database.
func New(ctx context.Context, db *database.DB, s cache.Store, cost PasswordCost) (*Handler, error) {
	if err := db.Migrate(ctx, schema); err != nil {
		return nil, err
	}
	return &Handler{store: &store{db: db, caches: newCaches(s)}, hasher: newHasher(cost)}, nil
}

// CreateUser registers a user. Codes: InvalidArgument, AlreadyExists.
func (h *Handler) CreateUser(ctx context.Context, req *basics.CreateUserRequest) (*basics.CreateUserResponse, error) {
	name, err := argument.Line("name", req.Name, maxName)
	if err := argument.First(err, argument.Password(req.Password, maxPassword)); err != nil {
		return nil, err
	}
	hash, err := h.hasher.hash(ctx, req.Password)
	if err != nil {
		return nil, err
	}
	u := user{Name: name, PasswordHash: hash}
	if err := h.store.createUser(ctx, &u); err != nil {
		return nil, err
	}
	return &basics.CreateUserResponse{User: u.wire()}, nil
}

// VerifyPassword returns the user with this name and password. An unknown name and a wrong password get the same
// answer after the same time. Codes: InvalidArgument, Unauthenticated.
func (h *Handler) VerifyPassword(ctx context.Context, req *basics.VerifyPasswordRequest) (*basics.VerifyPasswordResponse, error) {
	name, err := argument.Line("name", req.Name, maxName)
	if err := argument.First(err, argument.Password(req.Password, maxPassword)); err != nil {
		return nil, err
	}
	u, err := h.store.userByName(ctx, name)
	if err != nil {
		return nil, err
	}
	ok, err := h.hasher.matches(ctx, req.Password, u.PasswordHash)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, codes.Errorf(codes.Unauthenticated, "wrong user name or password")
	}
	return &basics.VerifyPasswordResponse{User: u.wire()}, nil
}

// BatchGetUsers returns the users that exist. Code: InvalidArgument.
func (h *Handler) BatchGetUsers(ctx context.Context, req *basics.BatchGetUsersRequest) (*basics.BatchGetUsersResponse, error) {
	if err := argument.IDs("user", req.UserIds); err != nil {
		return nil, err
	}
	found, err := h.store.users(ctx, req.UserIds)
	if err != nil {
		return nil, err
	}
	return &basics.BatchGetUsersResponse{Users: found}, nil
}

// UpdateProfile changes the fields that the request sets. Codes: InvalidArgument, NotFound, AlreadyExists.
func (h *Handler) UpdateProfile(ctx context.Context, req *basics.UpdateProfileRequest) (*basics.UpdateProfileResponse, error) {
	if err := argument.ID("user", req.UserID); err != nil {
		return nil, err
	}
	change := profile{avatarKey: req.AvatarKey, backgroundKey: req.BackgroundKey}
	if req.Name != nil {
		name, err := argument.Line("name", *req.Name, maxName)
		if err != nil {
			return nil, err
		}
		change.name = &name
	}
	if req.Signature != nil {
		signature, err := argument.OptionalLine("signature", *req.Signature, maxSignature)
		if err != nil {
			return nil, err
		}
		change.signature = &signature
	}
	for name, key := range map[string]*string{"avatar key": req.AvatarKey, "background key": req.BackgroundKey} {
		if key != nil && *key != "" { // an empty key restores the default picture
			if err := argument.Key(name, *key); err != nil {
				return nil, err
			}
		}
	}
	u, err := h.store.updateProfile(ctx, req.UserID, change)
	if err != nil {
		return nil, err
	}
	return &basics.UpdateProfileResponse{User: u}, nil
}

// DeleteUser deletes the user and its videos. Codes: InvalidArgument, NotFound.
func (h *Handler) DeleteUser(ctx context.Context, req *basics.DeleteUserRequest) (*basics.DeleteUserResponse, error) {
	if err := argument.ID("user", req.UserID); err != nil {
		return nil, err
	}
	if err := h.store.deleteUser(ctx, req.UserID); err != nil {
		return nil, err
	}
	return &basics.DeleteUserResponse{}, nil
}

// CreateVideo publishes a video. Codes: InvalidArgument, NotFound for the author.
func (h *Handler) CreateVideo(ctx context.Context, req *basics.CreateVideoRequest) (*basics.CreateVideoResponse, error) {
	title, err := argument.Line("title", req.Title, maxTitle)
	if err := argument.First(argument.ID("author", req.AuthorID), err,
		argument.Key("play key", req.PlayKey), argument.Key("cover key", req.CoverKey)); err != nil {
		return nil, err
	}
	v := video{AuthorID: req.AuthorID, Title: title, PlayKey: req.PlayKey, CoverKey: req.CoverKey}
	if err := h.store.createVideo(ctx, &v); err != nil {
		return nil, err
	}
	return &basics.CreateVideoResponse{Video: v.wire()}, nil
}

// BatchGetVideos returns the videos that exist. Code: InvalidArgument.
func (h *Handler) BatchGetVideos(ctx context.Context, req *basics.BatchGetVideosRequest) (*basics.BatchGetVideosResponse, error) {
	if err := argument.IDs("video", req.VideoIds); err != nil {
		return nil, err
	}
	found, err := h.store.videos(ctx, req.VideoIds)
	if err != nil {
		return nil, err
	}
	return &basics.BatchGetVideosResponse{Videos: found}, nil
}

// ListFeed returns a page of all videos, newest first. Code: InvalidArgument.
func (h *Handler) ListFeed(ctx context.Context, req *basics.ListFeedRequest) (*basics.ListFeedResponse, error) {
	if err := argument.Page(req.Page); err != nil {
		return nil, err
	}
	found, err := h.store.feed(ctx, req.Page, req.PublishedBefore)
	if err != nil {
		return nil, err
	}
	return &basics.ListFeedResponse{Page: found}, nil
}

// ListUserVideos returns a page of each user's videos, newest first. Code: InvalidArgument.
func (h *Handler) ListUserVideos(ctx context.Context, req *basics.ListUserVideosRequest) (*basics.ListUserVideosResponse, error) {
	if err := argument.Pages("user", req.UserIds, req.Page); err != nil {
		return nil, err
	}
	found, err := h.store.userVideos(ctx, req.UserIds, req.Page)
	if err != nil {
		return nil, err
	}
	return &basics.ListUserVideosResponse{Pages: found}, nil
}

// UpdateVideo changes the fields that the request sets. Codes: InvalidArgument, NotFound, PermissionDenied.
func (h *Handler) UpdateVideo(ctx context.Context, req *basics.UpdateVideoRequest) (*basics.UpdateVideoResponse, error) {
	if err := argument.First(argument.ID("video", req.VideoID), argument.ID("author", req.AuthorID)); err != nil {
		return nil, err
	}
	title := req.Title
	if title != nil {
		line, err := argument.Line("title", *title, maxTitle)
		if err != nil {
			return nil, err
		}
		title = &line
	}
	if req.CoverKey != nil {
		if err := argument.Key("cover key", *req.CoverKey); err != nil {
			return nil, err
		}
	}
	v, err := h.store.updateVideo(ctx, req.VideoID, req.AuthorID, title, req.CoverKey)
	if err != nil {
		return nil, err
	}
	return &basics.UpdateVideoResponse{Video: v}, nil
}

// DeleteVideo deletes a video. Codes: InvalidArgument, NotFound, PermissionDenied.
func (h *Handler) DeleteVideo(ctx context.Context, req *basics.DeleteVideoRequest) (*basics.DeleteVideoResponse, error) {
	if err := argument.First(argument.ID("video", req.VideoID), argument.ID("author", req.AuthorID)); err != nil {
		return nil, err
	}
	if err := h.store.deleteVideo(ctx, req.VideoID, req.AuthorID); err != nil {
		return nil, err
	}
	return &basics.DeleteVideoResponse{}, nil
}

// ReserveFiles adds removals for files that are about to be stored: those that no row refers to in time are removed. Code: InvalidArgument.
func (h *Handler) ReserveFiles(ctx context.Context, req *basics.ReserveFilesRequest) (*basics.ReserveFilesResponse, error) {
	if len(req.Keys) > batch {
		return nil, codes.Errorf(codes.InvalidArgument, "at most %d files in one request", batch)
	}
	for _, key := range req.Keys {
		if err := argument.Key("file key", key); err != nil {
			return nil, err
		}
	}
	if req.TTLMs < 0 || req.TTLMs > maxReserved.Milliseconds() {
		return nil, codes.Errorf(codes.InvalidArgument, "files are reserved for at most %s", maxReserved)
	}
	if err := h.store.reserveFiles(ctx, req.Keys, time.Duration(req.TTLMs)*time.Millisecond); err != nil {
		return nil, err
	}
	return &basics.ReserveFilesResponse{}, nil
}

// ListRemovals returns removals in the order in which they fall due. Code: InvalidArgument.
func (h *Handler) ListRemovals(ctx context.Context, req *basics.ListRemovalsRequest) (*basics.ListRemovalsResponse, error) {
	if err := argument.Limit(req.Limit); err != nil {
		return nil, err
	}
	found, err := h.store.removals(ctx, int(req.Limit), req.IncludeReserved)
	if err != nil {
		return nil, err
	}
	removals := make([]*basics.Removal, len(found))
	for i := range found {
		removals[i] = found[i].wire()
	}
	return &basics.ListRemovalsResponse{Removals: removals}, nil
}

// FinishRemovals deletes removals that are done. It may be repeated. Code: InvalidArgument.
func (h *Handler) FinishRemovals(ctx context.Context, req *basics.FinishRemovalsRequest) (*basics.FinishRemovalsResponse, error) {
	if err := argument.IDs("removal", req.RemovalIds); err != nil {
		return nil, err
	}
	if err := h.store.finishRemovals(ctx, req.RemovalIds); err != nil {
		return nil, err
	}
	return &basics.FinishRemovalsResponse{}, nil
}
