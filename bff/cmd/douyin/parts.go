package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/server"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"minidouyin/bff"
	"minidouyin/bff/demo"
	"minidouyin/bff/media"
	"minidouyin/services"
	"minidouyin/services/discovery"
)

// stores are where services keep their data.
type stores struct {
	DSN         bff.Secret   `name:"dsn" placeholder:"DSN" help:"Database: mysql://user:password@host:port/name or sqlite:PATH; {service} in it stands for the service's name, for a database each; without it, SQLite files in the data folder."`
	Replicas    []bff.Secret `placeholder:"DSN,..." help:"Read replicas of a MySQL database: pages of what is older than some seconds are read there."`
	Connections int          `name:"db-connections" default:"32" help:"Most connections to each MySQL server, for each service."`
	Redis       bff.Secret   `name:"redis" placeholder:"URL" help:"Redis of the caches, shared by all processes: redis://host:port/0, rediss://, unix://PATH, redis+cluster:// or redis+sentinel://; without it, one inside the process when that is alone with its data, else none."`
}

// Validate refuses a store of a kind that is not known.
func (s stores) Validate() error {
	if err := s.checkDSN(); err != nil {
		return err
	}
	if s.Connections < 2 {
		return errors.New("--db-connections: 2 or more")
	}
	if err := services.CheckReplicas(s.of(services.Basics, ""), s.replicasOf(services.Basics)); err != nil {
		return fmt.Errorf("--replicas: %w", err)
	}
	return checkRedis(s.Redis)
}

func (s stores) checkDSN() error {
	if s.DSN == "" {
		return nil
	}
	if err := services.CheckDSN(s.of(services.Basics, "")); err != nil {
		return fmt.Errorf("--dsn: %w", err)
	}
	return nil
}

func checkRedis(url bff.Secret) error {
	if url == "" {
		return nil
	}
	if err := services.CheckRedisURL(string(url)); err != nil {
		return fmt.Errorf("--redis: %w", err)
	}
	return nil
}

// openRedis returns the Redis to use, nil for none. alone says that no other process has the same data.
func (s stores) openRedis(alone bool) (client redis.UniversalClient, err error) {
	switch {
	case s.Redis != "":
		return services.OpenRedis(string(s.Redis))
	case alone:
		return services.StartEmbeddedRedis()
	default:
		return nil, nil
	}
}

func closeRedis(client redis.UniversalClient) error {
	if client == nil {
		return nil
	}
	return client.Close()
}

func (s stores) of(service, data string) string {
	if s.DSN != "" {
		return strings.ReplaceAll(string(s.DSN), "{service}", service)
	}
	return "sqlite:" + filepath.Join(data, service+".db")
}

func (s stores) replicasOf(service string) (dsns []string) {
	for _, dsn := range s.Replicas {
		dsns = append(dsns, strings.ReplaceAll(string(dsn), "{service}", service))
	}
	return dsns
}

// config returns the configuration of a service with these stores.
func (s stores) config(service, data string, cache redis.UniversalClient, log *slog.Logger) services.Config {
	return services.Config{DSN: s.of(service, data), Replicas: s.replicasOf(service), Connections: s.Connections, Redis: cache, Log: log}
}

// likeFlags say what an acknowledged like means.
type likeFlags struct {
	LikeAck string `default:"stored" enum:"stored,logged" help:"When a like is acknowledged: stored, when the database has it, or logged, when Redis has it, which must then keep all that it has taken."`
}

// allCmd is everything in one process.
type allCmd struct {
	bff.Config
	stores
	likeFlags
	metricsFlags
	Demo bool `help:"Fill an empty data folder with a small world to look at."`
}

// Validate checks the flags of both halves.
func (c *allCmd) Validate() error {
	if err := c.Config.Validate(); err != nil {
		return err
	}
	return c.stores.Validate()
}

// Run opens the port, the services and the store, and serves until ctx ends.
func (c *allCmd) Run(ctx context.Context, log *slog.Logger, stdout io.Writer) (err error) {
	ln, err := bff.Listen(ctx, c.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = ln.Close() }()
	for _, part := range []string{"bff", services.Basics, services.Interaction, services.Social} {
		unlock, err := bff.LockData(c.Data, part)
		if err != nil {
			return err
		}
		defer unlock()
	}
	c.SoleWriter = c.DSN == "" // other processes may publish into a shared database
	cache, err := c.openRedis(c.SoleWriter)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeRedis(cache)) }()
	if c.Redis != "" {
		c.Shared = cache
	}
	registry, endMetrics, err := c.serve(ctx, log)
	if err != nil {
		return err
	}
	defer endMetrics()

	callers := map[string]server.LocalCaller{}
	for _, name := range []string{services.Basics, services.Interaction, services.Social} {
		cfg := c.config(name, c.Data, cache, log)
		cfg.LikeAck, cfg.Registry = c.LikeAck, registry
		service, err := services.Open(ctx, name, cfg)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, service.Close()) }()
		if callers[name], err = server.NewLocalCaller("bff", service.Server); err != nil {
			return fmt.Errorf("open %s: %w", name, err)
		}
	}
	clients, err := bff.NewServices(func(name string) []client.Option { return bff.Local(callers[name]) })
	if err != nil {
		return err
	}
	files, err := media.Open(ctx, c.Media(log))
	if err != nil {
		return err
	}
	if c.Demo {
		if err := fillDemo(ctx, stdout, clients, files, c.Data, ln.Addr().String()); err != nil {
			return err
		}
	}
	return bff.Run(ctx, c.Config, log, clients, files, ln)
}

// fillDemo makes the demo world when nothing is there yet, and says so.
func fillDemo(ctx context.Context, stdout io.Writer, clients bff.Services, files *media.Media, data, addr string) error {
	world := demo.World{Basics: clients.Basics, Interaction: clients.Interaction, Social: clients.Social, Media: files}
	empty, err := demo.Empty(ctx, world)
	if err != nil {
		return fmt.Errorf("look for a world: %w", err)
	}
	unfinished := filepath.Join(data, "demo.unfinished")
	if _, err := os.Stat(unfinished); err == nil && !empty {
		return fmt.Errorf("an earlier --demo was cut off in the middle; remove the folder %s and start again", data)
	}
	if !empty {
		fmt.Fprintln(stdout, "The data folder is not empty: --demo leaves it as it is.")
		return nil
	}
	fmt.Fprintln(stdout, "Making a demo world ...")
	if err := os.WriteFile(unfinished, nil, 0o600); err != nil {
		return fmt.Errorf("make the demo world: %w", err)
	}
	made, err := demo.Fill(ctx, world)
	if err != nil {
		return fmt.Errorf("make the demo world: %w", err)
	}
	if err := os.Remove(unfinished); err != nil {
		return fmt.Errorf("make the demo world: %w", err)
	}
	fmt.Fprintf(stdout, `Made %d users, %d videos, %d likes, %d comments, %d follows and %d messages. Sign in as one of them:

  curl -X POST 'http://%s/douyin/user/login/?username=%s&password=%s'

`, made.Users, made.Videos, made.Likes, made.Comments, made.Follows, made.Messages, addr, made.Name, made.Password)
	return nil
}

// bffCmd is the HTTP server alone.
type bffCmd struct {
	bff.Config
	metricsFlags
	Basics      []string `default:"127.0.0.1:8881" help:"Addresses of the service basics, when there is no --etcd."`
	Interaction []string `default:"127.0.0.1:8882" help:"Addresses of the service interaction, when there is no --etcd."`
	Social      []string `default:"127.0.0.1:8883" help:"Addresses of the service social, when there is no --etcd."`
	Etcd        []string `placeholder:"HOST:PORT,..." help:"The etcd where the services say where they are."`

	Redis bff.Secret `name:"redis" placeholder:"URL" help:"Redis that several of these share, for the events of subscriptions, the counts of the limits and persisted documents: redis://host:port/0, rediss://, unix://PATH, redis+cluster:// or redis+sentinel://; without it, each has its own."`
}

// Validate checks the flags of the server and the addresses.
func (c *bffCmd) Validate() error {
	if err := c.Config.Validate(); err != nil {
		return err
	}
	for flag, addrs := range map[string][]string{"--basics": c.Basics, "--interaction": c.Interaction, "--social": c.Social, "--etcd": c.Etcd} {
		if err := checkAddresses(flag, addrs); err != nil {
			return err
		}
	}
	return checkRedis(c.Redis)
}

// address is a host and a port to listen on, "" for none.
type address string

// UnmarshalText reads an address.
func (a *address) UnmarshalText(text []byte) error {
	if err := bff.CheckAddr(string(text)); err != nil && len(text) > 0 {
		return err
	}
	*a = address(text)
	return nil
}

func checkAddresses(flag string, addrs []string) error {
	for _, addr := range addrs {
		if err := discovery.CheckAddress(addr); err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
	}
	return nil
}

// remote returns the options of the services' clients.
func (c *bffCmd) remote(directory *discovery.Directory) func(service string) []client.Option {
	if directory != nil {
		resolver := directory.Follow(services.Basics, services.Interaction, services.Social)
		return func(string) []client.Option { return bff.Remote(resolver, discovery.CacheOptions()) }
	}
	addrs := map[string][]string{
		services.Basics: c.Basics, services.Interaction: c.Interaction, services.Social: c.Social}
	return func(service string) []client.Option { return bff.Remote(bff.Fixed(addrs[service]...), nil) }
}

// openDirectory opens the etcd at these addresses, nil when there are none.
func openDirectory(endpoints []string, log *slog.Logger) (*discovery.Directory, error) {
	if len(endpoints) == 0 {
		return nil, nil
	}
	return discovery.Open(endpoints, log)
}

func closeDirectory(directory *discovery.Directory) error {
	if directory == nil {
		return nil
	}
	return directory.Close()
}

// Run serves until ctx ends.
func (c *bffCmd) Run(ctx context.Context, log *slog.Logger) (err error) {
	ln, err := bff.Listen(ctx, c.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = ln.Close() }()
	unlock, err := bff.LockData(c.Data, "bff")
	if err != nil {
		return err
	}
	defer unlock()
	_, endMetrics, err := c.serve(ctx, log)
	if err != nil {
		return err
	}
	defer endMetrics()
	directory, err := openDirectory(c.Etcd, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDirectory(directory)) }()
	clients, err := bff.NewServices(c.remote(directory))
	if err != nil {
		return err
	}
	files, err := media.Open(ctx, c.Media(log))
	if err != nil {
		return err
	}
	if c.Shared, err = (stores{Redis: c.Redis}).openRedis(false); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeRedis(c.Shared)) }()
	return bff.Run(ctx, c.Config, log, clients, files, ln)
}

// drainTime is how long running calls may take to finish after a service was told to stop: as long as a call may take.
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

// register says in etcd where the service is; without etcd it returns nil.
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
	cache, err := f.openRedis(false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeRedis(cache)) }()
	directory, err := openDirectory(f.Etcd, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDirectory(directory)) }()
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
		if registration != nil { // first nobody comes any more, then those who are there are served
			if err := registration.Withdraw(context.WithoutCancel(ctx)); err != nil {
				log.Warn("the instance stays known for some seconds", "error", err)
			}
		}
		return service.Server.Stop()
	})
	return group.Wait()
}
