package graph

import (
	"context"

	"minidouyin/graph/model"
	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/interaction"
)

// user returns the user with this id and all that is selected of the user, nil when there is none.
func (r *Resolver) user(ctx context.Context, sel selection, id int64) (*model.User, error) {
	w := r.walk(ctx)
	var found model.Joined[*model.User]
	w.users(ctx, sel, []int64{id}, func(users map[int64]model.Joined[*model.User]) { found = users[id] })
	w.run()
	return found.Get()
}

// video returns the video with this id and all that is selected of it, nil when there is none.
func (r *Resolver) video(ctx context.Context, sel selection, id int64) (*model.Video, error) {
	w := r.walk(ctx)
	var found model.Joined[*model.Video]
	w.videosByID(ctx, sel, []int64{id}, func(videos map[int64]model.Joined[*model.Video]) { found = videos[id] })
	w.run()
	return found.Get()
}

// comment returns the comment with this id and all that is selected of it, nil when there is none.
func (r *Resolver) comment(ctx context.Context, sel selection, id int64) (*model.Comment, error) {
	w := r.walk(ctx)
	var found model.Joined[*model.Comment]
	ask(ctx, w, w.loaders.comments, []int64{id}, func(_ int64, row *interaction.Comment, err error) {
		found = present(err, func() *model.Comment {
			comment := &model.Comment{Comment: row}
			w.comments(ctx, sel, []*model.Comment{comment})
			return comment
		})
	})
	w.run()
	return found.Get()
}

// namedUser loads the row of a user who is named in an argument: InvalidArgument or NotFound when it names none.
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

// namedVideo loads the row of a video that is named in an argument: InvalidArgument or NotFound when it names none.
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

// knownUser fills the user of a payload, whose row is at hand.
func (r *Resolver) knownUser(ctx context.Context, payload string, row *basics.User) (*model.User, error) {
	sel, asked := selected(ctx).field(ctx, payload, "user")
	if !asked {
		return &model.User{User: row}, nil
	}
	w := r.walk(ctx)
	w.loaders.users.Prime(ctx, row.ID, row)
	var found model.Joined[*model.User]
	w.users(ctx, sel, []int64{row.ID}, func(users map[int64]model.Joined[*model.User]) { found = users[row.ID] })
	w.run()
	return found.Get()
}

// knownVideo fills the video of a payload, whose row is at hand.
func (r *Resolver) knownVideo(ctx context.Context, payload string, row *basics.Video) *model.Video {
	w := r.walk(ctx)
	video := w.video(ctx, payload, row)
	w.run()
	return video
}

// video asks for what is selected of the video of a payload.
func (w *walk) video(ctx context.Context, payload string, row *basics.Video) *model.Video {
	video := w.newVideo(ctx, row)
	if sel, asked := selected(ctx).field(ctx, payload, "video"); asked {
		w.videos(ctx, sel, []*model.Video{video})
	}
	return video
}

// session returns the payload of somebody who has just signed in.
func (r *Resolver) session(ctx context.Context, row *basics.User) (*model.SessionPayload, error) {
	token, expiresAt, err := r.IssueToken(row.ID)
	if err != nil {
		return nil, err
	}
	user, err := r.knownUser(WithViewer(ctx, row.ID), "SessionPayload", row)
	return &model.SessionPayload{Token: token, ExpiresAt: expiresAt.UnixMilli(), User: user}, err
}
