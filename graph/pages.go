package graph

import (
	"context"

	"minidouyin/graph/model"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/social"
)

// The functions below make connections of the pages that came over the wire, all pages of one field together, and ask
// for what is selected of their items: one level further down, for all items at once.

func (w *walk) videoPages(
	ctx context.Context, sel selection, r pageRange, pages []*basics.VideoPage,
) []*model.VideoConnection {
	connections := make([]*model.VideoConnection, len(pages))
	var all []*model.Video
	for i, p := range pages {
		connections[i] = model.NewConnection[*model.Video](p.HasMore, r.continues())
		for _, row := range p.Videos {
			connections[i].Add(row.CreatedAt, row.ID, w.newVideo(ctx, row))
		}
		all = append(all, connections[i].Nodes...)
	}
	w.videos(ctx, sel.nodes(ctx, "VideoConnection", "VideoEdge"), all)
	return connections
}

func (w *walk) likePages(
	ctx context.Context, sel selection, r pageRange, pages []*interaction.LikePage,
) []*model.VideoConnection {
	connections := make([]*model.VideoConnection, len(pages))
	var ids []int64
	for i, p := range pages {
		connections[i] = model.NewConnection[*model.Video](p.HasMore, r.continues())
		for _, like := range p.Likes {
			ids = append(ids, like.VideoID)
		}
	}
	w.videosByID(ctx, sel.nodes(ctx, "VideoConnection", "VideoEdge"), ids,
		func(videos map[int64]model.Joined[*model.Video]) {
			for i, p := range pages {
				for _, like := range p.Likes {
					add(connections[i], like.CreatedAt, like.ID, videos[like.VideoID])
				}
			}
		})
	return connections
}

func (w *walk) commentPages(
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
	w.comments(ctx, sel.nodes(ctx, "CommentConnection", "CommentEdge"), all)
	return connections
}

func (w *walk) followPages(
	ctx context.Context, sel selection, r pageRange, pages []*social.FollowPage,
) []*model.UserConnection {
	connections := make([]*model.UserConnection, len(pages))
	var ids []int64
	for i, p := range pages {
		connections[i] = model.NewConnection[*model.User](p.HasMore, r.continues())
		for _, edge := range p.Edges {
			ids = append(ids, edge.UserID)
		}
	}
	w.users(ctx, sel.nodes(ctx, "UserConnection", "UserEdge"), ids,
		func(users map[int64]model.Joined[*model.User]) {
			for i, p := range pages {
				for _, edge := range p.Edges {
					add(connections[i], edge.CreatedAt, edge.ID, users[edge.UserID])
				}
			}
		})
	return connections
}

func (w *walk) friendPages(
	ctx context.Context, sel selection, r pageRange, pages []*social.FriendPage,
) []*model.FriendConnection {
	connections := make([]*model.FriendConnection, len(pages))
	var ids []int64
	for i, p := range pages {
		connections[i] = model.NewConnection[*model.Friend](p.HasMore, r.continues())
		for _, edge := range p.Edges {
			ids = append(ids, edge.UserID)
		}
	}
	userSel, _ := sel.nodes(ctx, "FriendConnection", "FriendEdge").field(ctx, "Friend", "user")
	w.users(ctx, userSel, ids, func(users map[int64]model.Joined[*model.User]) {
		for i, p := range pages {
			for _, edge := range p.Edges {
				user, err := users[edge.UserID].Get()
				friend := &model.Friend{User: user, LatestMessage: w.message(edge.LatestMessage)}
				if user == nil {
					friend = nil
				}
				add(connections[i], edge.CreatedAt, edge.ID, model.Joined[*model.Friend]{Value: friend, Err: err})
			}
		}
	})
	return connections
}

func (w *walk) message(row *social.Message) *model.Message {
	if row == nil {
		return nil
	}
	return &model.Message{Message: row, ViewerID: w.viewer}
}

// add appends a loaded item. One that is gone is left out; one that could not be loaded fails the page.
func add[T any](c *model.Connection[*T], createdAt, id int64, item model.Joined[*T]) {
	switch {
	case item.Err != nil:
		c.Fail(item.Err)
	case item.Value != nil:
		c.Add(createdAt, id, item.Value)
	}
}
