package graph

import (
	"context"
	"minidouyin/graph/model"
	"minidouyin/idl/kitex_gen/interaction"
)

// LikeVideo is the resolver for the likeVideo field.
func (r *mutationResolver) LikeVideo(ctx context.Context, input model.LikeVideoInput) (*model.LikeVideoPayload, error) {
	video, err := r.mustVideo(ctx, input.VideoID)
	if err != nil {
		return nil, err
	}
	_, err = r.Interaction.LikeVideo(ctx,
		&interaction.LikeVideoRequest{UserID: ViewerID(ctx), VideoID: video.ID, AuthorID: video.AuthorID})
	if err != nil {
		return nil, err
	}
	return &model.LikeVideoPayload{Video: r.knownVideo(ctx, "LikeVideoPayload", video)}, nil
}

// UnlikeVideo is the resolver for the unlikeVideo field.
func (r *mutationResolver) UnlikeVideo(ctx context.Context, input model.UnlikeVideoInput) (*model.UnlikeVideoPayload, error) {
	video, err := r.mustVideo(ctx, input.VideoID)
	if err != nil {
		return nil, err
	}
	_, err = r.Interaction.UnlikeVideo(ctx,
		&interaction.UnlikeVideoRequest{UserID: ViewerID(ctx), VideoID: video.ID})
	if err != nil {
		return nil, err
	}
	return &model.UnlikeVideoPayload{Video: r.knownVideo(ctx, "UnlikeVideoPayload", video)}, nil
}

// CreateComment is the resolver for the createComment field.
func (r *mutationResolver) CreateComment(ctx context.Context, input model.CreateCommentInput) (*model.CreateCommentPayload, error) {
	video, err := r.mustVideo(ctx, input.VideoID)
	if err != nil {
		return nil, err
	}
	reply, err := r.Interaction.CreateComment(ctx,
		&interaction.CreateCommentRequest{UserID: ViewerID(ctx), VideoID: video.ID, Content: input.Content})
	if err != nil {
		return nil, err
	}
	comment := &model.Comment{Comment: reply.Comment}
	w := r.walk(ctx)
	if sel, asked := selected(ctx).field(ctx, "CreateCommentPayload", "comment"); asked {
		w.comments(ctx, sel, []*model.Comment{comment})
	}
	filled := w.video(ctx, "CreateCommentPayload", video)
	w.run()
	return &model.CreateCommentPayload{Comment: comment, Video: filled}, nil
}

// DeleteComment is the resolver for the deleteComment field.
func (r *mutationResolver) DeleteComment(ctx context.Context, input model.DeleteCommentInput) (*model.DeleteCommentPayload, error) {
	commentID, err := model.ParseID(model.TypeComment, input.CommentID)
	if err != nil {
		return nil, err
	}
	video, err := r.mustVideo(ctx, input.VideoID)
	if err != nil {
		return nil, err
	}
	_, err = r.Interaction.DeleteComment(ctx, &interaction.DeleteCommentRequest{
		CommentID: commentID, VideoID: video.ID, UserID: ViewerID(ctx), VideoAuthorID: video.AuthorID})
	if err != nil {
		return nil, err
	}
	return &model.DeleteCommentPayload{DeletedCommentID: model.GlobalID(model.TypeComment, commentID),
		Video: r.knownVideo(ctx, "DeleteCommentPayload", video)}, nil
}
