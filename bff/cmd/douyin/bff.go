package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/cloudwego/kitex/client"

	"minidouyin/bff"
	"minidouyin/bff/media"
	"minidouyin/bff/rpc"
	"minidouyin/services"
	"minidouyin/services/discovery"
)

// bffCmd runs the HTTP server alone.
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

// remote returns the options of the services' clients.
func (c *bffCmd) remote(directory *discovery.Directory) func(service string) []client.Option {
	if directory != nil {
		resolver := directory.Watch(services.Basics, services.Interaction, services.Social)
		return func(string) []client.Option { return rpc.Remote(resolver, discovery.CacheOptions()) }
	}
	addrs := map[string][]string{
		services.Basics: c.Basics, services.Interaction: c.Interaction, services.Social: c.Social}
	return func(service string) []client.Option { return rpc.Remote(rpc.Fixed(addrs[service]...), nil) }
}

// openDirectory opens the etcd at these addresses. Without addresses it returns nil.
func openDirectory(endpoints []string, log *slog.Logger) (*discovery.Directory, error) {
	if len(endpoints) == 0 {
		return nil, nil
	}
	return discovery.Open(endpoints, log)
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
	if directory != nil {
		defer func() { err = errors.Join(err, directory.Close()) }()
	}
	clients, err := rpc.NewServices(c.remote(directory))
	if err != nil {
		return err
	}
	files, err := media.Open(ctx, c.Media(log))
	if err != nil {
		return err
	}
	if c.Shared, err = openRedis(c.Redis, log, "this process goes on by itself"); err != nil {
		return err
	}
	if c.Shared != nil {
		defer func() { err = errors.Join(err, c.Shared.Close()) }()
	}
	return bff.Run(ctx, c.Config, log, clients, files, ln)
}
