package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"minidouyin/idl/codes"
)

type viewerKey struct{}

// WithViewer returns a context in which the user with this id asks. Only the check of a token may call it.
func WithViewer(ctx context.Context, userID int64) context.Context {
	return context.WithValue(ctx, viewerKey{}, userID)
}

// ViewerID returns the id of the user who asks, 0 for a visitor.
func ViewerID(ctx context.Context) int64 {
	id, _ := ctx.Value(viewerKey{}).(int64)
	return id
}

// auth is the directive @auth: visitors are refused.
func auth(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
	if ViewerID(ctx) == 0 {
		return nil, codes.Errorf(codes.Unauthenticated, "please sign in first")
	}
	return next(ctx)
}
