package discovery

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// leaseSeconds is how long a killed instance stays in the directory.
	leaseSeconds = 10
	// checkInterval is how often an instance checks its entry, which etcd may have lost.
	checkInterval = 2 * time.Second
	// noticeTime is how long clients take to stop using a withdrawn instance. Watches get the change at once, and
	// balancers read it every refresh.
	noticeTime = 10 * refresh
)

// Registration is an instance in the directory.
type Registration struct {
	directory *Directory
	key       string
	value     string
	cancel    context.CancelFunc
	done      chan struct{}
	lease     clientv3.LeaseID
	alive     <-chan *clientv3.LeaseKeepAliveResponse
}

// Register adds an instance of the service to the directory and keeps its entry, whatever happens to etcd, until
// Withdraw or the directory's Close. It does not wait for etcd.
func (d *Directory) Register(service, address string) *Registration {
	ctx, cancel := context.WithCancel(d.ctx)
	r := &Registration{
		directory: d, key: key(service, address), value: encode(address), cancel: cancel, done: make(chan struct{}),
	}
	d.run.Go(func() {
		defer close(r.done)
		r.keep(ctx)
	})
	return r
}

// Withdraw removes the instance from the directory and returns when clients have stopped using it. An error means that
// etcd was unavailable; the entry then expires within ten seconds.
func (r *Registration) Withdraw(ctx context.Context) error {
	r.cancel()
	<-r.done
	if r.lease == 0 {
		return nil
	}
	requestCtx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if _, err := r.directory.client.Revoke(requestCtx, r.lease); err != nil {
		return fmt.Errorf("withdraw from etcd: %w", err)
	}
	timer := time.NewTimer(noticeTime)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// keep registers the instance, and again whenever etcd loses the entry, until the context ends.
func (r *Registration) keep(ctx context.Context) {
	tick := time.NewTicker(checkInterval)
	defer tick.Stop()
	for {
		r.directory.report(r.ensure(ctx))
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return
			case _, ok := <-r.alive: // the channel must be drained
				if !ok { // the lease is lost
					r.alive, r.lease, waiting = nil, 0, false
				}
			case <-tick.C:
				waiting = false
			}
		}
	}
}

// ensure makes sure that the entry exists under a valid lease.
func (r *Registration) ensure(ctx context.Context) error {
	client := r.directory.client
	requestCtx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if r.lease != 0 {
		entry, err := client.Get(requestCtx, r.key)
		if err != nil {
			return err
		}
		if len(entry.Kvs) == 1 && clientv3.LeaseID(entry.Kvs[0].Lease) == r.lease {
			return nil
		}
		// The entry was deleted, or etcd lost its data. The lease may be lost too, so this takes a new one.
		_, _ = client.Revoke(requestCtx, r.lease)
		r.lease = 0
	}
	granted, err := client.Grant(requestCtx, leaseSeconds)
	if err != nil {
		return err
	}
	if _, err := client.Put(requestCtx, r.key, r.value, clientv3.WithLease(granted.ID)); err != nil {
		_, _ = client.Revoke(requestCtx, granted.ID)
		return err
	}
	if r.alive, err = client.KeepAlive(ctx, granted.ID); err != nil {
		return err
	}
	r.lease = granted.ID
	return nil
}
