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

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/server"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"minidouyin/bff"
	"minidouyin/bff/demo"
	"minidouyin/bff/media"
	"minidouyin/services"
)

// stores are where services keep their data.
type stores struct {
	DSN   bff.Secret `name:"dsn" placeholder:"DSN" help:"Database: mysql://user:password@host:port/name or sqlite:PATH; without it, SQLite files in the data folder."`
	Redis bff.Secret `name:"redis" placeholder:"URL" help:"Redis of the caches, shared by all processes: redis://host:port/0, rediss://, unix://PATH, redis+cluster:// or redis+sentinel://; without it, one inside the process when that is alone with its data, else none."`
}

// Validate refuses a store of a kind that is not known.
func (s stores) Validate() error {
	if s.DSN != "" {
		if err := services.CheckDSN(string(s.DSN)); err != nil {
			return fmt.Errorf("--dsn: %w", err)
		}
	}
	if s.Redis != "" {
		if err := services.CheckRedisURL(string(s.Redis)); err != nil {
			return fmt.Errorf("--redis: %w", err)
		}
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
		return string(s.DSN)
	}
	return "sqlite:" + filepath.Join(data, service+".db")
}

// allCmd is everything in one process.
type allCmd struct {
	bff.Config
	stores
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
	if c.stores.Redis != "" { // for all processes: limits, documents and events
		c.Config.Redis, c.Events = cache, cache
	}

	callers := map[string]server.LocalCaller{}
	for _, name := range []string{services.Basics, services.Interaction, services.Social} {
		service, err := services.Open(ctx, name, services.Config{DSN: c.of(name, c.Data), Redis: cache, Log: log})
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
	files, err := media.Open(c.Media(log))
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
	Basics      string `default:"127.0.0.1:8881" help:"Address of the service basics."`
	Interaction string `default:"127.0.0.1:8882" help:"Address of the service interaction."`
	Social      string `default:"127.0.0.1:8883" help:"Address of the service social."`

	Redis bff.Secret `name:"redis" placeholder:"URL" help:"Redis that carries the events of subscriptions between several of these: redis://host:port/0, rediss://, unix://PATH, redis+cluster:// or redis+sentinel://; without it, each tells its own alone."`
}

// Validate checks the flags.
func (c *bffCmd) Validate() error {
	if err := c.Config.Validate(); err != nil {
		return err
	}
	return stores{Redis: c.Redis}.Validate()
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
	addrs := map[string]string{
		services.Basics: c.Basics, services.Interaction: c.Interaction, services.Social: c.Social}
	clients, err := bff.NewServices(func(name string) []client.Option { return bff.Remote(addrs[name]) })
	if err != nil {
		return err
	}
	files, err := media.Open(c.Media(log))
	if err != nil {
		return err
	}
	if c.Events, err = (stores{Redis: c.Redis}).openRedis(false); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeRedis(c.Events)) }()
	c.Config.Redis = c.Events
	return bff.Run(ctx, c.Config, log, clients, files, ln)
}

// serviceFlags are the flags of a service that runs alone.
type serviceFlags struct {
	Data string `default:"./data" help:"Folder of the SQLite file."`
	stores
}

type basicsCmd struct {
	serviceFlags
	Listen string `default:"127.0.0.1:8881" help:"Address to serve Thrift on."`
}

// Run serves until ctx ends.
func (c *basicsCmd) Run(ctx context.Context, log *slog.Logger) error {
	return c.serve(ctx, log, services.Basics, c.Listen)
}

type interactionCmd struct {
	serviceFlags
	Listen string `default:"127.0.0.1:8882" help:"Address to serve Thrift on."`
}

// Run serves until ctx ends.
func (c *interactionCmd) Run(ctx context.Context, log *slog.Logger) error {
	return c.serve(ctx, log, services.Interaction, c.Listen)
}

type socialCmd struct {
	serviceFlags
	Listen string `default:"127.0.0.1:8883" help:"Address to serve Thrift on."`
}

// Run serves until ctx ends.
func (c *socialCmd) Run(ctx context.Context, log *slog.Logger) error {
	return c.serve(ctx, log, services.Social, c.Listen)
}

// serve runs one service on a TCP port until ctx ends.
func (f serviceFlags) serve(ctx context.Context, log *slog.Logger, name, addr string) (err error) {
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
	service, err := services.Open(ctx, name, services.Config{DSN: f.of(name, f.Data), Redis: cache, Log: log}, server.WithListener(ln))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, service.Close()) }()

	group, running := errgroup.WithContext(ctx)
	group.Go(func() error {
		log.Info("serving", "service", name, "addr", ln.Addr().String())
		return service.Server.Run()
	})
	group.Go(func() error {
		<-running.Done()
		return service.Server.Stop()
	})
	return group.Wait()
}
