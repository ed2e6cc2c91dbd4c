// Likes and comments.
namespace go interaction

include "page.thrift"

struct VideoStats {
  1: i64 like_count
  2: i64 comment_count
  3: bool liked_by_viewer
}

struct UserLikeStats {
  1: i64 received_count // likes that the user's videos received
  2: i64 given_count    // likes that the user gave
}

struct Like {
  1: i64 id
  2: i64 video_id
  3: i64 created_at // milliseconds since 1970 UTC
}

struct LikePage {
  1: list<Like> likes // latest first
  2: bool has_more
}

struct Comment {
  1: i64 id
  2: i64 video_id
  3: i64 user_id // the author
  4: string content
  5: i64 created_at // milliseconds since 1970 UTC
}

struct CommentPage {
  1: list<Comment> comments // newest first
  2: bool has_more
}

// author_id is the video's author, who receives the like. The client has loaded the video, so it exists.
struct LikeVideoRequest {
  1: i64 user_id
  2: i64 video_id
  3: i64 author_id
}

struct LikeVideoResponse {}

struct UnlikeVideoRequest {
  1: i64 user_id
  2: i64 video_id
}

struct UnlikeVideoResponse {}

struct ListLikedVideoIDsRequest {
  1: list<i64> user_ids
  2: page.Page page
}

struct ListLikedVideoIDsResponse {
  1: map<i64, LikePage> pages // by user; every requested user has one
}

struct BatchGetVideoStatsRequest {
  1: list<i64> video_ids
  2: i64 viewer_id // 0 = anonymous
}

struct BatchGetVideoStatsResponse {
  1: map<i64, VideoStats> stats // every requested id has an entry
}

struct BatchGetUserLikeStatsRequest {
  1: list<i64> user_ids
}

struct BatchGetUserLikeStatsResponse {
  1: map<i64, UserLikeStats> stats // every requested id has an entry
}

struct CreateCommentRequest {
  1: i64 user_id
  2: i64 video_id
  3: string content
}

struct CreateCommentResponse {
  1: Comment comment
}

struct BatchGetCommentsRequest {
  1: list<i64> comment_ids
}

struct BatchGetCommentsResponse {
  1: map<i64, Comment> comments // unknown ids are absent
}

struct DeleteCommentRequest {
  1: i64 comment_id
  2: i64 video_id        // of the comment
  3: i64 user_id         // the caller, who must be the author of the comment or the video
  4: i64 video_author_id
}

struct DeleteCommentResponse {}

struct ListCommentsRequest {
  1: list<i64> video_ids
  2: page.Page page
}

struct ListCommentsResponse {
  1: map<i64, CommentPage> pages // by video; every requested video has one
}

struct PurgeVideoRequest {
  1: i64 video_id
}

struct PurgeVideoResponse {}

struct PurgeUserRequest {
  1: i64 user_id
}

struct PurgeUserResponse {}

service InteractionService {
  LikeVideoResponse LikeVideo(1: LikeVideoRequest request)
  UnlikeVideoResponse UnlikeVideo(1: UnlikeVideoRequest request)
  ListLikedVideoIDsResponse ListLikedVideoIDs(1: ListLikedVideoIDsRequest request)
  BatchGetVideoStatsResponse BatchGetVideoStats(1: BatchGetVideoStatsRequest request)
  BatchGetUserLikeStatsResponse BatchGetUserLikeStats(1: BatchGetUserLikeStatsRequest request)

  CreateCommentResponse CreateComment(1: CreateCommentRequest request)
  BatchGetCommentsResponse BatchGetComments(1: BatchGetCommentsRequest request)
  DeleteCommentResponse DeleteComment(1: DeleteCommentRequest request)
  ListCommentsResponse ListComments(1: ListCommentsRequest request)

  // Delete the data of a deleted video or user and correct the counts. They may be repeated.
  PurgeVideoResponse PurgeVideo(1: PurgeVideoRequest request)
  PurgeUserResponse PurgeUser(1: PurgeUserRequest request)
}
