package graph

import (
	"context"
	"maps"
	"slices"

	"github.com/graph-gophers/dataloader/v7"

	"minidouyin/graph/model"
	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/social"
)

// walk fills the objects under one root field with all that is selected of them, one level of the selection at a
// time: the objects of a level put their questions to the loaders, all loaders send them at once, and the answers are
// attached and bring forth the next level. So a page costs one call for each kind of data and level, whatever
// its size, and the number can be told from the operation alone.
type walk struct {
	cfg     Config
	viewer  int64
	loaders *loaders
	answers []func() // what the present level does when its answers are there
	rows    int      // how many rows of lists have been asked for at most
}

// maxRows bounds the rows of all lists under one root field: lists within lists multiply.
const maxRows = 20_000

func (r *Resolver) walk(ctx context.Context) *walk {
	viewer := ViewerID(ctx)
	return &walk{cfg: r.Config, viewer: viewer, loaders: newLoaders(r.Config, viewer)}
}

// run asks and attaches level by level until nothing is left to ask.
func (w *walk) run() {
	for len(w.answers) > 0 {
		level := w.answers
		w.answers = nil
		w.loaders.flush()
		for _, attach := range level {
			attach()
		}
	}
}

// ask puts keys to a loader now and hands each key's answer to attach when it is there.
func ask[K comparable, V any](
	ctx context.Context, w *walk, loader *dataloader.Loader[K, V], keys []K, attach func(K, V, error),
) {
	thunks := make([]dataloader.Thunk[V], len(keys))
	for i, key := range keys {
		thunks[i] = loader.Load(ctx, key)
	}
	w.answers = append(w.answers, func() {
		for i, thunk := range thunks {
			value, err := thunk()
			attach(keys[i], value, err)
		}
	})
}

// pages asks for the selected pages of a list field of many objects. connect makes a connection of each page and may
// ask for what is below it; put stores it.
func pages[V, T any](
	ctx context.Context, w *walk, loader *dataloader.Loader[pageKey, V], fields pageFields, ids []int64,
	connect func(context.Context, selection, pageRange, []V) []*model.Connection[T],
	put func(id int64, args model.PageArgs, page model.Joined[*model.Connection[T]]),
) {
	for _, field := range fields.sorted() {
		w.rows += len(ids) * int(field.pages.limit)
		if w.rows > maxRows && field.err == nil {
			field.err = codes.Errorf(codes.InvalidArgument, "this asks for too many items at once, please ask for smaller pages")
		}
		if field.err != nil {
			for _, id := range ids {
				put(id, field.args, model.Joined[*model.Connection[T]]{Err: field.err})
			}
			continue
		}
		keys := make([]pageKey, len(ids))
		for i, id := range ids {
			keys[i] = pageKey{id, field.pages}
		}
		var owners []int64
		var found []V
		ask(ctx, w, loader, keys, func(key pageKey, page V, err error) {
			if err != nil {
				put(key.id, field.args, model.Joined[*model.Connection[T]]{Err: err})
			} else {
				owners, found = append(owners, key.id), append(found, page)
			}
		})
		w.answers = append(w.answers, func() {
			for i, connection := range connect(ctx, field.below, field.pages, found) {
				put(owners[i], field.args, model.Joined[*model.Connection[T]]{Value: connection})
			}
		})
	}
}

// users fills users, given by id, with what is selected of them and hands them to attach: nil for an unknown id.
func (w *walk) users(ctx context.Context, sel selection, ids []int64, attach func(map[int64]model.Joined[*model.User])) {
	ids = distinct(ids)
	if len(ids) == 0 {
		return
	}
	var relation, likes bool
	videos, liked, following, followers, friends :=
		pageFields{}, pageFields{}, pageFields{}, pageFields{}, pageFields{}
	for _, f := range sel.fields(ctx, model.TypeUser) {
		switch f.Name {
		case "followingCount", "followerCount", "viewerIsFollowing":
			relation = true
		case "likesReceivedCount", "likesGivenCount":
			likes = true
		case "videos":
			videos.add(ctx, f)
		case "likedVideos":
			liked.add(ctx, f)
		case "following":
			following.add(ctx, f)
		case "followers":
			followers.add(ctx, f)
		case "friends":
			friends.add(ctx, f)
		}
	}

	all := make(map[int64]*model.User, len(ids))
	for _, id := range ids {
		all[id] = &model.User{
			VideoPages: model.Pages[*model.Video]{}, LikedPages: model.Pages[*model.Video]{},
			FollowingPages: model.Pages[*model.User]{}, FollowerPages: model.Pages[*model.User]{},
			FriendPages: model.Pages[*model.Friend]{},
		}
	}
	joined := make(map[int64]model.Joined[*model.User], len(ids))
	ask(ctx, w, w.loaders.users, ids, func(id int64, row *basics.User, err error) {
		joined[id] = present(err, func() *model.User {
			w.fillUser(ctx, all[id], row)
			return all[id]
		})
	})
	w.answers = append(w.answers, func() { attach(joined) })

	if relation {
		ask(ctx, w, w.loaders.relationStats, ids, func(id int64, stats *social.RelationStats, err error) {
			all[id].Relation = join(stats, err)
		})
	}
	if likes {
		ask(ctx, w, w.loaders.likeStats, ids, func(id int64, stats *interaction.UserLikeStats, err error) {
			all[id].LikeStats = join(stats, err)
		})
	}
	pages(ctx, w, w.loaders.videoPages, videos, ids, w.videoPages,
		func(id int64, args model.PageArgs, page model.Joined[*model.VideoConnection]) {
			all[id].VideoPages[args] = page
		})
	pages(ctx, w, w.loaders.likePages, liked, ids, w.likePages,
		func(id int64, args model.PageArgs, page model.Joined[*model.VideoConnection]) {
			all[id].LikedPages[args] = page
		})
	pages(ctx, w, w.loaders.followingPages, following, ids, w.followPages,
		func(id int64, args model.PageArgs, page model.Joined[*model.UserConnection]) {
			all[id].FollowingPages[args] = page
		})
	pages(ctx, w, w.loaders.followerPages, followers, ids, w.followPages,
		func(id int64, args model.PageArgs, page model.Joined[*model.UserConnection]) {
			all[id].FollowerPages[args] = page
		})
	w.friends(ctx, friends, all)
}

// friends asks for the viewer's own friends; those of others are refused.
func (w *walk) friends(ctx context.Context, fields pageFields, users map[int64]*model.User) {
	if len(fields) == 0 {
		return
	}
	var own []int64
	for id, user := range users {
		if id == w.viewer {
			own = append(own, id)
			continue
		}
		for args := range fields {
			user.FriendPages[args] = model.Joined[*model.FriendConnection]{
				Err: codes.Errorf(codes.PermissionDenied, "only one's own friends are shown")}
		}
	}
	pages(ctx, w, w.loaders.friendPages, fields, own, w.friendPages,
		func(id int64, args model.PageArgs, page model.Joined[*model.FriendConnection]) {
			users[id].FriendPages[args] = page
		})
}

// videosByID loads videos, fills them with what is selected of them and hands them to attach: nil for an unknown id.
func (w *walk) videosByID(ctx context.Context, sel selection, ids []int64, attach func(map[int64]model.Joined[*model.Video])) {
	ids = distinct(ids)
	joined := make(map[int64]model.Joined[*model.Video], len(ids))
	var found []*model.Video
	ask(ctx, w, w.loaders.videos, ids, func(id int64, row *basics.Video, err error) {
		joined[id] = present(err, func() *model.Video {
			video := w.newVideo(ctx, row)
			found = append(found, video)
			return video
		})
	})
	w.answers = append(w.answers, func() {
		attach(joined)
		w.videos(ctx, sel, found)
	})
}

// videos fills videos with what is selected of them.
func (w *walk) videos(ctx context.Context, sel selection, videos []*model.Video) {
	if len(videos) == 0 {
		return
	}
	byID := make(map[int64][]*model.Video, len(videos)) // the same video can be in several places
	for _, video := range videos {
		byID[video.ID] = append(byID[video.ID], video)
	}
	ids := slices.Sorted(maps.Keys(byID))

	var stats, author bool
	var authorSel selection
	comments := pageFields{}
	for _, f := range sel.fields(ctx, model.TypeVideo) {
		switch {
		case isCount(f.Name):
			stats = true
		case f.Name == "author":
			author, authorSel = true, append(authorSel, f.Selections)
		case f.Name == "comments":
			comments.add(ctx, f)
		}
	}
	if stats {
		ask(ctx, w, w.loaders.videoStats, ids, func(id int64, stats *interaction.VideoStats, err error) {
			for _, video := range byID[id] {
				video.Stats = join(stats, err)
			}
		})
	}
	if author {
		authors := make([]int64, len(videos))
		for i, video := range videos {
			authors[i] = video.AuthorID
		}
		w.users(ctx, authorSel, authors, func(users map[int64]model.Joined[*model.User]) {
			for _, video := range videos {
				video.AuthorUser = users[video.AuthorID]
			}
		})
	}
	pages(ctx, w, w.loaders.commentPages, comments, ids, w.commentPages,
		func(id int64, args model.PageArgs, page model.Joined[*model.CommentConnection]) {
			for _, video := range byID[id] {
				video.CommentPages[args] = page
			}
		})
}

// comments fills comments with what is selected of them.
func (w *walk) comments(ctx context.Context, sel selection, comments []*model.Comment) {
	authorSel, asked := sel.field(ctx, model.TypeComment, "author")
	if !asked {
		return
	}
	authors := make([]int64, len(comments))
	for i, comment := range comments {
		authors[i] = comment.UserID
	}
	w.users(ctx, authorSel, authors, func(users map[int64]model.Joined[*model.User]) {
		for _, comment := range comments {
			comment.AuthorUser = users[comment.UserID]
		}
	})
}

// fillUser sets the row of a user and the URLs that follow from it.
func (w *walk) fillUser(ctx context.Context, user *model.User, row *basics.User) {
	user.User = row
	user.AvatarURL = w.cfg.Media.AvatarURL(ctx, row.AvatarKey)
	user.BackgroundURL = w.cfg.Media.BackgroundURL(ctx, row.BackgroundKey)
}

// newVideo returns a video with its row and URLs.
func (w *walk) newVideo(ctx context.Context, row *basics.Video) *model.Video {
	return &model.Video{
		Video:        row,
		PlayURL:      w.cfg.Media.URL(ctx, row.PlayKey),
		CoverURL:     w.cfg.Media.URL(ctx, row.CoverKey),
		CommentPages: model.Pages[*model.Comment]{},
	}
}

// present returns a loaded object, which is made only when there is one: nil for an unknown id.
func present[T any](err error, object func() *T) model.Joined[*T] {
	switch {
	case codes.Of(err) == codes.NotFound:
		return model.Joined[*T]{}
	case err != nil:
		return model.Joined[*T]{Err: err}
	default:
		return model.Joined[*T]{Value: object()}
	}
}

func join[T any](value *T, err error) model.Joined[T] {
	if err != nil {
		return model.Joined[T]{Err: err}
	}
	return model.Joined[T]{Value: *value}
}

// isCount tells whether a field of a video comes from its counts.
func isCount(field string) bool {
	return field == "likeCount" || field == "commentCount" || field == "viewerHasLiked"
}

// distinct returns the ids once each, in order: an answer does not depend on the order they were met in.
func distinct(ids []int64) []int64 {
	return slices.Compact(slices.Sorted(slices.Values(ids)))
}
