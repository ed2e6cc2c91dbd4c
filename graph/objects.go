package graph

import (
	"context"

	"minidouyin/graph/model"
	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/interaction"
)

// userByID returns a user with what is selected of it, nil if there is none with this ID.
func (r *Resolver) userByID(ctx context.Context, id int64) (*model.User, error) {
	w := r.walk(ctx)
	var user model.Joined[*model.User]
	w.users(ctx, selected(ctx), []int64{id}, func(_ int, joined model.Joined[*model.User]) { user = joined })
	w.run()
	return user.Get()
}

// videoByID returns a video with what is selected of it, nil if there is none with this ID.
func (r *Resolver) videoByID(ctx context.Context, id int64) (*model.Video, error) {
	w := r.walk(ctx)
	var video model.Joined[*model.Video]
	w.videos(ctx, selected(ctx), []int64{id}, func(_ int, joined model.Joined[*model.Video]) { video = joined })
	w.run()
	return video.Get()
}

// commentByID returns a comment with what is selected of it, nil if there is none with this ID.
func (r *Resolver) commentByID(ctx context.Context, id int64) (*model.Comment, error) {
	w := r.walk(ctx)
	var comment model.Joined[*model.Comment]
	loadKeys(ctx, w, w.loaders.comments, []int64{id}, func(_ int, row *interaction.Comment, err error) {
		comment = joinObject(err, func() *model.Comment { return &model.Comment{Comment: row} })
		if value, _ := comment.Get(); value != nil {
			fill(ctx, w, &w.fields.comment, selected(ctx), []*model.Comment{value})
		}
	})
	w.run()
	return comment.Get()
}

// namedUser loads the row of the user that an argument names. The error is InvalidArgument or NotFound if it names
// none.
func (r *Resolver) namedUser(ctx context.Context, arg string) (*basics.User, error) {
	id, err := model.ParseID(model.TypeUser, arg)
	if err != nil {
		return nil, err
	}
	reply, err := r.Basics.BatchGetUsers(ctx, &basics.BatchGetUsersRequest{UserIds: []int64{id}})
	if err != nil {
		return nil, err
	}
	row := reply.Users[id]
	if row == nil {
		return nil, codes.Errorf(codes.NotFound, "there is no such user")
	}
	return row, nil
}

// namedVideo loads the row of the video that an argument names. The error is InvalidArgument or NotFound if it names
// none.
func (r *Resolver) namedVideo(ctx context.Context, arg string) (*basics.Video, error) {
	id, err := model.ParseID(model.TypeVideo, arg)
	if err != nil {
		return nil, err
	}
	reply, err := r.Basics.BatchGetVideos(ctx, &basics.BatchGetVideosRequest{VideoIds: []int64{id}})
	if err != nil {
		return nil, err
	}
	row := reply.Videos[id]
	if row == nil {
		return nil, codes.Errorf(codes.NotFound, "there is no such video")
	}
	return row, nil
}

// session returns the payload of register and login.
func (r *Resolver) session(ctx context.Context, row *basics.User) (*model.SessionPayload, error) {
	token, expiresAt, err := r.IssueToken(row.ID)
	if err != nil {
		return nil, err
	}
	ctx = WithViewer(ctx, row.ID)
	payload := &model.SessionPayload{Token: token, ExpiresAt: expiresAt.UnixMilli(), User: r.newUser(ctx, row)}
	loadSelected(ctx, r, &r.fields.session, payload)
	return payload, nil
}
