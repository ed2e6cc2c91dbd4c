package model

import (
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/social"
)

// User is a row of basics with what interaction and social know of the user.
type User struct {
	*basics.User
	AvatarURL     string
	BackgroundURL string

	LikeStats Joined[interaction.UserLikeStats]
	Relation  Joined[social.RelationStats]

	VideoPages     Pages[*Video]
	LikedPages     Pages[*Video]
	FollowingPages Pages[*User]
	FollowerPages  Pages[*User]
	FriendPages    Pages[*Friend]
}

// IsNode marks the type as one of the interface Node.
func (*User) IsNode() {}

// GlobalID returns the opaque id.
func (u *User) GlobalID() string { return GlobalID(TypeUser, u.ID) }

// Videos returns a page of the user's videos.
func (u *User) Videos(first *int, after *string) (*VideoConnection, error) {
	return u.VideoPages.at(first, after)
}

// Video is a row of basics with what interaction knows of the video.
type Video struct {
	*basics.Video
	PlayURL  string
	CoverURL string

	AuthorUser Joined[*User]
	Stats      Joined[interaction.VideoStats]

	CommentPages Pages[*Comment]
}

// IsNode marks the type as one of the interface Node.
func (*Video) IsNode() {}

// GlobalID returns the opaque id.
func (v *Video) GlobalID() string { return GlobalID(TypeVideo, v.ID) }

// Author returns who published the video, nil when the account is gone.
func (v *Video) Author() (*User, error) { return v.AuthorUser.Get() }

// FeedConnection is a page of the feed.
type FeedConnection struct {
	*VideoConnection
	NextPublishedBefore int64 // milliseconds since 1970 UTC
}
