package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/server"

	"minidouyin/bff"
	"minidouyin/bff/demo"
	"minidouyin/bff/media"
	"minidouyin/bff/rpc"
	"minidouyin/services"
)

// allCmd runs everything in one process.
type allCmd struct {
	bff.Config
	stores
	likeFlags
	metricsFlags
	Demo bool `help:"Fill an empty data folder with a small world to look at."`
}

// Validate checks the flags of all parts.
func (c *allCmd) Validate() error {
	if err := c.Config.Validate(); err != nil {
		return err
	}
	if err := c.stores.Validate(); err != nil {
		return err
	}
	return c.checkLikeAck(c.stores)
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
	if c.Shared, err = openRedis(c.Redis, log, "reading from the database"); err != nil {
		return err
	}
	if c.Shared != nil {
		defer func() { err = errors.Join(err, c.Shared.Close()) }()
	}
	registry, endMetrics, err := c.serve(ctx, log)
	if err != nil {
		return err
	}
	defer endMetrics()

	callers := map[string]server.LocalCaller{}
	for _, name := range []string{services.Basics, services.Interaction, services.Social} {
		cfg := c.config(name, c.Data, c.Shared, log)
		cfg.Alone, cfg.LikeAck, cfg.Registry = c.SoleWriter, c.LikeAck, registry
		service, err := services.Open(ctx, name, cfg)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, service.Close()) }()
		if callers[name], err = server.NewLocalCaller("bff", service.Server); err != nil {
			return fmt.Errorf("open %s: %w", name, err)
		}
	}
	clients, err := rpc.NewServices(func(name string) []client.Option { return rpc.Local(callers[name]) })
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

// fillDemo fills an empty site with demo data and prints a login.
func fillDemo(ctx context.Context, stdout io.Writer, clients rpc.Services, files *media.Media, data, addr string) error {
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
