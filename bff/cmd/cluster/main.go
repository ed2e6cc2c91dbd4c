//go:build unix

// Command cluster runs the whole product as several processes until it is interrupted.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"minidouyin/bff/cluster"
)

// startTimeout bounds the start of all parts.
const startTimeout = 2 * time.Minute

type commandLine struct {
	Addr      string `default:"127.0.0.1:8080" help:"Address to serve HTTP on."`
	Data      string `default:"./data/cluster" help:"Folder of everything that is kept: databases, files, logs."`
	Douyin    string `default:"bin/douyin" help:"The product's program."`
	Versitygw string `default:"bin/versitygw" help:"The program of the S3 server."`
}

func main() {
	var cli commandLine
	kong.Parse(&cli, kong.Name("cluster"), kong.DefaultEnvars("CLUSTER"),
		kong.Description("Run two instances of everything behind nginx, with MariaDB, Redis, etcd and S3, on this machine."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, cli); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

// run runs the cluster until ctx ends.
func run(ctx context.Context, cli commandLine) (err error) {
	starting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	fmt.Println("Starting ...")
	c, err := cluster.Start(starting, cluster.Config{
		Folder: cli.Data, Douyin: cli.Douyin, VersityGW: cli.Versitygw, Addr: cli.Addr, Progress: os.Stdout})
	if err != nil {
		if ctx.Err() != nil { // it was interrupted
			return nil
		}
		return err
	}
	pid := filepath.Join(cli.Data, "pid")
	defer func() { err = errors.Join(err, c.Close(), os.RemoveAll(pid)) }()
	if err := os.WriteFile(pid, []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return err
	}
	fmt.Printf(`
Everything runs. Try

  curl '%[1]s/douyin/feed/'

  databases  mariadb --socket=%[2]s --user=root
  Redis      redis-cli -s %[3]s
  logs       %[4]s/*/log

Ctrl-C, or "make cluster-down", ends it; the data stays in %[4]s.
`, c.URL(), filepath.Join(cli.Data, "mariadb", "socket"), strings.TrimPrefix(c.RedisURL(), "unix://"), cli.Data)
	<-ctx.Done()
	fmt.Println("\nStopping ...")
	return nil
}
