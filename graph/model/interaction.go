package model

import (
	"time"

	"minidouyin/idl/kitex_gen/interaction"
)

// LikeCount returns the number of likes of the video.
func (v *Video) LikeCount() (int64, error) {
	stats, err := v.Stats.Get()
	return stats.LikeCount, err
}

// CommentCount returns the number of comments on the video.
func (v *Video) CommentCount() (int64, error) {
	stats, err := v.Stats.Get()
	return stats.CommentCount, err
}

// ViewerHasLiked reports whether the viewer likes the video.
func (v *Video) ViewerHasLiked() (bool, error) {
	stats, err := v.Stats.Get()
	return stats.LikedByViewer, err
}

// Comments returns a page of the video's comments.
func (v *Video) Comments(first *int, after *string) (*CommentConnection, error) {
	return v.CommentPages.Get(first, after)
}

// LikesReceivedCount returns the number of likes of the user's videos.
func (u *User) LikesReceivedCount() (int64, error) {
	stats, err := u.LikeStats.Get()
	return stats.ReceivedCount, err
}

// LikesGivenCount returns the number of videos that the user likes.
func (u *User) LikesGivenCount() (int64, error) {
	stats, err := u.LikeStats.Get()
	return stats.GivenCount, err
}

// LikedVideos returns a page of the videos that the user likes.
func (u *User) LikedVideos(first *int, after *string) (*VideoConnection, error) {
	return u.LikedPages.Get(first, after)
}

// Comment is a row of interaction and its author.
type Comment struct {
	*interaction.Comment
	AuthorUser Joined[*User]
}

// IsNode marks an implementation of the interface Node.
func (*Comment) IsNode() {}

// GlobalID returns the opaque ID.
func (c *Comment) GlobalID() string { return GlobalID(TypeComment, c.ID) }

// Author returns the author of the comment, nil if the account was deleted.
func (c *Comment) Author() (*User, error) { return c.AuthorUser.Get() }

// CreatedOn returns the day of the comment as mm-dd in the time zone of the server.
func (c *Comment) CreatedOn() string { return time.UnixMilli(c.CreatedAt).Format("01-02") }
