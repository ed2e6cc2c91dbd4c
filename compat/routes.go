package compat

import "net/http"

// table has one row for each route, or for each action_type of a route. The documents of the operations are in the
// folder operations. Paths match with and without a trailing slash.
var table = []struct {
	method, path string
	actionType   int64 // 0 where the route has none
	operation    string
}{
	{http.MethodGet, "/douyin/feed", 0, "Feed"},
	{http.MethodPost, "/douyin/user/register", 0, "Register"},
	{http.MethodPost, "/douyin/user/login", 0, "Login"},
	{http.MethodGet, "/douyin/user", 0, "Profile"},

	{http.MethodPost, "/douyin/publish/action", 0, "Publish"},
	{http.MethodGet, "/douyin/publish/list", 0, "PublishList"},

	{http.MethodPost, "/douyin/favorite/action", 1, "Like"},
	{http.MethodPost, "/douyin/favorite/action", 2, "Unlike"},
	{http.MethodGet, "/douyin/favorite/list", 0, "FavoriteList"},
	{http.MethodPost, "/douyin/comment/action", 1, "WriteComment"},
	{http.MethodPost, "/douyin/comment/action", 2, "DeleteComment"},
	{http.MethodGet, "/douyin/comment/list", 0, "CommentList"},

	{http.MethodPost, "/douyin/relation/action", 1, "Follow"},
	{http.MethodPost, "/douyin/relation/action", 2, "Unfollow"},
	{http.MethodGet, "/douyin/relation/follow/list", 0, "FollowList"},
	{http.MethodGet, "/douyin/relation/follower/list", 0, "FollowerList"},
	{http.MethodGet, "/douyin/relation/friend/list", 0, "FriendList"},
	{http.MethodGet, "/douyin/message/chat", 0, "Chat"},
	{http.MethodPost, "/douyin/message/action", 1, "SendMessage"},
}
