package model

import (
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/social"
)

// User is a row of basics with its parts of interaction and social.
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

// IsNode marks an implementation of the interface Node.
func (*User) IsNode() {}

// GlobalID returns the opaque ID.
func (u *User) GlobalID() string { return GlobalID(TypeUser, u.ID) }

// Videos returns a page of the user's videos.
func (u *User) Videos(first *int, after *string) (*VideoConnection, error) {
	return u.VideoPages.Get(first, after)
}

// Video is a row of basics with its parts of interaction.
type Video struct {
	*basics.Video
	PlayURL  string
	CoverURL string

	AuthorUser Joined[*User]
	Stats      Joined[interaction.VideoStats]

	CommentPages Pages[*Comment]
}

// IsNode marks an implementation of the interface Node.
func (*Video) IsNode() {}

// GlobalID returns the opaque ID.
func (v *Video) GlobalID() string { return GlobalID(TypeVideo, v.ID) }

// Author returns the author of the video, nil if the account was deleted.
func (v *Video) Author() (*User, error) { return v.AuthorUser.Get() }

// FeedConnection is a page of the feed.
type FeedConnection struct {
	*VideoConnection
	NextPublishedBefore int64 // milliseconds since 1970 UTC
}
