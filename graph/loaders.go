package graph

import (
	"context"
	"time"

	"github.com/graph-gophers/dataloader/v7"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
)

// maxBatch is the number of IDs that a service accepts in one call. Larger batches are split.
const maxBatch = 1000

// pageKey is one page of the list of the object with this ID.
type pageKey struct {
	id int64
	pageRange
}

// pageRange is the part of a list that a page holds. One call loads the same range of many lists.
type pageRange struct {
	limit int32
	after page.Cursor // zero = the first page
}

// continues reports whether the list has items before the page.
func (p pageRange) continues() bool { return p.after != (page.Cursor{}) }

func (p pageRange) wire() *page.Page {
	out := &page.Page{Limit: p.limit}
	if p.continues() {
		out.After = &p.after
	}
	return out
}

// loaders batch and cache the calls below one root field. They live as long as that field is resolved, so a mutation
// never reads values from before its change.
type loaders struct {
	users         *dataloader.Loader[int64, *basics.User]
	videos        *dataloader.Loader[int64, *basics.Video]
	comments      *dataloader.Loader[int64, *interaction.Comment]
	relationStats *dataloader.Loader[int64, *social.RelationStats]
	likeStats     *dataloader.Loader[int64, *interaction.UserLikeStats]
	videoStats    *dataloader.Loader[int64, *interaction.VideoStats]

	videoPages     *dataloader.Loader[pageKey, *basics.VideoPage]
	likePages      *dataloader.Loader[pageKey, *interaction.LikePage]
	commentPages   *dataloader.Loader[pageKey, *interaction.CommentPage]
	followingPages *dataloader.Loader[pageKey, *social.FollowPage]
	followerPages  *dataloader.Loader[pageKey, *social.FollowPage]
	friendPages    *dataloader.Loader[pageKey, *social.FriendPage]
}

func newLoaders(cfg Config, viewer int64) *loaders {
	return &loaders{
		users: byID(func(ctx context.Context, ids []int64) (map[int64]*basics.User, error) {
			reply, err := cfg.Basics.BatchGetUsers(ctx, &basics.BatchGetUsersRequest{UserIds: ids})
			return take(reply, err, (*basics.BatchGetUsersResponse).GetUsers)
		}),
		videos: byID(func(ctx context.Context, ids []int64) (map[int64]*basics.Video, error) {
			reply, err := cfg.Basics.BatchGetVideos(ctx, &basics.BatchGetVideosRequest{VideoIds: ids})
			return take(reply, err, (*basics.BatchGetVideosResponse).GetVideos)
		}),
		comments: byID(func(ctx context.Context, ids []int64) (map[int64]*interaction.Comment, error) {
			reply, err := cfg.Interaction.BatchGetComments(ctx, &interaction.BatchGetCommentsRequest{CommentIds: ids})
			return take(reply, err, (*interaction.BatchGetCommentsResponse).GetComments)
		}),
		relationStats: byID(func(ctx context.Context, ids []int64) (map[int64]*social.RelationStats, error) {
			reply, err := cfg.Social.BatchGetRelationStats(ctx,
				&social.BatchGetRelationStatsRequest{UserIds: ids, ViewerID: viewer})
			return take(reply, err, (*social.BatchGetRelationStatsResponse).GetStats)
		}),
		likeStats: byID(func(ctx context.Context, ids []int64) (map[int64]*interaction.UserLikeStats, error) {
			reply, err := cfg.Interaction.BatchGetUserLikeStats(ctx,
				&interaction.BatchGetUserLikeStatsRequest{UserIds: ids})
			return take(reply, err, (*interaction.BatchGetUserLikeStatsResponse).GetStats)
		}),
		videoStats: byID(func(ctx context.Context, ids []int64) (map[int64]*interaction.VideoStats, error) {
			reply, err := cfg.Interaction.BatchGetVideoStats(ctx,
				&interaction.BatchGetVideoStatsRequest{VideoIds: ids, ViewerID: viewer})
			return take(reply, err, (*interaction.BatchGetVideoStatsResponse).GetStats)
		}),

		videoPages: byPage(func(ctx context.Context, ids []int64, p *page.Page) (map[int64]*basics.VideoPage, error) {
			reply, err := cfg.Basics.ListUserVideos(ctx, &basics.ListUserVideosRequest{UserIds: ids, Page: p})
			return take(reply, err, (*basics.ListUserVideosResponse).GetPages)
		}),
		likePages: byPage(func(ctx context.Context, ids []int64, p *page.Page) (map[int64]*interaction.LikePage, error) {
			reply, err := cfg.Interaction.ListLikedVideoIDs(ctx,
				&interaction.ListLikedVideoIDsRequest{UserIds: ids, Page: p})
			return take(reply, err, (*interaction.ListLikedVideoIDsResponse).GetPages)
		}),
		commentPages: byPage(func(ctx context.Context, ids []int64, p *page.Page) (map[int64]*interaction.CommentPage, error) {
			reply, err := cfg.Interaction.ListComments(ctx, &interaction.ListCommentsRequest{VideoIds: ids, Page: p})
			return take(reply, err, (*interaction.ListCommentsResponse).GetPages)
		}),
		followingPages: byPage(func(ctx context.Context, ids []int64, p *page.Page) (map[int64]*social.FollowPage, error) {
			reply, err := cfg.Social.ListFollowing(ctx, &social.ListFollowingRequest{UserIds: ids, Page: p})
			return take(reply, err, (*social.ListFollowingResponse).GetPages)
		}),
		followerPages: byPage(func(ctx context.Context, ids []int64, p *page.Page) (map[int64]*social.FollowPage, error) {
			reply, err := cfg.Social.ListFollowers(ctx, &social.ListFollowersRequest{UserIds: ids, Page: p})
			return take(reply, err, (*social.ListFollowersResponse).GetPages)
		}),
		// Only the viewer's own friends are loaded, so a batch has one ID.
		friendPages: byPage(func(ctx context.Context, ids []int64, p *page.Page) (map[int64]*social.FriendPage, error) {
			reply, err := cfg.Social.ListFriends(ctx, &social.ListFriendsRequest{UserID: ids[0], Page: p})
			friends, err := take(reply, err, (*social.ListFriendsResponse).GetPage)
			return map[int64]*social.FriendPage{ids[0]: friends}, err
		}),
	}
}

// flush sends the batches of all loaders at the same time: one call for each loader that has keys.
func (l *loaders) flush() {
	l.users.Flush()
	l.videos.Flush()
	l.comments.Flush()
	l.relationStats.Flush()
	l.likeStats.Flush()
	l.videoStats.Flush()
	l.videoPages.Flush()
	l.likePages.Flush()
	l.commentPages.Flush()
	l.followingPages.Flush()
	l.followerPages.Flush()
	l.friendPages.Flush()
}

// newLoader returns a loader that sends batches on Flush only. With a timer, the number of calls would vary.
func newLoader[K comparable, V any](fetch dataloader.BatchFunc[K, V]) *dataloader.Loader[K, V] {
	return dataloader.NewBatchedLoader(fetch,
		dataloader.WithWait[K, V](time.Hour), dataloader.WithBatchCapacity[K, V](maxBatch))
}

// byID returns a loader of objects by ID. A missing object is NotFound for its key only.
func byID[V any](fetch func(context.Context, []int64) (map[int64]V, error)) *dataloader.Loader[int64, V] {
	return newLoader(func(ctx context.Context, ids []int64) []*dataloader.Result[V] {
		found, err := fetch(ctx, ids)
		results := make([]*dataloader.Result[V], len(ids))
		for i, id := range ids {
			results[i] = result(found, id, err)
		}
		return results
	})
}

// byPage returns a loader of pages of lists. One call loads all pages of the same range.
func byPage[V any](
	fetch func(context.Context, []int64, *page.Page) (map[int64]V, error),
) *dataloader.Loader[pageKey, V] {
	return newLoader(func(ctx context.Context, keys []pageKey) []*dataloader.Result[V] {
		indices := map[pageRange][]int{}
		for i, key := range keys {
			indices[key.pageRange] = append(indices[key.pageRange], i)
		}
		results := make([]*dataloader.Result[V], len(keys))
		for pages, of := range indices {
			ids := make([]int64, len(of))
			for i, index := range of {
				ids[i] = keys[index].id
			}
			found, err := fetch(ctx, ids, pages.wire())
			for i, index := range of {
				results[index] = result(found, ids[i], err)
			}
		}
		return results
	})
}

// take returns a part of a reply, or the error of the call, which has no reply then.
func take[R, V any](reply *R, err error, get func(*R) V) (part V, _ error) {
	if err != nil {
		return part, err
	}
	return get(reply), nil
}

func result[V any](found map[int64]V, id int64, err error) *dataloader.Result[V] {
	if err != nil {
		return &dataloader.Result[V]{Error: err}
	}
	v, ok := found[id]
	if !ok {
		return &dataloader.Result[V]{Error: codes.Errorf(codes.NotFound, "there is no object %d", id)}
	}
	return &dataloader.Result[V]{Data: v}
}
