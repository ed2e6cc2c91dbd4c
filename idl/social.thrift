// Follows and messages.
namespace go social

include "page.thrift"

struct RelationStats {
  1: i64 following_count
  2: i64 follower_count
  3: bool followed_by_viewer
}

// A follow in the list of one of its users.
struct FollowEdge {
  1: i64 id
  2: i64 user_id // the other user
  3: i64 created_at // milliseconds since 1970 UTC
}

struct FollowPage {
  1: list<FollowEdge> edges // latest first
  2: bool has_more
}

struct Message {
  1: i64 id
  2: i64 from_user_id
  3: i64 to_user_id
  4: string content
  5: i64 created_at // milliseconds since 1970 UTC, unique and rising between two users
}

// Two users who follow each other.
struct FriendEdge {
  1: i64 id
  2: i64 user_id // the friend
  3: i64 created_at // when the user followed the friend: milliseconds since 1970 UTC
  4: optional Message latest_message // the latest message between the two
}

struct FriendPage {
  1: list<FriendEdge> edges // latest first
  2: bool has_more
}

struct FollowRequest {
  1: i64 from_user_id
  2: i64 to_user_id // the client has loaded this user, so it exists
}

struct FollowResponse {}

struct UnfollowRequest {
  1: i64 from_user_id
  2: i64 to_user_id
}

struct UnfollowResponse {}

struct ListFollowingRequest {
  1: list<i64> user_ids
  2: page.Page page
}

struct ListFollowingResponse {
  1: map<i64, FollowPage> pages // by user; every requested user has one
}

struct ListFollowersRequest {
  1: list<i64> user_ids
  2: page.Page page
}

struct ListFollowersResponse {
  1: map<i64, FollowPage> pages // by user; every requested user has one
}

struct ListFriendsRequest {
  1: i64 user_id
  2: page.Page page
}

struct ListFriendsResponse {
  1: FriendPage page
}

struct BatchGetRelationStatsRequest {
  1: list<i64> user_ids
  2: i64 viewer_id // 0 = anonymous
}

struct BatchGetRelationStatsResponse {
  1: map<i64, RelationStats> stats // every requested id has an entry
}

struct SendMessageRequest {
  1: i64 from_user_id
  2: i64 to_user_id // the client has loaded this user, so it exists
  3: string content
}

struct SendMessageResponse {
  1: Message message
}

// Without received_after: the latest messages of the two users before the cursor. With it: the oldest messages that
// peer_id sent to user_id after that time.
struct ListMessagesRequest {
  1: i64 user_id
  2: i64 peer_id
  3: i32 limit
  4: optional page.Cursor before
  5: optional i64 received_after // milliseconds since 1970 UTC
}

struct ListMessagesResponse {
  1: list<Message> messages // oldest first
  2: bool has_more // in the direction of the page
}

// With after: the oldest messages that anybody sent to user_id after the cursor, whose time need not be that of a message.
// Without: the latest. Times are unique, and in the order of commits, only between two users. So a client that reads on by
// time must look back a while for messages that were committed late.
struct ListReceivedMessagesRequest {
  1: i64 user_id
  2: i32 limit
  3: optional page.Cursor after
}

struct ListReceivedMessagesResponse {
  1: list<Message> messages // oldest first
  2: bool has_more // in the direction of the page
}

struct PurgeUserRequest {
  1: i64 user_id
}

struct PurgeUserResponse {}

service SocialService {
  FollowResponse Follow(1: FollowRequest request)
  UnfollowResponse Unfollow(1: UnfollowRequest request)
  ListFollowingResponse ListFollowing(1: ListFollowingRequest request)
  ListFollowersResponse ListFollowers(1: ListFollowersRequest request)
  ListFriendsResponse ListFriends(1: ListFriendsRequest request)
  BatchGetRelationStatsResponse BatchGetRelationStats(1: BatchGetRelationStatsRequest request)

  SendMessageResponse SendMessage(1: SendMessageRequest request)
  ListMessagesResponse ListMessages(1: ListMessagesRequest request)
  ListReceivedMessagesResponse ListReceivedMessages(1: ListReceivedMessagesRequest request)

  // Deletes the data of a deleted user and corrects the counts. It may be repeated.
  PurgeUserResponse PurgeUser(1: PurgeUserRequest request)
}
