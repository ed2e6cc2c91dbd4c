package discovery

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cloudwego/kitex/pkg/discovery"
	"github.com/cloudwego/kitex/pkg/loadbalance/lbcache"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// refresh is how often a balancer reads its resolver, which sends no request.
	refresh = 100 * time.Millisecond
	// relist is how often the directory is listed again. If etcd was wiped, a watch would wait for a revision far in the
	// future.
	relist = 3 * time.Second
	// retryPause is the pause after a failed list.
	retryPause = 500 * time.Millisecond
)

// CacheOptions are the options of a balancer with a [Resolver].
func CacheOptions() *lbcache.Options { return &lbcache.Options{RefreshInterval: refresh} }

// Resolver knows the instances of the services that it watches.
type Resolver struct {
	directory *Directory

	mu    sync.Mutex
	known map[string][]string // sorted addresses by service
}

var _ discovery.Resolver = (*Resolver)(nil)

// Watch returns a resolver of the services, which follows all changes until the directory is closed.
func (d *Directory) Watch(services ...string) *Resolver {
	r := &Resolver{directory: d, known: map[string][]string{}}
	for _, service := range services {
		r.known[service] = nil
	}
	d.run.Go(func() { r.watch(d.ctx) })
	return r
}

// Target implements [discovery.Resolver].
func (r *Resolver) Target(_ context.Context, target rpcinfo.EndpointInfo) string {
	return target.ServiceName()
}

// Resolve returns the instances of the service. It returns an error if none was ever known.
func (r *Resolver) Resolve(_ context.Context, service string) (discovery.Result, error) {
	r.mu.Lock()
	addresses := r.known[service]
	r.mu.Unlock()
	if len(addresses) == 0 {
		return discovery.Result{}, fmt.Errorf("no instance of %s is known", service)
	}
	instances := make([]discovery.Instance, len(addresses))
	for i, address := range addresses {
		instances[i] = discovery.NewInstance("tcp", address, discovery.DefaultWeight, nil)
	}
	return discovery.Result{Cacheable: true, CacheKey: service, Instances: instances}, nil
}

// Diff implements [discovery.Resolver].
func (r *Resolver) Diff(key string, prev, next discovery.Result) (discovery.Change, bool) {
	return discovery.DefaultDiff(key, prev, next)
}

// Name implements [discovery.Resolver].
func (r *Resolver) Name() string { return "etcd" }

// watch lists the directory after each change, until the context ends.
func (r *Resolver) watch(ctx context.Context) {
	for ctx.Err() == nil {
		revision, err := r.list(ctx)
		r.directory.report(err)
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(retryPause):
			}
			continue
		}
		waiting, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), relist)
		// List again after a change, the end of the watch, or relist.
		<-r.directory.client.Watch(waiting, root, clientv3.WithPrefix(), clientv3.WithRev(revision+1))
		cancel()
	}
}

// list reads the directory and returns its revision.
func (r *Resolver) list(ctx context.Context) (int64, error) {
	requestCtx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	found, err := r.directory.client.Get(requestCtx, root, clientv3.WithPrefix())
	if err != nil {
		return 0, err
	}
	instances := map[string][]string{}
	for _, entry := range found.Kvs {
		service, _, _ := strings.Cut(strings.TrimPrefix(string(entry.Key), root), "/")
		var v value
		if err := json.Unmarshal(entry.Value, &v); err != nil || CheckAddress(v.Address) != nil {
			r.directory.log.Warn("invalid entry in etcd, ignoring it", "key", string(entry.Key))
			continue
		}
		instances[service] = append(instances[service], v.Address)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, service := range slices.Sorted(maps.Keys(r.known)) {
		now := slices.Sorted(slices.Values(instances[service]))
		// An empty list is ignored: either all instances are down, which calls find out, or etcd was wiped and they
		// register again soon.
		if len(now) == 0 || slices.Equal(now, r.known[service]) {
			continue
		}
		r.directory.log.Info("instances", "service", service, "addrs", now)
		r.known[service] = now
	}
	return found.Header.Revision, nil
}
