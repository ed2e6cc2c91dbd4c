package graph

import (
	"context"
	"io"

	"github.com/cloudwego/kitex/client/callopt"

	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/basics/basicsservice"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/interaction/interactionservice"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/idl/kitex_gen/social/socialservice"
)

// The services in this file know every object. Every list holds object 1, which is also the viewer.

type allBasics struct{ basicsservice.Client }

func aUser(id int64) *basics.User { return &basics.User{ID: id} }

func aVideo(id int64) *basics.Video { return &basics.Video{ID: id, AuthorID: 1} }

func byKey[V any](ids []int64, value func(id int64) V) map[int64]V {
	out := map[int64]V{}
	for _, id := range ids {
		out[id] = value(id)
	}
	return out
}

func videoPage(int64) *basics.VideoPage { return &basics.VideoPage{Videos: []*basics.Video{aVideo(1)}} }

func (allBasics) BatchGetUsers(
	_ context.Context, r *basics.BatchGetUsersRequest, _ ...callopt.Option,
) (*basics.BatchGetUsersResponse, error) {
	return &basics.BatchGetUsersResponse{Users: byKey(r.UserIds, aUser)}, nil
}

func (allBasics) BatchGetVideos(
	_ context.Context, r *basics.BatchGetVideosRequest, _ ...callopt.Option,
) (*basics.BatchGetVideosResponse, error) {
	return &basics.BatchGetVideosResponse{Videos: byKey(r.VideoIds, aVideo)}, nil
}

func (allBasics) ListFeed(
	context.Context, *basics.ListFeedRequest, ...callopt.Option,
) (*basics.ListFeedResponse, error) {
	return &basics.ListFeedResponse{Page: videoPage(0)}, nil
}

func (allBasics) ListUserVideos(
	_ context.Context, r *basics.ListUserVideosRequest, _ ...callopt.Option,
) (*basics.ListUserVideosResponse, error) {
	return &basics.ListUserVideosResponse{Pages: byKey(r.UserIds, videoPage)}, nil
}

func (allBasics) CreateUser(
	context.Context, *basics.CreateUserRequest, ...callopt.Option,
) (*basics.CreateUserResponse, error) {
	return &basics.CreateUserResponse{User: aUser(1)}, nil
}

func (allBasics) VerifyPassword(
	context.Context, *basics.VerifyPasswordRequest, ...callopt.Option,
) (*basics.VerifyPasswordResponse, error) {
	return &basics.VerifyPasswordResponse{User: aUser(1)}, nil
}

func (allBasics) UpdateProfile(
	context.Context, *basics.UpdateProfileRequest, ...callopt.Option,
) (*basics.UpdateProfileResponse, error) {
	return &basics.UpdateProfileResponse{User: aUser(1)}, nil
}

func (allBasics) ReserveFiles(
	context.Context, *basics.ReserveFilesRequest, ...callopt.Option,
) (*basics.ReserveFilesResponse, error) {
	return &basics.ReserveFilesResponse{}, nil
}

func (allBasics) CreateVideo(
	context.Context, *basics.CreateVideoRequest, ...callopt.Option,
) (*basics.CreateVideoResponse, error) {
	return &basics.CreateVideoResponse{Video: aVideo(1)}, nil
}

func (allBasics) UpdateVideo(
	context.Context, *basics.UpdateVideoRequest, ...callopt.Option,
) (*basics.UpdateVideoResponse, error) {
	return &basics.UpdateVideoResponse{Video: aVideo(1)}, nil
}

func (allBasics) DeleteVideo(
	context.Context, *basics.DeleteVideoRequest, ...callopt.Option,
) (*basics.DeleteVideoResponse, error) {
	return &basics.DeleteVideoResponse{}, nil
}

type allInteraction struct{ interactionservice.Client }

func aComment(id int64) *interaction.Comment { return &interaction.Comment{ID: id, UserID: 1} }

func (allInteraction) BatchGetComments(
	_ context.Context, r *interaction.BatchGetCommentsRequest, _ ...callopt.Option,
) (*interaction.BatchGetCommentsResponse, error) {
	return &interaction.BatchGetCommentsResponse{Comments: byKey(r.CommentIds, aComment)}, nil
}

func (allInteraction) BatchGetVideoStats(
	_ context.Context, r *interaction.BatchGetVideoStatsRequest, _ ...callopt.Option,
) (*interaction.BatchGetVideoStatsResponse, error) {
	return &interaction.BatchGetVideoStatsResponse{
		Stats: byKey(r.VideoIds, func(int64) *interaction.VideoStats { return &interaction.VideoStats{} })}, nil
}

func (allInteraction) BatchGetUserLikeStats(
	_ context.Context, r *interaction.BatchGetUserLikeStatsRequest, _ ...callopt.Option,
) (*interaction.BatchGetUserLikeStatsResponse, error) {
	return &interaction.BatchGetUserLikeStatsResponse{
		Stats: byKey(r.UserIds, func(int64) *interaction.UserLikeStats { return &interaction.UserLikeStats{} })}, nil
}

func (allInteraction) ListComments(
	_ context.Context, r *interaction.ListCommentsRequest, _ ...callopt.Option,
) (*interaction.ListCommentsResponse, error) {
	return &interaction.ListCommentsResponse{Pages: byKey(r.VideoIds, func(int64) *interaction.CommentPage {
		return &interaction.CommentPage{Comments: []*interaction.Comment{aComment(1)}}
	})}, nil
}

func (allInteraction) ListLikedVideoIDs(
	_ context.Context, r *interaction.ListLikedVideoIDsRequest, _ ...callopt.Option,
) (*interaction.ListLikedVideoIDsResponse, error) {
	return &interaction.ListLikedVideoIDsResponse{Pages: byKey(r.UserIds, func(int64) *interaction.LikePage {
		return &interaction.LikePage{Likes: []*interaction.Like{{ID: 1, VideoID: 1}}}
	})}, nil
}

func (allInteraction) LikeVideo(
	context.Context, *interaction.LikeVideoRequest, ...callopt.Option,
) (*interaction.LikeVideoResponse, error) {
	return &interaction.LikeVideoResponse{}, nil
}

func (allInteraction) UnlikeVideo(
	context.Context, *interaction.UnlikeVideoRequest, ...callopt.Option,
) (*interaction.UnlikeVideoResponse, error) {
	return &interaction.UnlikeVideoResponse{}, nil
}

func (allInteraction) CreateComment(
	context.Context, *interaction.CreateCommentRequest, ...callopt.Option,
) (*interaction.CreateCommentResponse, error) {
	return &interaction.CreateCommentResponse{Comment: aComment(1)}, nil
}

func (allInteraction) DeleteComment(
	context.Context, *interaction.DeleteCommentRequest, ...callopt.Option,
) (*interaction.DeleteCommentResponse, error) {
	return &interaction.DeleteCommentResponse{}, nil
}

type allSocial struct{ socialservice.Client }

func aMessage() *social.Message { return &social.Message{ID: 1, FromUserID: 1, ToUserID: 1} }

func followPage(int64) *social.FollowPage {
	return &social.FollowPage{Edges: []*social.FollowEdge{{ID: 1, UserID: 1}}}
}

func (allSocial) BatchGetRelationStats(
	_ context.Context, r *social.BatchGetRelationStatsRequest, _ ...callopt.Option,
) (*social.BatchGetRelationStatsResponse, error) {
	return &social.BatchGetRelationStatsResponse{
		Stats: byKey(r.UserIds, func(int64) *social.RelationStats { return &social.RelationStats{} })}, nil
}

func (allSocial) ListFollowing(
	_ context.Context, r *social.ListFollowingRequest, _ ...callopt.Option,
) (*social.ListFollowingResponse, error) {
	return &social.ListFollowingResponse{Pages: byKey(r.UserIds, followPage)}, nil
}

func (allSocial) ListFollowers(
	_ context.Context, r *social.ListFollowersRequest, _ ...callopt.Option,
) (*social.ListFollowersResponse, error) {
	return &social.ListFollowersResponse{Pages: byKey(r.UserIds, followPage)}, nil
}

func (allSocial) ListFriends(
	context.Context, *social.ListFriendsRequest, ...callopt.Option,
) (*social.ListFriendsResponse, error) {
	return &social.ListFriendsResponse{Page: &social.FriendPage{
		Edges: []*social.FriendEdge{{ID: 1, UserID: 1, LatestMessage: aMessage()}}}}, nil
}

func (allSocial) ListMessages(
	context.Context, *social.ListMessagesRequest, ...callopt.Option,
) (*social.ListMessagesResponse, error) {
	return &social.ListMessagesResponse{Messages: []*social.Message{aMessage()}}, nil
}

func (allSocial) Follow(context.Context, *social.FollowRequest, ...callopt.Option) (*social.FollowResponse, error) {
	return &social.FollowResponse{}, nil
}

func (allSocial) Unfollow(
	context.Context, *social.UnfollowRequest, ...callopt.Option,
) (*social.UnfollowResponse, error) {
	return &social.UnfollowResponse{}, nil
}

func (allSocial) SendMessage(
	context.Context, *social.SendMessageRequest, ...callopt.Option,
) (*social.SendMessageResponse, error) {
	return &social.SendMessageResponse{Message: aMessage()}, nil
}

type allMedia struct{ Media }

func (allMedia) URL(context.Context, string) string           { return "url" }
func (allMedia) AvatarURL(context.Context, string) string     { return "avatar" }
func (allMedia) BackgroundURL(context.Context, string) string { return "background" }

func (allMedia) StageVideo(context.Context, io.ReadSeeker, string, io.ReadSeeker) (StagedFiles, error) {
	return stagedVideo{}, nil
}

type stagedVideo struct{}

func (stagedVideo) Keys() []string               { return []string{"videos/a", "covers/a"} }
func (stagedVideo) Commit(context.Context) error { return nil }
func (stagedVideo) Discard()                     {}
