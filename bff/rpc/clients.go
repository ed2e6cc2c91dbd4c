// Package rpc calls the three services, in this process or over the network.
package rpc

import (
	"context"
	"fmt"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/endpoint"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/server"
	"golang.org/x/sync/errgroup"

	"minidouyin/bff/panics"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/basics/basicsservice"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/interaction/interactionservice"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/idl/kitex_gen/social/socialservice"
)

// Services are the clients of the three services.
type Services struct {
	Basics      basicsservice.Client
	Interaction interactionservice.Client
	Social      socialservice.Client
}

// NewServices returns clients with the options of each service: those of [Remote] or [Local], and middleware.
func NewServices(options func(service string) []client.Option) (s Services, err error) {
	if s.Basics, err = basicsservice.NewClient("basics", options("basics")...); err != nil {
		return s, fmt.Errorf("make the client of basics: %w", err)
	}
	if s.Interaction, err = interactionservice.NewClient("interaction", options("interaction")...); err != nil {
		return s, fmt.Errorf("make the client of interaction: %w", err)
	}
	if s.Social, err = socialservice.NewClient("social", options("social")...); err != nil {
		return s, fmt.Errorf("make the client of social: %w", err)
	}
	return s, nil
}

// Local returns the options of a client that calls a service in this process: through the middleware of its server, but
// without a network. Requests and replies are shared with the service and must not be changed.
func Local(caller server.LocalCaller) []client.Option {
	call := func(endpoint.Endpoint) endpoint.Endpoint {
		return func(ctx context.Context, request, response any) error {
			return caller.Call(ctx, rpcinfo.GetRPCInfo(ctx).Invocation().MethodName(), request, response)
		}
	}
	return append(deadlines(timeouts{callTimeout, callTimeout}), client.WithHostPorts("127.0.0.1:0"), client.WithMiddleware(call))
}

// Ready returns nil if all services answer and can read their databases.
func (s Services) Ready(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, name := range []string{"basics", "interaction", "social"} {
		group.Go(panics.Recovered(func() error { return s.ReadyOne(ctx, name) }))
	}
	return group.Wait()
}

// ReadyOne returns nil if the named service answers and can read its database.
func (s Services) ReadyOne(ctx context.Context, name string) (err error) {
	unknown := []int64{1}
	switch name {
	case "basics":
		_, err = s.Basics.BatchGetUsers(ctx, &basics.BatchGetUsersRequest{UserIds: unknown})
	case "interaction":
		_, err = s.Interaction.BatchGetVideoStats(ctx, &interaction.BatchGetVideoStatsRequest{VideoIds: unknown})
	case "social":
		_, err = s.Social.BatchGetRelationStats(ctx, &social.BatchGetRelationStatsRequest{UserIds: unknown})
	default:
		err = fmt.Errorf("there is no service %s", name)
	}
	return err
}
