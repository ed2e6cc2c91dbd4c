// Users, videos and the feed.
namespace go basics

include "page.thrift"

struct User {
  1: i64 id
  2: string name
  3: string signature
  4: string avatar_key     // key in the blob store, "" = the default picture
  5: string background_key // key in the blob store, "" = the default picture
  6: i64 video_count       // published videos
  7: i64 created_at        // milliseconds since 1970 UTC
}

struct Video {
  1: i64 id
  2: i64 author_id
  3: string title
  4: string play_key   // key of the video in the blob store
  5: string cover_key  // key of its cover in the blob store
  6: i64 created_at    // publishing time: milliseconds since 1970 UTC, unique among all videos
}

struct VideoPage {
  1: list<Video> videos // newest first
  2: bool has_more
}

struct CreateUserRequest {
  1: string name
  2: string password
}

struct CreateUserResponse {
  1: User user
}

struct VerifyPasswordRequest {
  1: string name
  2: string password
}

struct VerifyPasswordResponse {
  1: User user
}

struct BatchGetUsersRequest {
  1: list<i64> user_ids
}

struct BatchGetUsersResponse {
  1: map<i64, User> users // unknown ids are absent
}

// Absent fields stay as they are.
struct UpdateProfileRequest {
  1: i64 user_id
  2: optional string name
  3: optional string signature
  4: optional string avatar_key
  5: optional string background_key
}

struct UpdateProfileResponse {
  1: User user
}

struct DeleteUserRequest {
  1: i64 user_id
}

struct DeleteUserResponse {}

struct CreateVideoRequest {
  1: i64 author_id
  2: string title
  3: string play_key
  4: string cover_key
}

struct CreateVideoResponse {
  1: Video video
}

struct BatchGetVideosRequest {
  1: list<i64> video_ids
}

struct BatchGetVideosResponse {
  1: map<i64, Video> videos // unknown ids are absent
}

struct ListFeedRequest {
  1: page.Page page
  2: optional i64 published_before // milliseconds since 1970 UTC: only videos strictly older
}

struct ListFeedResponse {
  1: VideoPage page
}

struct ListUserVideosRequest {
  1: list<i64> user_ids
  2: page.Page page
}

struct ListUserVideosResponse {
  1: map<i64, VideoPage> pages // by user; every requested user has one
}

// Absent fields stay as they are.
struct UpdateVideoRequest {
  1: i64 video_id
  2: i64 author_id // the caller, who must be the author
  3: optional string title
  4: optional string cover_key
}

struct UpdateVideoResponse {
  1: Video video
}

struct DeleteVideoRequest {
  1: i64 video_id
  2: i64 author_id // the caller, who must be the author
}

struct DeleteVideoResponse {}

// Something to be removed. It is stored before, or in the transaction of, the change that makes it obsolete, and deleted
// when it is removed, so a crash in between leaves nothing behind. Exactly one of the three is set.
struct Removal {
  1: i64 id
  2: i64 user_id     // data of a deleted user in interaction and social
  3: i64 video_id    // data of a deleted video in interaction
  4: string file_key // a file in the blob store that no row refers to
}

// Adds removals for files that are about to be stored. CreateVideo, UpdateVideo and UpdateProfile delete those of the keys
// that they store; the others fall due.
struct ReserveFilesRequest {
  1: list<string> keys
  2: i64 ttl_ms // time until they fall due, in milliseconds
}

struct ReserveFilesResponse {}

struct ListRemovalsRequest {
  1: i32 limit
  2: bool include_reserved // also reservations that are not due yet (safe only while nobody publishes)
}

struct ListRemovalsResponse {
  1: list<Removal> removals // oldest first
}

struct FinishRemovalsRequest {
  1: list<i64> removal_ids
}

struct FinishRemovalsResponse {}

service BasicsService {
  CreateUserResponse CreateUser(1: CreateUserRequest request)
  VerifyPasswordResponse VerifyPassword(1: VerifyPasswordRequest request)
  BatchGetUsersResponse BatchGetUsers(1: BatchGetUsersRequest request)
  UpdateProfileResponse UpdateProfile(1: UpdateProfileRequest request)
  DeleteUserResponse DeleteUser(1: DeleteUserRequest request)

  CreateVideoResponse CreateVideo(1: CreateVideoRequest request)
  BatchGetVideosResponse BatchGetVideos(1: BatchGetVideosRequest request)
  ListFeedResponse ListFeed(1: ListFeedRequest request)
  ListUserVideosResponse ListUserVideos(1: ListUserVideosRequest request)
  UpdateVideoResponse UpdateVideo(1: UpdateVideoRequest request)
  DeleteVideoResponse DeleteVideo(1: DeleteVideoRequest request)

  ReserveFilesResponse ReserveFiles(1: ReserveFilesRequest request)
  ListRemovalsResponse ListRemovals(1: ListRemovalsRequest request)
  FinishRemovalsResponse FinishRemovals(1: FinishRemovalsRequest request)
}
