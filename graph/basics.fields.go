package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"minidouyin/graph/model"
	"minidouyin/idl/kitex_gen/basics"
)

type (
	userLoad  = load[*model.User]
	videoLoad = load[*model.Video]
)

func (f *fields) addBasics() {
	define(f, &f.user, "User", []row[*model.User]{
		{"id", nil},
		{"databaseId", nil},
		{"name", nil},
		{"signature", nil},
		{"avatarUrl", nil},
		{"backgroundUrl", nil},
		{"videoCount", nil},
		{"createdAt", nil},
		{"videos", &userLoad{(*walk).userVideos}},
	})
	define(f, &f.video, "Video", []row[*model.Video]{
		{"id", nil},
		{"databaseId", nil},
		{"title", nil},
		{"playUrl", nil},
		{"coverUrl", nil},
		{"createdAt", nil},
		{"author", joinUser(func(v *model.Video) (int64, *model.Joined[*model.User]) { return v.AuthorID, &v.AuthorUser })},
	})
	defineConnection(f, "Video")
	defineMembers(f, "FeedConnection", "edges", "nodes", "pageInfo", "nextPublishedBefore")
	defineMembers(f, "PageInfo", "hasNextPage", "hasPreviousPage", "startCursor", "endCursor")

	define(f, &f.session, "SessionPayload", []row[*model.SessionPayload]{
		{"token", nil},
		{"expiresAt", nil},
		{"user", fillMember(&f.user, func(p *model.SessionPayload) *model.User { return p.User })},
	})
	define(f, &f.updateProfile, "UpdateProfilePayload", []row[*model.UpdateProfilePayload]{
		{"user", fillMember(&f.user, func(p *model.UpdateProfilePayload) *model.User { return p.User })},
	})
	define(f, &f.publishVideo, "PublishVideoPayload", []row[*model.PublishVideoPayload]{
		{"video", fillMember(&f.video, func(p *model.PublishVideoPayload) *model.Video { return p.Video })},
	})
	define(f, &f.updateVideo, "UpdateVideoPayload", []row[*model.UpdateVideoPayload]{
		{"video", fillMember(&f.video, func(p *model.UpdateVideoPayload) *model.Video { return p.Video })},
	})
	defineMembers(f, "DeleteVideoPayload", "deletedVideoId")
	define(f, &f.videoPublished, "VideoPublishedPayload", []row[*model.VideoPublishedPayload]{
		{"cursor", nil},
		{"video", fillMember(&f.video, func(p *model.VideoPublishedPayload) *model.Video { return p.Video })},
	})
}

// newUser returns a user with its row and URLs.
func (r *Resolver) newUser(ctx context.Context, row *basics.User) *model.User {
	user := &model.User{}
	r.setUserRow(ctx, user, row)
	return user
}

func (r *Resolver) setUserRow(ctx context.Context, user *model.User, row *basics.User) {
	user.User = row
	user.AvatarURL = r.Media.AvatarURL(ctx, row.AvatarKey)
	user.BackgroundURL = r.Media.BackgroundURL(ctx, row.BackgroundKey)
}

// newVideo returns a video with its row and URLs.
func (r *Resolver) newVideo(ctx context.Context, row *basics.Video) *model.Video {
	return &model.Video{Video: row, PlayURL: r.Media.URL(ctx, row.PlayKey), CoverURL: r.Media.URL(ctx, row.CoverKey)}
}

// users loads users by ID with what is selected of them, all in one level. set gets the user of each ID by its index;
// it is nil for an unknown ID.
func (w *walk) users(ctx context.Context, sel selection, ids []int64, set func(i int, user model.Joined[*model.User])) {
	unique := distinct(ids)
	users := make([]*model.User, len(unique))
	for i, id := range unique { // the ID is all that the loads of a user need
		users[i] = &model.User{User: &basics.User{ID: id}}
	}
	joined := make(map[int64]model.Joined[*model.User], len(unique))
	loadKeys(ctx, w, w.loaders.users, unique, func(i int, row *basics.User, err error) {
		joined[unique[i]] = joinObject(err, func() *model.User {
			w.resolver.setUserRow(ctx, users[i], row)
			return users[i]
		})
	})
	w.then(func() {
		for i, id := range ids {
			set(i, joined[id])
		}
	})
	fill(ctx, w, &w.fields.user, sel, users)
}

// joinUser returns the load of a field that is a user. user returns its ID and where it is kept.
func joinUser[T any](user func(T) (int64, *model.Joined[*model.User])) *load[T] {
	return &load[T]{func(w *walk, ctx context.Context, objects []T, selected []graphql.CollectedField) {
		ids := make([]int64, len(objects))
		for i, object := range objects {
			ids[i], _ = user(object)
		}
		w.users(ctx, below(selected), ids, func(i int, joined model.Joined[*model.User]) {
			_, kept := user(objects[i])
			*kept = joined
		})
	}}
}

// videos loads videos by ID, and in the next level what is selected of them. set gets the video of each ID by its
// index; it is nil for an unknown ID.
func (w *walk) videos(ctx context.Context, sel selection, ids []int64, set func(i int, video model.Joined[*model.Video])) {
	unique := distinct(ids)
	joined := make(map[int64]model.Joined[*model.Video], len(unique))
	var videos []*model.Video
	loadKeys(ctx, w, w.loaders.videos, unique, func(i int, row *basics.Video, err error) {
		joined[unique[i]] = joinObject(err, func() *model.Video {
			video := w.resolver.newVideo(ctx, row)
			videos = append(videos, video)
			return video
		})
	})
	w.then(func() {
		for i, id := range ids {
			set(i, joined[id])
		}
		fill(ctx, w, &w.fields.video, sel, videos)
	})
}

func (w *walk) userVideos(ctx context.Context, users []*model.User, selected []graphql.CollectedField) {
	loadPages(ctx, w, w.loaders.videoPages, userIDs(users), selected, w.connectVideos,
		func(i int) *model.Pages[*model.Video] { return &users[i].VideoPages })
}

func (w *walk) connectVideos(
	ctx context.Context, sel selection, r pageRange, pages []*basics.VideoPage,
) []*model.VideoConnection {
	connections := make([]*model.VideoConnection, len(pages))
	var all []*model.Video
	for i, p := range pages {
		connections[i] = w.resolver.videoConnection(ctx, r, p)
		all = append(all, connections[i].Nodes...)
	}
	fill(ctx, w, &w.fields.video, sel.nodes(ctx, "VideoConnection", "VideoEdge"), all)
	return connections
}

// videoConnection returns a page of videos with their rows.
func (r *Resolver) videoConnection(ctx context.Context, pages pageRange, p *basics.VideoPage) *model.VideoConnection {
	connection := model.NewConnection[*model.Video](p.HasMore, pages.continues())
	for _, row := range p.Videos {
		connection.Add(row.CreatedAt, row.ID, r.newVideo(ctx, row))
	}
	return connection
}

func userIDs(users []*model.User) []int64 {
	ids := make([]int64, len(users))
	for i, user := range users {
		ids[i] = user.ID
	}
	return ids
}

func videoIDs(videos []*model.Video) []int64 {
	ids := make([]int64, len(videos))
	for i, video := range videos {
		ids[i] = video.ID
	}
	return ids
}
