package discovery

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// leaseSeconds is how long an instance that was killed stays in the directory.
	leaseSeconds = 10
	// beat is how often an instance looks whether it is still in the directory: etcd may have lost it.
	beat = 2 * time.Second
	// notice is how long clients may take to see that an instance was withdrawn: etcd tells them at once, and they
	// look at what they were told every refresh.
	notice = 10 * refresh
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

// Register puts an instance of the service into the directory and keeps it there, whatever happens to etcd, until
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

// Withdraw takes the instance out of the directory and returns when clients have had the time to notice: from then on
// no new calls come. An error means that etcd was not reached; the entry then ends by itself within ten seconds.
func (r *Registration) Withdraw(ctx context.Context) error {
	r.cancel()
	<-r.done
	if r.lease == 0 {
		return nil
	}
	ask, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := r.directory.client.Revoke(ask, r.lease); err != nil {
		return fmt.Errorf("withdraw from etcd: %w", err)
	}
	timer := time.NewTimer(notice)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// keep registers, and again whenever etcd has lost the entry, until the context ends.
func (r *Registration) keep(ctx context.Context) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		r.directory.heard(r.ensure(ctx))
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return
			case _, ok := <-r.alive: // the answers tell nothing more, but somebody must take them
				if !ok { // the lease is lost
					r.alive, r.lease, waiting = nil, 0, false
				}
			case <-tick.C:
				waiting = false
			}
		}
	}
}

// ensure makes the entry hold under a living lease.
func (r *Registration) ensure(ctx context.Context) error {
	client := r.directory.client
	ask, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if r.lease != 0 {
		entry, err := client.Get(ask, r.key)
		if err != nil {
			return err
		}
		if len(entry.Kvs) == 1 && clientv3.LeaseID(entry.Kvs[0].Lease) == r.lease {
			return nil
		}
		// Somebody deleted it, or etcd lost what it kept. The lease may be lost as well: a new one is always right.
		_, _ = client.Revoke(ask, r.lease)
		r.lease = 0
	}
	granted, err := client.Grant(ask, leaseSeconds)
	if err != nil {
		return err
	}
	if _, err := client.Put(ask, r.key, r.value, clientv3.WithLease(granted.ID)); err != nil {
		_, _ = client.Revoke(ask, granted.ID)
		return err
	}
	if r.alive, err = client.KeepAlive(ctx, granted.ID); err != nil {
		return err
	}
	r.lease = granted.ID
	return nil
}
