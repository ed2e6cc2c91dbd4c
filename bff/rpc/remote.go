package rpc

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/circuitbreak"
	"github.com/cloudwego/kitex/pkg/connpool"
	"github.com/cloudwego/kitex/pkg/discovery"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/loadbalance/lbcache"
	"github.com/cloudwego/kitex/pkg/retry"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/transport"
)

// reads are the methods that change nothing. Only they are retried when it is unknown whether the call was executed.
var reads = []string{
	"BatchGetComments", "BatchGetRelationStats", "BatchGetUserLikeStats", "BatchGetUsers", "BatchGetVideoStats", "BatchGetVideos",
	"ListComments", "ListFeed", "ListFollowers", "ListFollowing", "ListFriends", "ListLikedVideoIDs", "ListMessages", "ListReceivedMessages",
	"ListRemovals", "ListUserVideos",
	"VerifyPassword",
}

func isRead(method string) bool { return slices.Contains(reads, method) }

const (
	readTimeout = 5 * time.Second // of one try
	readTries   = 3
)

// Remote returns the options of a client that calls the instances of a service over TCP, round-robin.
//
// An instance that does not accept the connection in time has not received the request, so any call goes to the next
// one. Without a response, reads are retried, on another instance if there is one. A circuit breaker stops calls to an
// instance, or of a method, whose calls mostly time out. It ignores calls that fail at once, and errors with a code,
// which are responses.
func Remote(resolver discovery.Resolver, cache *lbcache.Options) []client.Option {
	breaker := circuitbreak.NewCBSuite(circuitbreak.RPCInfo2Key,
		circuitbreak.WithServiceGetErrorType(countTimeouts), circuitbreak.WithInstanceGetErrorType(countTimeouts))
	breaker.UpdateInstanceCBConfig(circuitbreak.CBConfig{Enable: true, ErrRate: 0.5, MinSample: 10})
	// kitex would stop retries when every tenth call needs one, which one sick instance of two causes at once. The number
	// of tries and the breaker bound them.
	never := func(context.Context, any, any, error) circuitbreak.ErrorType { return circuitbreak.TypeSuccess }
	unlimited := retry.NewRetryContainer(retry.WithContainerCBSuiteOptions(circuitbreak.WithServiceGetErrorType(never)))
	return append(deadlines(timeouts{read: readTimeout, write: callTimeout}),
		client.WithResolver(resolver),
		client.WithLoadBalancer(&roundRobin{}, cache),
		client.WithMiddleware(trackInstances),
		client.WithRetryContainer(unlimited),
		client.WithRetryMethodPolicies(retries()),
		client.WithCircuitBreaker(breaker),
		client.WithTransportProtocol(transport.TTHeader),
		client.WithMetaHandler(transmeta.ClientTTHeaderHandler),
		client.WithMetaHandler(transmeta.MetainfoClientHandler),
		client.WithLongConnection(connpool.IdleConfig{
			MinIdlePerAddress: 2, MaxIdlePerAddress: 64, MaxIdleGlobal: 256, MaxIdleTimeout: time.Minute}),
	)
}

// Fixed returns a resolver of fixed addresses. Unlike kitex's own it does not look up their names, which each connection
// does: a name may become known later.
func Fixed(addrs ...string) discovery.Resolver {
	name := strings.Join(addrs, ",")
	result := discovery.Result{Cacheable: true, CacheKey: "fixed"}
	for _, addr := range addrs {
		result.Instances = append(result.Instances, discovery.NewInstance("tcp", addr, discovery.DefaultWeight, nil))
	}
	return &discovery.SynthesizedResolver{
		TargetFunc:  func(context.Context, rpcinfo.EndpointInfo) string { return name },
		ResolveFunc: func(context.Context, string) (discovery.Result, error) { return result, nil },
		NameFunc:    func() string { return name },
	}
}

// retries returns the policy of each read.
func retries() map[string]retry.Policy {
	again := func(ctx context.Context, err error, _ rpcinfo.RPCInfo) bool {
		return ctx.Err() == nil && (errors.Is(err, kerrors.ErrRemoteOrNetwork) || kerrors.IsTimeoutError(err))
	}
	policies := map[string]retry.Policy{}
	for _, method := range reads {
		policies[method] = retry.BuildFailurePolicy(&retry.FailurePolicy{
			StopPolicy:        retry.StopPolicy{MaxRetryTimes: readTries - 1, CBPolicy: retry.CBPolicy{ErrorRate: 0.3}},
			ShouldResultRetry: &retry.ShouldResultRetry{ErrorRetryWithCtx: again, NotRetryForTimeout: true},
		})
	}
	return policies
}

// countTimeouts lets the circuit breaker count responses and time-outs only.
func countTimeouts(ctx context.Context, _, _ any, err error) circuitbreak.ErrorType {
	if err == nil {
		return circuitbreak.TypeSuccess
	}
	late, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	if ok && late.Timeout() && !errors.Is(ctx.Err(), context.Canceled) {
		return circuitbreak.TypeTimeout
	}
	return circuitbreak.TypeIgnorable
}
