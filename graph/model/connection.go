package model

import (
	"encoding/base64"
	"strconv"
	"strings"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/page"
)

// Connection is a page of a list with cursors.
type Connection[T any] struct {
	Nodes []T

	cursors  []page.Cursor // beside Nodes
	next     bool
	previous bool
	err      error // of an item that failed to load
}

// Edge is an item of a list with its cursor.
type Edge[T any] struct {
	Cursor string
	Node   T
}

type (
	// VideoConnection is a page of videos.
	VideoConnection = Connection[*Video]
	// VideoEdge is a video in a list.
	VideoEdge = Edge[*Video]
	// CommentConnection is a page of comments.
	CommentConnection = Connection[*Comment]
	// CommentEdge is a comment in a list.
	CommentEdge = Edge[*Comment]
	// UserConnection is a page of users.
	UserConnection = Connection[*User]
	// UserEdge is a user in a list.
	UserEdge = Edge[*User]
	// FriendConnection is a page of friends.
	FriendConnection = Connection[*Friend]
	// FriendEdge is a friend in a list.
	FriendEdge = Edge[*Friend]
	// MessageConnection is a page of messages.
	MessageConnection = Connection[*Message]
	// MessageEdge is a message in a list.
	MessageEdge = Edge[*Message]
)

// NewConnection returns an empty page. next and previous report whether the list has items after and before it.
func NewConnection[T any](next, previous bool) *Connection[T] {
	return &Connection[T]{Nodes: []T{}, next: next, previous: previous}
}

// Add appends a node and its position in the list.
func (c *Connection[T]) Add(createdAt, id int64, node T) {
	c.Nodes = append(c.Nodes, node)
	c.cursors = append(c.cursors, page.Cursor{CreatedAt: createdAt, ID: id})
}

// Fail makes the page an error, because an item of it failed to load.
func (c *Connection[T]) Fail(err error) { c.err = err }

// Edges returns the nodes with their cursors.
func (c *Connection[T]) Edges() []*Edge[T] {
	edges := make([]*Edge[T], len(c.Nodes))
	for i, node := range c.Nodes {
		edges[i] = &Edge[T]{Cursor: FormatCursor(c.cursors[i]), Node: node}
	}
	return edges
}

// PageInfo returns the position of the page in its list.
func (c *Connection[T]) PageInfo() *PageInfo {
	info := &PageInfo{HasNextPage: c.next, HasPreviousPage: c.previous}
	if len(c.cursors) > 0 {
		start, end := FormatCursor(c.cursors[0]), FormatCursor(c.cursors[len(c.cursors)-1])
		info.StartCursor, info.EndCursor = &start, &end
	}
	return info
}

// FormatCursor returns the opaque text of a position in a list.
func FormatCursor(c page.Cursor) string {
	return base64.RawURLEncoding.EncodeToString([]byte(
		strconv.FormatInt(c.CreatedAt, 36) + "." + strconv.FormatInt(c.ID, 36)))
}

// ParseCursor parses the text of FormatCursor; anything else is InvalidArgument.
func ParseCursor(s string) (*page.Cursor, error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil && len(raw) <= 32 {
		createdAt, id, _ := strings.Cut(string(raw), ".")
		var c page.Cursor
		var errAt, errID error
		c.CreatedAt, errAt = strconv.ParseInt(createdAt, 36, 64)
		c.ID, errID = strconv.ParseInt(id, 36, 64)
		if errAt == nil && errID == nil && c.CreatedAt >= 0 && c.ID >= 0 && FormatCursor(c) == s {
			return &c, nil
		}
	}
	return nil, codes.Errorf(codes.InvalidArgument, "this is not a cursor of this list")
}
