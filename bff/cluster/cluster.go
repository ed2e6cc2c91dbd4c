//go:build unix

// Package cluster runs the whole product on one machine as it runs in production, with processes in place of
// containers: MariaDB, Redis, etcd, versitygw for S3, two instances of each service, two BFFs, and nginx in front.
//
//	c, err := cluster.Start(ctx, cluster.Config{
//		Folder: "data/cluster", Douyin: "bin/douyin", VersityGW: "bin/versitygw"})
//	...
//	defer c.Close()
//	http.Get(c.URL() + "/douyin/feed/")
//
// Each part has a name, such as "mariadb" or "basics-2", by which it can be stopped, killed and started again.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"minidouyin/services/testenv/daemon"
)

// instances is the number of instances of each service and of the BFF.
const instances = 2

// services are the services of the product.
var services = []string{"basics", "interaction", "social"}

// Config configures a cluster.
type Config struct {
	// Folder holds all databases and logs. It is created if it does not exist; data of an earlier run is used again.
	Folder string
	// Douyin and VersityGW are paths of programs. The other programs are looked up in PATH.
	Douyin, VersityGW string
	// Addr is the address that nginx listens on; "" means a free port of the loopback address.
	Addr string
	// Progress, unless nil, receives a line for each part that has started.
	Progress io.Writer
	// Flags are additional flags by the kind of part: mariadb, redis, basics, interaction, social or bff.
	Flags map[string][]string
}

// Cluster is a running cluster.
type Cluster struct {
	cfg     Config
	secrets secrets
	addrs   map[string]string // by part
	order   []string          // in which the parts start
	parts   map[string]*part
	unlock  func()
}

// part is one program of the cluster.
type part struct {
	command daemon.Command
	ready   func(ctx context.Context) error

	mu      sync.Mutex
	running *daemon.Daemon // nil while it does not run
}

// Start starts all parts in the order of their dependencies and waits until the product answers. The caller closes the
// cluster.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	if cfg.Progress == nil {
		cfg.Progress = io.Discard
	}
	folder, err := filepath.Abs(cfg.Folder)
	if err != nil {
		return nil, err
	}
	cfg.Folder = folder
	unlock, err := lock(folder)
	if err != nil {
		return nil, err
	}
	c := &Cluster{cfg: cfg, parts: map[string]*part{}, unlock: unlock}
	if err := c.startAll(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Cluster) startAll(ctx context.Context) (err error) {
	if c.secrets, err = readSecrets(c.cfg.Folder); err != nil {
		return err
	}
	named := []string{"nginx", "etcd", "etcd-peer", "s3"}
	for _, kind := range append([]string{"bff"}, services...) {
		named = append(named, names(kind)...)
	}
	free, err := daemon.FreeAddrs(len(named))
	if err != nil {
		return err
	}
	c.addrs = map[string]string{}
	for i, name := range named {
		c.addrs[name] = free[i]
	}
	stages := []func(context.Context) ([]string, error){c.addStores, c.addServices, c.addBFFs, c.addNginx}
	for _, add := range stages {
		names, err := add(ctx)
		if err != nil {
			return err
		}
		c.order = append(c.order, names...)
		group, starting := errgroup.WithContext(ctx)
		for _, name := range names {
			group.Go(func() error { return c.Start(starting, name) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return c.waitReady(ctx)
}

// names returns the names of the instances of a kind of part.
func names(kind string) (names []string) {
	for i := range instances {
		names = append(names, fmt.Sprintf("%s-%d", kind, i+1))
	}
	return names
}

// Kind returns the kind of a part: "basics" of "basics-2".
func Kind(name string) string {
	kind, _, _ := strings.Cut(name, "-")
	return kind
}

// Parts returns the names of all parts, in the order in which they were started.
func (c *Cluster) Parts() []string { return slices.Clone(c.order) }

// URL returns the URL of nginx, without a slash at its end.
func (c *Cluster) URL() string {
	if c.cfg.Addr != "" {
		return "http://" + c.cfg.Addr
	}
	return "http://" + c.addrs["nginx"]
}

// Log returns the file that a part writes its log to.
func (c *Cluster) Log(name string) string { return c.parts[name].command.Log }

// Alive reports whether a part runs.
func (c *Cluster) Alive(name string) bool {
	p := c.parts[name]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running == nil {
		return false
	}
	select {
	case <-p.running.Exited():
		return false
	default:
		return true
	}
}

// Start starts a part that does not run and waits until it answers. It returns an error if the part exits instead, for
// example a service without its database.
func (c *Cluster) Start(ctx context.Context, name string) error {
	p := c.parts[name]
	p.mu.Lock()
	defer p.mu.Unlock()
	begin := time.Now()
	d, err := daemon.Start(p.command)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := d.Wait(ctx, p.ready); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", name, err), d.Kill())
	}
	p.running = d
	fmt.Fprintf(c.cfg.Progress, "  %-14s runs after %d ms\n", name, time.Since(begin).Milliseconds())
	return nil
}

// Kill kills a part with SIGKILL.
func (c *Cluster) Kill(name string) error {
	p := c.parts[name]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running == nil {
		return nil
	}
	err := p.running.Kill()
	p.running = nil
	return err
}

// Stop stops a part gracefully and waits for it. It returns an error if the part fails or does not exit before ctx ends.
func (c *Cluster) Stop(ctx context.Context, name string) error {
	p := c.parts[name]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running == nil {
		return nil
	}
	if Kind(name) == "nginx" { // SIGTERM would not be graceful
		if err := p.running.Signal(syscall.SIGQUIT); err != nil {
			return err
		}
		select {
		case <-p.running.Exited():
		case <-ctx.Done():
		}
	}
	err := p.running.Stop(ctx)
	p.running = nil
	if err != nil {
		return fmt.Errorf("stop %s: %w", name, err)
	}
	return nil
}

// Close stops all parts, the last one first. The folder stays.
func (c *Cluster) Close() error {
	var errs []error
	for _, name := range slices.Backward(c.order) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		errs = append(errs, c.Stop(ctx, name))
		cancel()
	}
	c.unlock()
	return errors.Join(errs...)
}

// waitReady waits until the product answers through nginx.
func (c *Cluster) waitReady(ctx context.Context) error {
	for {
		err := get(ctx, c.URL()+"/readyz")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the product is not ready: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// folder creates the folder of a part.
func (c *Cluster) folder(name string) (string, error) {
	folder := filepath.Join(c.cfg.Folder, name)
	return folder, os.MkdirAll(folder, 0o700)
}
