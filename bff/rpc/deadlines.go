package rpc

import (
	"context"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/endpoint"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
)

const (
	callTimeout    = 10 * time.Second // of a call whose context ends later or never
	connectTimeout = 300 * time.Millisecond
)

// timeouts are those of one call, or of one try of a call that is retried.
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

// deadlines bounds every call and sends the deadline of its context with it; kitex itself sends the configured time-out.
func deadlines(limits timeouts) []client.Option {
	shorten := func(next endpoint.Endpoint) endpoint.Endpoint {
		return func(ctx context.Context, request, response any) error {
			cfg := rpcinfo.AsMutableRPCConfig(rpcinfo.GetRPCInfo(ctx).Config())
			left := cfg.ImmutableView().RPCTimeout()
			if deadline, ok := ctx.Deadline(); ok {
				left = min(left, time.Until(deadline))
			}
			// A little less than what is left: the service can report the time-out to a caller that still waits, and the
			// circuit breaker knows of it before the next call.
			_ = cfg.SetRPCTimeout(max(left-min(left/10, 50*time.Millisecond), time.Millisecond))
			cfg.LockConfig(rpcinfo.BitRPCTimeout) // only what is locked is sent
			return next(ctx, request, response)
		}
	}
	return []client.Option{client.WithTimeoutProvider(limits), client.WithMiddleware(shorten)}
}
