package model

import "minidouyin/idl/kitex_gen/social"

// FollowingCount returns how many users the user follows.
func (u *User) FollowingCount() (int64, error) {
	return u.Relation.Value.FollowingCount, u.Relation.Err
}

// FollowerCount returns how many users follow the user.
func (u *User) FollowerCount() (int64, error) {
	return u.Relation.Value.FollowerCount, u.Relation.Err
}

// ViewerIsFollowing returns whether the viewer follows the user.
func (u *User) ViewerIsFollowing() (bool, error) {
	return u.Relation.Value.FollowedByViewer, u.Relation.Err
}

// Following returns a page of those whom the user follows.
func (u *User) Following(first *int, after *string) (*UserConnection, error) {
	return u.FollowingPages.at(first, after)
}

// Followers returns a page of those who follow the user.
func (u *User) Followers(first *int, after *string) (*UserConnection, error) {
	return u.FollowerPages.at(first, after)
}

// Friends returns a page of those who follow the user and are followed back.
func (u *User) Friends(first *int, after *string) (*FriendConnection, error) {
	return u.FriendPages.at(first, after)
}

// Friend is a user who follows the viewer and is followed back.
type Friend struct {
	User          *User
	LatestMessage *Message // nil = none yet
}

// Message is a row of social, seen by one of its two sides.
type Message struct {
	*social.Message
	ViewerID int64
}

// GlobalID returns the opaque id.
func (m *Message) GlobalID() string { return GlobalID(TypeMessage, m.ID) }

// Direction returns whether the viewer sent or received the message.
func (m *Message) Direction() MessageDirection {
	if m.FromUserID == m.ViewerID {
		return MessageDirectionSent
	}
	return MessageDirectionReceived
}

// MessageReceivedPayload is a message that has come in, with its sender.
type MessageReceivedPayload struct {
	Cursor   string
	Message  *Message
	FromUser Joined[*User]
}

// From returns who sent the message, nil when the account is gone.
func (p *MessageReceivedPayload) From() (*User, error) { return p.FromUser.Get() }
