package graph

import (
	"context"
	"minidouyin/graph/exec"
	"minidouyin/graph/model"
	"minidouyin/idl/codes"
)

// Node is the resolver for the node field.
func (r *queryResolver) Node(ctx context.Context, id string) (model.Node, error) {
	typ, databaseID, ok := model.ParseGlobalID(id)
	if !ok {
		return nil, codes.Errorf(codes.InvalidArgument, "this is not an opaque id")
	}
	switch typ {
	case model.TypeUser:
		user, err := r.userByID(ctx, databaseID)
		if user == nil {
			return nil, err
		}
		return user, nil
	case model.TypeVideo:
		video, err := r.videoByID(ctx, databaseID)
		if video == nil {
			return nil, err
		}
		return video, nil
	case model.TypeComment:
		comment, err := r.commentByID(ctx, databaseID)
		if comment == nil {
			return nil, err
		}
		return comment, nil
	default:
		return nil, nil
	}
}

func (r *Resolver) Mutation() exec.MutationResolver { return &mutationResolver{r} }

func (r *Resolver) Query() exec.QueryResolver { return &queryResolver{r} }

func (r *Resolver) Subscription() exec.SubscriptionResolver { return &subscriptionResolver{r} }

type (
	mutationResolver     struct{ *Resolver }
	queryResolver        struct{ *Resolver }
	subscriptionResolver struct{ *Resolver }
)
