package model

import (
	"time"

	"minidouyin/idl/kitex_gen/interaction"
)

// LikeCount returns how many users like the video.
func (v *Video) LikeCount() (int64, error) { return v.Stats.Value.LikeCount, v.Stats.Err }

// CommentCount returns how many comments the video has.
func (v *Video) CommentCount() (int64, error) { return v.Stats.Value.CommentCount, v.Stats.Err }

// ViewerHasLiked returns whether the viewer likes the video.
func (v *Video) ViewerHasLiked() (bool, error) { return v.Stats.Value.LikedByViewer, v.Stats.Err }

// Comments returns a page of the video's comments.
func (v *Video) Comments(first *int, after *string) (*CommentConnection, error) {
	return v.CommentPages.at(first, after)
}

// LikesReceivedCount returns how many likes the user's videos have received.
func (u *User) LikesReceivedCount() (int64, error) {
	return u.LikeStats.Value.ReceivedCount, u.LikeStats.Err
}

// LikesGivenCount returns how many videos the user likes.
func (u *User) LikesGivenCount() (int64, error) {
	return u.LikeStats.Value.GivenCount, u.LikeStats.Err
}

// LikedVideos returns a page of the videos that the user likes.
func (u *User) LikedVideos(first *int, after *string) (*VideoConnection, error) {
	return u.LikedPages.at(first, after)
}

// Comment is a row of interaction with its author.
type Comment struct {
	*interaction.Comment
	AuthorUser Joined[*User]
}

// IsNode marks the type as one of the interface Node.
func (*Comment) IsNode() {}

// GlobalID returns the opaque id.
func (c *Comment) GlobalID() string { return GlobalID(TypeComment, c.ID) }

// Author returns who wrote the comment, nil when the account is gone.
func (c *Comment) Author() (*User, error) { return c.AuthorUser.Get() }

// CreatedOn returns the day of the comment as mm-dd in the server's time zone.
func (c *Comment) CreatedOn() string { return time.UnixMilli(c.CreatedAt).Format("01-02") }
