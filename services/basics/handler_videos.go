package basics

import (
	"context"

	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/services/internal/argument"
)

// CreateVideo publishes a video now. Codes: InvalidArgument, NotFound for the author.
func (h *Handler) CreateVideo(ctx context.Context, req *basics.CreateVideoRequest) (*basics.CreateVideoResponse, error) {
	if err := argument.ID("author", req.AuthorID); err != nil {
		return nil, err
	}
	title, err := argument.Line("title", req.Title, maxTitle)
	if err != nil {
		return nil, err
	}
	if err := argument.Key("play key", req.PlayKey); err != nil {
		return nil, err
	}
	if err := argument.Key("cover key", req.CoverKey); err != nil {
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

// UpdateVideo changes what the request holds. Codes: InvalidArgument, NotFound, PermissionDenied.
func (h *Handler) UpdateVideo(ctx context.Context, req *basics.UpdateVideoRequest) (*basics.UpdateVideoResponse, error) {
	if err := argument.ID("video", req.VideoID); err != nil {
		return nil, err
	}
	if err := argument.ID("author", req.AuthorID); err != nil {
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
	if err := argument.ID("video", req.VideoID); err != nil {
		return nil, err
	}
	if err := argument.ID("author", req.AuthorID); err != nil {
		return nil, err
	}
	if err := h.store.deleteVideo(ctx, req.VideoID, req.AuthorID); err != nil {
		return nil, err
	}
	return &basics.DeleteVideoResponse{}, nil
}
