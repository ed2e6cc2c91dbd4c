package graph

import (
	"context"
	"io"
	"minidouyin/graph/live"
	"minidouyin/graph/model"
	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"time"
)

// Register is the resolver for the register field.
func (r *mutationResolver) Register(ctx context.Context, input model.RegisterInput) (*model.SessionPayload, error) {
	reply, err := r.Basics.CreateUser(ctx, &basics.CreateUserRequest{Name: input.Name, Password: input.Password})
	if err != nil {
		return nil, err
	}
	return r.session(ctx, reply.User)
}

// Login is the resolver for the login field.
func (r *mutationResolver) Login(ctx context.Context, input model.LoginInput) (*model.SessionPayload, error) {
	reply, err := r.Basics.VerifyPassword(ctx, &basics.VerifyPasswordRequest{Name: input.Name, Password: input.Password})
	if err != nil {
		return nil, err
	}
	return r.session(ctx, reply.User)
}

// UpdateProfile is the resolver for the updateProfile field.
func (r *mutationResolver) UpdateProfile(ctx context.Context, input model.UpdateProfileInput) (*model.UpdateProfilePayload, error) {
	request := &basics.UpdateProfileRequest{UserID: ViewerID(ctx), Name: input.Name, Signature: input.Signature}
	var staged []StagedFiles
	if input.Avatar != nil {
		files, err := r.Media.StagePicture(ctx, input.Avatar.File)
		if err != nil {
			return nil, err
		}
		defer files.Discard()
		request.AvatarKey, staged = &files.Keys()[0], append(staged, files)
	}
	if input.Background != nil {
		files, err := r.Media.StagePicture(ctx, input.Background.File)
		if err != nil {
			return nil, err
		}
		defer files.Discard()
		request.BackgroundKey, staged = &files.Keys()[0], append(staged, files)
	}
	var row *basics.User
	err := r.store(ctx, staged, func() error {
		reply, err := r.Basics.UpdateProfile(ctx, request)
		row, err = take(reply, err, (*basics.UpdateProfileResponse).GetUser)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(staged) > 0 {
		r.Deleted() // the replaced pictures
	}
	payload := &model.UpdateProfilePayload{User: r.newUser(ctx, row)}
	loadSelected(ctx, r.Resolver, &r.fields.updateProfile, payload)
	return payload, nil
}

// PublishVideo is the resolver for the publishVideo field.
func (r *mutationResolver) PublishVideo(ctx context.Context, input model.PublishVideoInput) (*model.PublishVideoPayload, error) {
	var cover io.ReadSeeker
	if input.Cover != nil {
		cover = input.Cover.File
	}
	files, err := r.Media.StageVideo(ctx, input.File.File, input.Title, cover)
	if err != nil {
		return nil, err
	}
	defer files.Discard()
	var row *basics.Video
	err = r.store(ctx, []StagedFiles{files}, func() error {
		reply, err := r.Basics.CreateVideo(ctx, &basics.CreateVideoRequest{AuthorID: ViewerID(ctx), Title: input.Title,
			PlayKey: files.Keys()[0], CoverKey: files.Keys()[1]})
		row, err = take(reply, err, (*basics.CreateVideoResponse).GetVideo)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.Live.Publish(live.Event{Topic: live.Topic{Kind: live.Videos}, Object: row.ID, By: row.AuthorID})
	payload := &model.PublishVideoPayload{Video: r.newVideo(ctx, row)}
	loadSelected(ctx, r.Resolver, &r.fields.publishVideo, payload)
	return payload, nil
}

// UpdateVideo is the resolver for the updateVideo field.
func (r *mutationResolver) UpdateVideo(ctx context.Context, input model.UpdateVideoInput) (*model.UpdateVideoPayload, error) {
	id, err := model.ParseID(model.TypeVideo, input.VideoID)
	if err != nil {
		return nil, err
	}
	reply, err := r.Basics.UpdateVideo(ctx,
		&basics.UpdateVideoRequest{VideoID: id, AuthorID: ViewerID(ctx), Title: input.Title})
	if err != nil {
		return nil, err
	}
	payload := &model.UpdateVideoPayload{Video: r.newVideo(ctx, reply.Video)}
	loadSelected(ctx, r.Resolver, &r.fields.updateVideo, payload)
	return payload, nil
}

// DeleteVideo is the resolver for the deleteVideo field.
func (r *mutationResolver) DeleteVideo(ctx context.Context, input model.DeleteVideoInput) (*model.DeleteVideoPayload, error) {
	id, err := model.ParseID(model.TypeVideo, input.VideoID)
	if err != nil {
		return nil, err
	}
	_, err = r.Basics.DeleteVideo(ctx, &basics.DeleteVideoRequest{VideoID: id, AuthorID: ViewerID(ctx)})
	if err != nil {
		return nil, err
	}
	r.Deleted()
	r.Live.Publish(live.Event{Topic: live.Topic{Kind: live.Video, ID: id}})
	return &model.DeleteVideoPayload{DeletedVideoID: model.GlobalID(model.TypeVideo, id)}, nil
}

// Viewer is the resolver for the viewer field.
func (r *queryResolver) Viewer(ctx context.Context) (*model.User, error) {
	if ViewerID(ctx) == 0 {
		return nil, nil
	}
	return r.userByID(ctx, ViewerID(ctx))
}

// User is the resolver for the user field.
func (r *queryResolver) User(ctx context.Context, id *string) (*model.User, error) {
	userID := ViewerID(ctx)
	if id != nil {
		var err error
		if userID, err = model.ParseID(model.TypeUser, *id); err != nil {
			return nil, err
		}
	} else if userID == 0 {
		return nil, codes.Errorf(codes.Unauthenticated, "please sign in, or say whose profile you want")
	}
	user, err := r.userByID(ctx, userID)
	if user == nil && err == nil {
		return nil, codes.Errorf(codes.NotFound, "there is no such user")
	}
	return user, err
}

// Video is the resolver for the video field.
func (r *queryResolver) Video(ctx context.Context, id string) (*model.Video, error) {
	videoID, err := model.ParseID(model.TypeVideo, id)
	if err != nil {
		return nil, err
	}
	video, err := r.videoByID(ctx, videoID)
	if video == nil && err == nil {
		return nil, codes.Errorf(codes.NotFound, "there is no such video")
	}
	return video, err
}

// Feed is the resolver for the feed field.
func (r *queryResolver) Feed(ctx context.Context, first *int, after *string, publishedBefore *int64) (*model.FeedConnection, error) {
	pages, err := pageOf(ctx, model.Args(first, after))
	if err != nil {
		return nil, err
	}
	reply, err := r.Basics.ListFeed(ctx, &basics.ListFeedRequest{Page: pages.wire(), PublishedBefore: publishedBefore})
	if err != nil {
		return nil, err
	}
	connection := r.videoConnection(ctx, pages, reply.Page)
	w := r.walk(ctx)
	fill(ctx, w, &w.fields.video, selected(ctx).nodes(ctx, "FeedConnection", "VideoEdge"), connection.Nodes)
	w.run()
	feed := &model.FeedConnection{VideoConnection: connection, NextPublishedBefore: time.Now().UnixMilli()}
	if videos := reply.Page.Videos; len(videos) > 0 {
		feed.NextPublishedBefore = videos[len(videos)-1].CreatedAt
	}
	return feed, nil
}

func (r *subscriptionResolver) VideoPublished(ctx context.Context, after *string) (<-chan *model.VideoPublishedPayload, error) {
	sent, err := sentUntil(after)
	if err != nil {
		return nil, err
	}
	topics := []live.Topic{{Kind: live.Videos}, {Kind: live.Follows, ID: ViewerID(ctx)}}
	return stream(ctx, r.Live, topics, func(listener *live.Listener, send func(*model.VideoPublishedPayload) error) error {
		p := &publishedVideos{r: r.Resolver, viewer: ViewerID(ctx), sel: selected(ctx), sent: sent, send: send}
		return p.run(ctx, listener, after == nil)
	})
}
