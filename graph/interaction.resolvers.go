package graph

import (
	"context"
	"minidouyin/graph/live"
	"minidouyin/graph/model"
	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/interaction"
)

// LikeVideo is the resolver for the likeVideo field.
func (r *mutationResolver) LikeVideo(ctx context.Context, input model.LikeVideoInput) (*model.LikeVideoPayload, error) {
	video, err := r.namedVideo(ctx, input.VideoID)
	if err != nil {
		return nil, err
	}
	_, err = r.Interaction.LikeVideo(ctx,
		&interaction.LikeVideoRequest{UserID: ViewerID(ctx), VideoID: video.ID, AuthorID: video.AuthorID})
	if err != nil {
		return nil, err
	}
	r.Live.Publish(live.Event{Topic: live.Topic{Kind: live.Video, ID: video.ID}})
	payload := &model.LikeVideoPayload{Video: r.newVideo(ctx, video)}
	loadSelected(ctx, r.Resolver, &r.fields.likeVideo, payload)
	return payload, nil
}

// UnlikeVideo is the resolver for the unlikeVideo field.
func (r *mutationResolver) UnlikeVideo(ctx context.Context, input model.UnlikeVideoInput) (*model.UnlikeVideoPayload, error) {
	video, err := r.namedVideo(ctx, input.VideoID)
	if err != nil {
		return nil, err
	}
	_, err = r.Interaction.UnlikeVideo(ctx,
		&interaction.UnlikeVideoRequest{UserID: ViewerID(ctx), VideoID: video.ID})
	if err != nil {
		return nil, err
	}
	r.Live.Publish(live.Event{Topic: live.Topic{Kind: live.Video, ID: video.ID}})
	payload := &model.UnlikeVideoPayload{Video: r.newVideo(ctx, video)}
	loadSelected(ctx, r.Resolver, &r.fields.unlikeVideo, payload)
	return payload, nil
}

// CreateComment is the resolver for the createComment field.
func (r *mutationResolver) CreateComment(ctx context.Context, input model.CreateCommentInput) (*model.CreateCommentPayload, error) {
	video, err := r.namedVideo(ctx, input.VideoID)
	if err != nil {
		return nil, err
	}
	reply, err := r.Interaction.CreateComment(ctx,
		&interaction.CreateCommentRequest{UserID: ViewerID(ctx), VideoID: video.ID, Content: input.Content})
	if err != nil {
		return nil, err
	}
	r.Live.Publish(live.Event{Topic: live.Topic{Kind: live.Video, ID: video.ID}})
	payload := &model.CreateCommentPayload{Comment: &model.Comment{Comment: reply.Comment}, Video: r.newVideo(ctx, video)}
	loadSelected(ctx, r.Resolver, &r.fields.createComment, payload)
	return payload, nil
}

// DeleteComment is the resolver for the deleteComment field.
func (r *mutationResolver) DeleteComment(ctx context.Context, input model.DeleteCommentInput) (*model.DeleteCommentPayload, error) {
	commentID, err := model.ParseID(model.TypeComment, input.CommentID)
	if err != nil {
		return nil, err
	}
	video, err := r.namedVideo(ctx, input.VideoID)
	if err != nil {
		return nil, err
	}
	_, err = r.Interaction.DeleteComment(ctx, &interaction.DeleteCommentRequest{
		CommentID: commentID, VideoID: video.ID, UserID: ViewerID(ctx), VideoAuthorID: video.AuthorID})
	if err != nil {
		return nil, err
	}
	r.Live.Publish(live.Event{Topic: live.Topic{Kind: live.Video, ID: video.ID}})
	payload := &model.DeleteCommentPayload{
		DeletedCommentID: model.GlobalID(model.TypeComment, commentID), Video: r.newVideo(ctx, video)}
	loadSelected(ctx, r.Resolver, &r.fields.deleteComment, payload)
	return payload, nil
}

func (r *subscriptionResolver) VideoStatsChanged(ctx context.Context, videoIds []string) (<-chan *model.VideoStatsChangedPayload, error) {
	if len(videoIds) == 0 || len(videoIds) > maxWatched {
		return nil, codes.Errorf(codes.InvalidArgument, "a subscription watches 1 to %d videos", maxWatched)
	}
	var ids []int64
	for _, arg := range videoIds {
		id, err := model.ParseID(model.TypeVideo, arg)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	ids = distinct(ids)
	var topics []live.Topic
	for _, id := range ids {
		topics = append(topics, live.Topic{Kind: live.Video, ID: id})
	}
	return stream(ctx, r.Live, topics, func(listener *live.Listener, send func(*model.VideoStatsChangedPayload) error) error {
		return newStatsWatch(ctx, r.Resolver, ids, send).run(ctx, listener)
	})
}
