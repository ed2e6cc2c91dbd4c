// Package rpc calls the three services, in this process or over the network.
package rpc

import (
	"context"
	"fmt"
	"time"

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

const (
	callTimeout    = 10 * time.Second // of a call whose context ends later or never
	connectTimeout = 300 * time.Millisecond
)

// Services are the clients of the three services.
type Services struct {
	Basics      basicsservice.Client
	Interaction interactionservice.Client
	Social      socialservice.Client
}

// NewServices returns clients that reach each service by its own options: [Remote] or [Local], and middleware.
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

// Local returns the options of a client that calls a service in this process, through all of its server's middleware
// but no network. Requests and replies are shared with the service: nobody may change them.
func Local(caller server.LocalCaller) []client.Option {
	call := func(endpoint.Endpoint) endpoint.Endpoint {
		return func(ctx context.Context, request, response any) error {
			return caller.Call(ctx, rpcinfo.GetRPCInfo(ctx).Invocation().MethodName(), request, response)
		}
	}
	return append(deadlines(timeouts{callTimeout, callTimeout}), client.WithHostPorts("127.0.0.1:0"), client.WithMiddleware(call))
}

// timeouts are those of one call, or of one try where calls are tried again.
type timeouts struct{ read, write time.Duration }

// Timeouts implements [rpcinfo.TimeoutProvider].
func (t timeouts) Timeouts(ri rpcinfo.RPCInfo) rpcinfo.Timeouts {
	if isRead(ri.To().Method()) {
		return timeout(t.read)
	}
	return timeout(t.write)
}

type timeout time.Duration

// RPCTimeout implements [rpcinfo.Timeouts].
func (t timeout) RPCTimeout() time.Duration { return time.Duration(t) }

// ConnectTimeout implements [rpcinfo.Timeouts].
func (timeout) ConnectTimeout() time.Duration { return connectTimeout }

// ReadWriteTimeout implements [rpcinfo.Timeouts].
func (t timeout) ReadWriteTimeout() time.Duration { return time.Duration(t) }

// deadlines bounds every call, and lets the deadline of its context travel with it: kitex by itself sends the
// configured time-out.
func deadlines(limits timeouts) []client.Option {
	shorten := func(next endpoint.Endpoint) endpoint.Endpoint {
		return func(ctx context.Context, request, response any) error {
			cfg := rpcinfo.AsMutableRPCConfig(rpcinfo.GetRPCInfo(ctx).Config())
			left := cfg.ImmutableView().RPCTimeout()
			if deadline, ok := ctx.Deadline(); ok {
				left = min(left, time.Until(deadline))
			}
			// A little less: the service says that it was too late before nobody listens, and who waits for it in vain
			// tells the circuit breaker before the next call comes.
			_ = cfg.SetRPCTimeout(max(left-min(left/10, 50*time.Millisecond), time.Millisecond))
			cfg.LockConfig(rpcinfo.BitRPCTimeout) // only what is locked is sent
			return next(ctx, request, response)
		}
	}
	return []client.Option{client.WithTimeoutProvider(limits), client.WithMiddleware(shorten)}
}

// Ready returns nil when all services answer and can read their database.
func (s Services) Ready(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, name := range []string{"basics", "interaction", "social"} {
		group.Go(panics.Recovered(func() error { return s.ReadyOne(ctx, name) }))
	}
	return group.Wait()
}

// ReadyOne returns nil when the named service answers and can read its database.
func (s Services) ReadyOne(ctx context.Context, name string) (err error) {
	nobody := []int64{1}
	switch name {
	case "basics":
		_, err = s.Basics.BatchGetUsers(ctx, &basics.BatchGetUsersRequest{UserIds: nobody})
	case "interaction":
		_, err = s.Interaction.BatchGetVideoStats(ctx, &interaction.BatchGetVideoStatsRequest{VideoIds: nobody})
	case "social":
		_, err = s.Social.BatchGetRelationStats(ctx, &social.BatchGetRelationStatsRequest{UserIds: nobody})
	default:
		err = fmt.Errorf("there is no service %s", name)
	}
	return err
}
