package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/cloudwego/kitex/server"
	"golang.org/x/sync/errgroup"

	"minidouyin/bff"
	"minidouyin/services"
	"minidouyin/services/discovery"
)

// likeFlags are the flags of likes.
type likeFlags struct {
	LikeAck string `default:"stored" enum:"stored,logged" help:"When a like is acknowledged: stored, when the database has it, or logged, when the Redis of --redis has it, which must then keep what it acknowledges (appendonly yes, appendfsync always, maxmemory-policy noeviction). All instances must have the same."`
}

// checkLikeAck refuses logged likes without a Redis to log them in.
func (f likeFlags) checkLikeAck(s stores) error {
	if f.LikeAck == services.AckLogged && s.Redis == "" {
		return errors.New("--like-ack: logged needs --redis, which keeps the likes until the database has them")
	}
	return nil
}

// drainTime is how long running calls may take after a service is asked to stop. It is the time-out of a call.
const drainTime = 10 * time.Second

// serviceFlags are the flags of a service that runs alone.
type serviceFlags struct {
	Data      string   `default:"./data" help:"Folder of the SQLite file."`
	Etcd      []string `placeholder:"HOST:PORT,..." help:"The etcd in which the service says where it is."`
	Advertise string   `placeholder:"HOST:PORT" help:"Address to say there; without it, the one listened on, or with a wildcard the one from which this host reaches etcd."`
	stores
	metricsFlags
}

// Validate checks the flags of the stores and the addresses.
func (f serviceFlags) Validate() error {
	if err := f.stores.Validate(); err != nil {
		return err
	}
	if err := checkAddresses("--etcd", f.Etcd); err != nil {
		return err
	}
	if f.Advertise == "" {
		return nil
	}
	if len(f.Etcd) == 0 {
		return errors.New("--advertise: needs --etcd")
	}
	return checkAddresses("--advertise", []string{f.Advertise})
}

// register registers the service in etcd. Without etcd it returns nil.
func (f serviceFlags) register(directory *discovery.Directory, name string, listening net.Addr) (*discovery.Registration, error) {
	if directory == nil {
		return nil, nil
	}
	addr := f.Advertise
	if addr == "" {
		var err error
		if addr, err = discovery.Advertised(listening, f.Etcd); err != nil {
			return nil, err
		}
	}
	return directory.Register(name, addr), nil
}

type basicsCmd struct {
	serviceFlags
	Listen address `default:"127.0.0.1:8881" help:"Address to serve Thrift on."`
}

// Run serves until ctx ends.
func (c *basicsCmd) Run(ctx context.Context, log *slog.Logger) error {
	return c.run(ctx, log, services.Basics, string(c.Listen), "")
}

type interactionCmd struct {
	serviceFlags
	likeFlags
	Listen address `default:"127.0.0.1:8882" help:"Address to serve Thrift on."`
}

// Validate checks the flags of the stores, the addresses and the flags of likes.
func (c *interactionCmd) Validate() error {
	if err := c.serviceFlags.Validate(); err != nil {
		return err
	}
	return c.checkLikeAck(c.stores)
}

// Run serves until ctx ends.
func (c *interactionCmd) Run(ctx context.Context, log *slog.Logger) error {
	return c.run(ctx, log, services.Interaction, string(c.Listen), c.LikeAck)
}

type socialCmd struct {
	serviceFlags
	Listen address `default:"127.0.0.1:8883" help:"Address to serve Thrift on."`
}

// Run serves until ctx ends.
func (c *socialCmd) Run(ctx context.Context, log *slog.Logger) error {
	return c.run(ctx, log, services.Social, string(c.Listen), "")
}

// run runs one service on a TCP port until ctx ends.
func (f serviceFlags) run(ctx context.Context, log *slog.Logger, name, addr, likeAck string) (err error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%w; choose another address with --listen", err)
	}
	defer func() { _ = ln.Close() }()
	unlock, err := bff.LockData(f.Data, name)
	if err != nil {
		return err
	}
	defer unlock()
	cache, err := openRedis(f.Redis, log, "reading from the database")
	if err != nil {
		return err
	}
	if cache != nil {
		defer func() { err = errors.Join(err, cache.Close()) }()
	}
	directory, err := openDirectory(f.Etcd, log)
	if err != nil {
		return err
	}
	if directory != nil {
		defer func() { err = errors.Join(err, directory.Close()) }()
	}
	registry, endMetrics, err := f.serve(ctx, log)
	if err != nil {
		return err
	}
	defer endMetrics()
	cfg := f.config(name, f.Data, cache, log)
	cfg.LikeAck, cfg.Registry = likeAck, registry
	service, err := services.Open(ctx, name, cfg, server.WithListener(ln), server.WithExitWaitTime(drainTime))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, service.Close()) }()
	registration, err := f.register(directory, name, ln.Addr())
	if err != nil {
		return err
	}

	group, running := errgroup.WithContext(ctx)
	group.Go(func() error {
		log.Info("serving", "service", name, "addr", ln.Addr().String())
		return service.Server.Run()
	})
	group.Go(func() error {
		<-running.Done()
		if registration != nil { // no new calls arrive, then running ones finish
			if err := registration.Withdraw(context.WithoutCancel(ctx)); err != nil {
				log.Warn("the instance stays known for some seconds", "error", err)
			}
		}
		return service.Server.Stop()
	})
	return group.Wait()
}
