package model

import "minidouyin/idl/kitex_gen/social"

// FollowingCount returns the number of users that the user follows.
func (u *User) FollowingCount() (int64, error) {
	stats, err := u.Relation.Get()
	return stats.FollowingCount, err
}

// FollowerCount returns the number of followers of the user.
func (u *User) FollowerCount() (int64, error) {
	stats, err := u.Relation.Get()
	return stats.FollowerCount, err
}

// ViewerIsFollowing reports whether the viewer follows the user.
func (u *User) ViewerIsFollowing() (bool, error) {
	stats, err := u.Relation.Get()
	return stats.FollowedByViewer, err
}

// Following returns a page of the users that the user follows.
func (u *User) Following(first *int, after *string) (*UserConnection, error) {
	return u.FollowingPages.Get(first, after)
}

// Followers returns a page of the followers of the user.
func (u *User) Followers(first *int, after *string) (*UserConnection, error) {
	return u.FollowerPages.Get(first, after)
}

// Friends returns a page of the followers that the user follows back.
func (u *User) Friends(first *int, after *string) (*FriendConnection, error) {
	return u.FriendPages.Get(first, after)
}

// Friend is a follower of the viewer whom the viewer follows back.
type Friend struct {
	User          *User
	LatestMessage *Message // nil = no message yet
}

// Message is a row of social as its sender or receiver sees it.
type Message struct {
	*social.Message
	ViewerID int64
}

// GlobalID returns the opaque ID.
func (m *Message) GlobalID() string { return GlobalID(TypeMessage, m.ID) }

// Direction reports whether the viewer sent or received the message.
func (m *Message) Direction() MessageDirection {
	if m.FromUserID == m.ViewerID {
		return MessageDirectionSent
	}
	return MessageDirectionReceived
}

// MessageReceivedPayload is a new message and its sender.
type MessageReceivedPayload struct {
	Cursor   string
	Message  *Message
	FromUser Joined[*User]
}

// From returns the sender of the message, nil if the account was deleted.
func (p *MessageReceivedPayload) From() (*User, error) { return p.FromUser.Get() }
