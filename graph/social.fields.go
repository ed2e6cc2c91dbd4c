package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"minidouyin/graph/model"
	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/social"
)

func (f *fields) addSocial() {
	relation := &userLoad{(*walk).userRelation}
	define(f, &f.user, "User", []row[*model.User]{
		{"followingCount", relation},
		{"followerCount", relation},
		{"viewerIsFollowing", relation},
		{"following", &userLoad{(*walk).userFollowing}},
		{"followers", &userLoad{(*walk).userFollowers}},
		{"friends", &userLoad{(*walk).userFriends}},
	})
	defineConnection(f, "User")
	defineConnection(f, "Friend")
	defineMembers(f, "Friend", "user", "latestMessage") // both are loaded with the page
	defineMembers(f, "Message", "id", "databaseId", "fromUserDatabaseId", "toUserDatabaseId", "direction", "content", "createdAt")
	defineConnection(f, "Message")

	define(f, &f.follow, "FollowPayload", []row[*model.FollowPayload]{
		{"user", fillMember(&f.user, func(p *model.FollowPayload) *model.User { return p.User })},
	})
	define(f, &f.unfollow, "UnfollowPayload", []row[*model.UnfollowPayload]{
		{"user", fillMember(&f.user, func(p *model.UnfollowPayload) *model.User { return p.User })},
	})
	defineMembers(f, "SendMessagePayload", "message")
	define(f, &f.messageReceived, "MessageReceivedPayload", []row[*model.MessageReceivedPayload]{
		{"cursor", nil},
		{"message", nil},
		{"from", joinUser(func(p *model.MessageReceivedPayload) (int64, *model.Joined[*model.User]) {
			return p.Message.FromUserID, &p.FromUser
		})},
	})
}

func (w *walk) userRelation(ctx context.Context, users []*model.User, _ []graphql.CollectedField) {
	loadStats(ctx, w, w.loaders.relationStats, userIDs(users),
		func(i int) *model.Joined[social.RelationStats] { return &users[i].Relation })
}

func (w *walk) userFollowing(ctx context.Context, users []*model.User, selected []graphql.CollectedField) {
	loadPages(ctx, w, w.loaders.followingPages, userIDs(users), selected, w.connectFollows,
		func(i int) *model.Pages[*model.User] { return &users[i].FollowingPages })
}

func (w *walk) userFollowers(ctx context.Context, users []*model.User, selected []graphql.CollectedField) {
	loadPages(ctx, w, w.loaders.followerPages, userIDs(users), selected, w.connectFollows,
		func(i int) *model.Pages[*model.User] { return &users[i].FollowerPages })
}

func (w *walk) connectFollows(
	ctx context.Context, sel selection, r pageRange, pages []*social.FollowPage,
) []*model.UserConnection {
	connections := make([]*model.UserConnection, len(pages))
	var items []item[model.User]
	var ids []int64
	for i, p := range pages {
		connections[i] = model.NewConnection[*model.User](p.HasMore, r.continues())
		for _, edge := range p.Edges {
			items = append(items, item[model.User]{connections[i], edge.CreatedAt, edge.ID})
			ids = append(ids, edge.UserID)
		}
	}
	w.users(ctx, sel.nodes(ctx, "UserConnection", "UserEdge"), ids,
		func(i int, user model.Joined[*model.User]) { items[i].join(user) })
	return connections
}

// userFriends loads the friends of the viewer. Those of other users are PermissionDenied.
func (w *walk) userFriends(ctx context.Context, users []*model.User, selected []graphql.CollectedField) {
	denied := model.Failed[*model.FriendConnection](codes.Errorf(codes.PermissionDenied, "only one's own friends are shown"))
	var own []*model.User
	for _, user := range users {
		if user.ID == w.viewer {
			own = append(own, user)
			continue
		}
		for _, field := range pageFields(ctx, selected) {
			user.FriendPages.Set(field.args, denied)
		}
	}
	loadPages(ctx, w, w.loaders.friendPages, userIDs(own), selected, w.connectFriends,
		func(i int) *model.Pages[*model.Friend] { return &own[i].FriendPages })
}

func (w *walk) connectFriends(
	ctx context.Context, sel selection, r pageRange, pages []*social.FriendPage,
) []*model.FriendConnection {
	connections := make([]*model.FriendConnection, len(pages))
	var items []item[model.Friend]
	var edges []*social.FriendEdge
	var ids []int64
	for i, p := range pages {
		connections[i] = model.NewConnection[*model.Friend](p.HasMore, r.continues())
		for _, edge := range p.Edges {
			items = append(items, item[model.Friend]{connections[i], edge.CreatedAt, edge.ID})
			edges, ids = append(edges, edge), append(ids, edge.UserID)
		}
	}
	userSel := sel.nodes(ctx, "FriendConnection", "FriendEdge").field(ctx, "Friend", "user")
	w.users(ctx, userSel, ids, func(i int, joined model.Joined[*model.User]) {
		user, err := joined.Get()
		switch {
		case err != nil:
			items[i].join(model.Failed[*model.Friend](err))
		case user != nil:
			items[i].join(model.Loaded(&model.Friend{User: user, LatestMessage: w.message(edges[i].LatestMessage)}))
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
