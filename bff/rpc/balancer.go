package rpc

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/cloudwego/kitex/pkg/discovery"
	"github.com/cloudwego/kitex/pkg/endpoint"
	"github.com/cloudwego/kitex/pkg/loadbalance"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
)

// roundRobin is a load balancer that never repeats an instance within the tries of one call. With kitex's own, a call
// could try the same one of two instances again and again while the other one is well.
type roundRobin struct{ next atomic.Uint64 }

var _ loadbalance.Loadbalancer = (*roundRobin)(nil)

// Name implements [loadbalance.Loadbalancer].
func (*roundRobin) Name() string { return "round-robin" }

// GetPicker implements [loadbalance.Loadbalancer].
func (b *roundRobin) GetPicker(result discovery.Result) loadbalance.Picker {
	return picker{b, result.Instances}
}

type picker struct {
	balancer  *roundRobin
	instances []discovery.Instance
}

// Next returns an instance that this try has not used, preferably not that of the try before; nil if there is none.
func (p picker) Next(ctx context.Context, _ any) discovery.Instance {
	used, _ := ctx.Value(usedKey{}).(*[]string)
	before, _ := rpcinfo.GetRPCInfo(ctx).To().Tag(rpcinfo.RetryPrevInstTag)
	var found discovery.Instance
	first := p.balancer.next.Add(1)
	for i := range uint64(len(p.instances)) {
		instance := p.instances[(first+i)%uint64(len(p.instances))]
		addr := instance.Address().String()
		if slices.Contains(*used, addr) {
			continue
		}
		if found = instance; addr != before {
			break
		}
	}
	if found != nil {
		*used = append(*used, found.Address().String())
	}
	return found
}

type usedKey struct{}

// trackInstances gives each try of a call its list of used instances.
func trackInstances(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, request, response any) error {
		return next(context.WithValue(ctx, usedKey{}, &[]string{}), request, response)
	}
}
