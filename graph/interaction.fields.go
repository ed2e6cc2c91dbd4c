package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"minidouyin/graph/model"
	"minidouyin/idl/kitex_gen/interaction"
)

func (f *fields) addInteraction() {
	likes := &userLoad{(*walk).userLikeStats}
	define(f, &f.user, "User", []row[*model.User]{
		{"likesReceivedCount", likes},
		{"likesGivenCount", likes},
		{"likedVideos", &userLoad{(*walk).userLikedVideos}},
	})
	f.videoStats = &videoLoad{(*walk).videoStats}
	f.videoComments = &videoLoad{(*walk).videoComments}
	define(f, &f.video, "Video", []row[*model.Video]{
		{"likeCount", f.videoStats},
		{"commentCount", f.videoStats},
		{"viewerHasLiked", f.videoStats},
		{"comments", f.videoComments},
	})
	define(f, &f.comment, "Comment", []row[*model.Comment]{
		{"id", nil},
		{"databaseId", nil},
		{"content", nil},
		{"createdAt", nil},
		{"createdOn", nil},
		{"author", joinUser(func(c *model.Comment) (int64, *model.Joined[*model.User]) { return c.UserID, &c.AuthorUser })},
	})
	defineConnection(f, "Comment")

	define(f, &f.likeVideo, "LikeVideoPayload", []row[*model.LikeVideoPayload]{
		{"video", fillMember(&f.video, func(p *model.LikeVideoPayload) *model.Video { return p.Video })},
	})
	define(f, &f.unlikeVideo, "UnlikeVideoPayload", []row[*model.UnlikeVideoPayload]{
		{"video", fillMember(&f.video, func(p *model.UnlikeVideoPayload) *model.Video { return p.Video })},
	})
	define(f, &f.createComment, "CreateCommentPayload", []row[*model.CreateCommentPayload]{
		{"comment", fillMember(&f.comment, func(p *model.CreateCommentPayload) *model.Comment { return p.Comment })},
		{"video", fillMember(&f.video, func(p *model.CreateCommentPayload) *model.Video { return p.Video })},
	})
	define(f, &f.deleteComment, "DeleteCommentPayload", []row[*model.DeleteCommentPayload]{
		{"deletedCommentId", nil},
		{"video", fillMember(&f.video, func(p *model.DeleteCommentPayload) *model.Video { return p.Video })},
	})
	define(f, &f.videoStatsChanged, "VideoStatsChangedPayload", []row[*model.VideoStatsChangedPayload]{
		{"videoId", nil},
		{"video", fillMember(&f.video, func(p *model.VideoStatsChangedPayload) *model.Video { return p.Video })},
	})
}

func (w *walk) userLikeStats(ctx context.Context, users []*model.User, _ []graphql.CollectedField) {
	loadStats(ctx, w, w.loaders.likeStats, userIDs(users),
		func(i int) *model.Joined[interaction.UserLikeStats] { return &users[i].LikeStats })
}

func (w *walk) videoStats(ctx context.Context, videos []*model.Video, _ []graphql.CollectedField) {
	loadStats(ctx, w, w.loaders.videoStats, videoIDs(videos),
		func(i int) *model.Joined[interaction.VideoStats] { return &videos[i].Stats })
}

func (w *walk) videoComments(ctx context.Context, videos []*model.Video, selected []graphql.CollectedField) {
	loadPages(ctx, w, w.loaders.commentPages, videoIDs(videos), selected, w.connectComments,
		func(i int) *model.Pages[*model.Comment] { return &videos[i].CommentPages })
}

func (w *walk) connectComments(
	ctx context.Context, sel selection, r pageRange, pages []*interaction.CommentPage,
) []*model.CommentConnection {
	connections := make([]*model.CommentConnection, len(pages))
	var all []*model.Comment
	for i, p := range pages {
		connections[i] = model.NewConnection[*model.Comment](p.HasMore, r.continues())
		for _, row := range p.Comments {
			connections[i].Add(row.CreatedAt, row.ID, &model.Comment{Comment: row})
		}
		all = append(all, connections[i].Nodes...)
	}
	fill(ctx, w, &w.fields.comment, sel.nodes(ctx, "CommentConnection", "CommentEdge"), all)
	return connections
}

func (w *walk) userLikedVideos(ctx context.Context, users []*model.User, selected []graphql.CollectedField) {
	loadPages(ctx, w, w.loaders.likePages, userIDs(users), selected, w.connectLikes,
		func(i int) *model.Pages[*model.Video] { return &users[i].LikedPages })
}

func (w *walk) connectLikes(
	ctx context.Context, sel selection, r pageRange, pages []*interaction.LikePage,
) []*model.VideoConnection {
	connections := make([]*model.VideoConnection, len(pages))
	var items []item[model.Video]
	var ids []int64
	for i, p := range pages {
		connections[i] = model.NewConnection[*model.Video](p.HasMore, r.continues())
		for _, like := range p.Likes {
			items = append(items, item[model.Video]{connections[i], like.CreatedAt, like.ID})
			ids = append(ids, like.VideoID)
		}
	}
	w.videos(ctx, sel.nodes(ctx, "VideoConnection", "VideoEdge"), ids,
		func(i int, video model.Joined[*model.Video]) { items[i].join(video) })
	return connections
}
