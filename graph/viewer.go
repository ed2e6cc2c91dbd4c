package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"minidouyin/idl/codes"
)

type viewerKey struct{}

// WithViewer returns a context whose viewer is the user with this ID. The caller must have verified the token.
func WithViewer(ctx context.Context, userID int64) context.Context {
	return context.WithValue(ctx, viewerKey{}, userID)
}

// ViewerID returns the ID of the authenticated user, 0 for an anonymous request.
func ViewerID(ctx context.Context) int64 {
	id, _ := ctx.Value(viewerKey{}).(int64)
	return id
}

// auth is the directive @auth: it refuses anonymous requests.
func auth(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
	if ViewerID(ctx) == 0 {
		return nil, codes.Errorf(codes.Unauthenticated, "please sign in first")
	}
	return next(ctx)
}
