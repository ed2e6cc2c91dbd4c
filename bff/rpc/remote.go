package rpc

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/circuitbreak"
	"github.com/cloudwego/kitex/pkg/connpool"
	"github.com/cloudwego/kitex/pkg/discovery"
	"github.com/cloudwego/kitex/pkg/endpoint"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/loadbalance"
	"github.com/cloudwego/kitex/pkg/loadbalance/lbcache"
	"github.com/cloudwego/kitex/pkg/retry"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/transport"
)

// reads are the methods that change nothing. They alone are tried again when it is not known whether the request was
// carried out.
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

// Remote returns the options of a client that calls the instances of a service over TCP, in turn.
//
// An instance that refuses the connection, or does not take it in time, never had the request: any call goes on to the
// next one. When an answer does not come, reads are tried again, on another instance where there is one. A circuit
// breaker keeps calls away from an instance, or a method, that lets most of them wait in vain; what fails at once needs
// none, and errors with a code are answers.
func Remote(resolver discovery.Resolver, cache *lbcache.Options) []client.Option {
	breaker := circuitbreak.NewCBSuite(circuitbreak.RPCInfo2Key,
		circuitbreak.WithServiceGetErrorType(waited), circuitbreak.WithInstanceGetErrorType(waited))
	breaker.UpdateInstanceCBConfig(circuitbreak.CBConfig{Enable: true, ErrRate: 0.5, MinSample: 10})
	// kitex would stop trying again when every tenth call needs it, which one sick instance of two brings about at once.
	// What bounds the tries is their number and the breaker.
	never := func(context.Context, any, any, error) circuitbreak.ErrorType { return circuitbreak.TypeSuccess }
	unlimited := retry.NewRetryContainer(retry.WithContainerCBSuiteOptions(circuitbreak.WithServiceGetErrorType(never)))
	return append(deadlines(timeouts{read: readTimeout, write: callTimeout}),
		client.WithResolver(resolver),
		client.WithLoadBalancer(&turns{}, cache),
		client.WithMiddleware(rememberTries),
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

// Fixed returns a resolver that always answers the same addresses. Unlike kitex's own it leaves names to be looked up
// at each connection: they may mean nothing yet.
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

// waited tells the circuit breaker what counts: answers, and waiting in vain.
func waited(ctx context.Context, _, _ any, err error) circuitbreak.ErrorType {
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

// turns is a load balancer that gives each instance its turn. Unlike kitex's own it offers no instance twice to one
// call: of two the same one could come up again and again while the other is well.
type turns struct{ next atomic.Uint64 }

var _ loadbalance.Loadbalancer = (*turns)(nil)

// Name implements [loadbalance.Loadbalancer].
func (*turns) Name() string { return "turns" }

// GetPicker implements [loadbalance.Loadbalancer].
func (b *turns) GetPicker(result discovery.Result) loadbalance.Picker {
	return picker{b, result.Instances}
}

type picker struct {
	turns     *turns
	instances []discovery.Instance
}

// Next returns an instance that this try of the call has not met, preferably not the one of the try before; nil when
// there is none.
func (p picker) Next(ctx context.Context, _ any) discovery.Instance {
	met, _ := ctx.Value(triesKey{}).(*[]string)
	before, _ := rpcinfo.GetRPCInfo(ctx).To().Tag(rpcinfo.RetryPrevInstTag)
	var found discovery.Instance
	turn := p.turns.next.Add(1)
	for i := range uint64(len(p.instances)) {
		instance := p.instances[(turn+i)%uint64(len(p.instances))]
		addr := instance.Address().String()
		if slices.Contains(*met, addr) {
			continue
		}
		if found = instance; addr != before {
			break
		}
	}
	if found != nil {
		*met = append(*met, found.Address().String())
	}
	return found
}

type triesKey struct{}

// rememberTries gives each try of a call its list of the instances met.
func rememberTries(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, request, response any) error {
		return next(context.WithValue(ctx, triesKey{}, &[]string{}), request, response)
	}
}
