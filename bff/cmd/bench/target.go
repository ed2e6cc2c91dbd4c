//go:build unix

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	_ "github.com/glebarez/go-sqlite" // the driver sqlite
	_ "github.com/go-sql-driver/mysql"

	"minidouyin/services/testenv/daemon"
)

const (
	startTimeout = 2 * time.Minute
	stopTimeout  = 15 * time.Second
)

// program is one process of a target.
type program struct {
	name    string
	command daemon.Command
	ready   func(context.Context) error
	metrics string // host:port of its metrics, "" for none
	running *daemon.Daemon
}

// target is what is measured: all its processes count.
type target struct {
	name, folder, douyin string
	addr                 string     // host:port of HTTP
	stores, product      []*program // in the order of their start
	data                 string     // flag of the product that says where the data is
	driver, dsn          string     // of database/sql, with {service} for the name of the service
}

// newTarget returns the target of a name, to be kept in a new folder. douyin is the product's program.
func newTarget(ctx context.Context, name, folder, douyin string) (*target, error) {
	if len(folder) > 80 {
		return nil, fmt.Errorf("the path %s is too long for sockets in it, use another --data", folder)
	}
	t := &target{name: name, folder: folder, douyin: douyin}
	documents, _ := json.Marshal(map[string]string{publicFeedID: publicFeed}) // strings always encode
	err := os.MkdirAll(t.path("redis"), 0o700)
	if err = errors.Join(err, os.WriteFile(t.path("documents.json"), documents, 0o600)); err != nil {
		return nil, err
	}
	addrs, err := daemon.FreeAddrs(8)
	if err != nil {
		return nil, err
	}
	if name == "one" {
		t.data, t.driver, t.dsn = "--data="+t.path("data"), "sqlite", "file:"+t.path("data/{service}.db")+"?_pragma=synchronous(OFF)"
		t.add("all", addrs[0], addrs[1])
		return t, nil
	}
	redis, err := t.addStores(ctx)
	if err != nil {
		return nil, err
	}
	t.add("basics", addrs[0], addrs[1], t.data, redis)
	t.add("interaction", addrs[2], addrs[3], t.data, redis, "--like-ack=logged")
	t.add("social", addrs[4], addrs[5], t.data, redis)
	t.add("bff", addrs[6], addrs[7], redis, "--basics="+addrs[0], "--interaction="+addrs[2], "--social="+addrs[4])
	return t, nil
}

func (t *target) path(name string) string { return filepath.Join(t.folder, name) }

// addStores adds MariaDB and Redis, on unix sockets, and returns the flag of the product for Redis.
func (t *target) addStores(ctx context.Context) (redisFlag string, err error) {
	mariadb, socket, err := daemon.MySQL(ctx, t.path("mariadb"), "--innodb-buffer-pool-size=256M")
	if err != nil {
		return "", err
	}
	redis, redisSocket, err := daemon.Redis(t.path("redis"))
	if err != nil {
		return "", err
	}
	t.driver, t.dsn = "mysql", "root@unix("+socket+")/{service}?interpolateParams=true"
	t.data = "--dsn=mysql://root@unix(" + socket + ")/{service}"
	makeDatabases := func(ctx context.Context) error {
		db, err := t.open("")
		if err != nil {
			return err
		}
		defer db.Close()
		for _, service := range []string{"basics", "interaction", "social"} {
			_, errCreate := db.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS "+service)
			err = errors.Join(err, errCreate)
		}
		return err
	}
	listens := func(context.Context) error {
		_, err := os.Stat(redisSocket)
		return err
	}
	t.stores = []*program{{name: "mariadb", command: mariadb, ready: makeDatabases}, {name: "redis", command: redis, ready: listens}}
	return "--redis=unix://" + redisSocket, nil
}

// open opens the database of a service.
func (t *target) open(service string) (*sql.DB, error) {
	return sql.Open(t.driver, strings.ReplaceAll(t.dsn, "{service}", service))
}

// add adds a process of the product, a subcommand of it, that serves at an address. Limits and logs are as users have
// them. Each request names another client, as behind a proxy, because one client alone would meet its limit.
func (t *target) add(part, addr, metrics string, flags ...string) {
	args := append([]string{part, "--data=" + t.path("data"), "--metrics=" + metrics}, flags...)
	asked := part
	if part == "all" || part == "bff" {
		t.addr, asked = addr, "bff"
		args = append(args, "--addr="+addr, "--trusted-proxies=127.0.0.1/32", "--trusted-documents="+t.path("documents.json"))
	} else {
		args = append(args, "--listen="+addr)
	}
	ready := func(ctx context.Context) error { return t.run(ctx, "health", asked, "--addr="+addr) }
	t.product = append(t.product, &program{name: part, metrics: metrics, ready: ready,
		command: daemon.Command{Path: t.douyin, Args: args, Log: t.path(part + ".log")}})
}

// run runs the product's program until it ends.
func (t *target) run(ctx context.Context, args ...string) error {
	if out, err := exec.CommandContext(ctx, t.douyin, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("douyin %s: %w\n%s", args[0], err, out)
	}
	return nil
}

// fill starts the target with its data. The product makes the tables, and does not run while they are loaded.
func (t *target) fill(ctx context.Context, d dataset, progress func(string)) error {
	progress("starting")
	if err := errors.Join(start(ctx, t.stores), start(ctx, t.product), stop(t.product)); err != nil {
		return err
	}
	for _, table := range d.tables() {
		progress("loading " + table.name)
		db, err := t.open(table.service)
		if err != nil {
			return err
		}
		if err := errors.Join(table.insert(ctx, db), db.Close()); err != nil {
			return err
		}
	}
	return start(ctx, t.product)
}

// close stops all processes and removes the folder.
func (t *target) close() error {
	return errors.Join(stop(t.product), stop(t.stores), os.RemoveAll(t.folder))
}

// start starts programs one after the other.
func start(ctx context.Context, programs []*program) (err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for _, p := range programs {
		if p.running, err = daemon.Start(p.command); err == nil {
			err = p.running.Wait(ctx, p.ready)
		}
		if err != nil {
			return fmt.Errorf("start %s: %w", p.name, err)
		}
	}
	return nil
}

// stop stops those of the programs that run, the last one first.
func stop(programs []*program) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	for _, p := range slices.Backward(programs) {
		if p.running != nil {
			err = errors.Join(err, p.running.Stop(ctx))
			p.running = nil
		}
	}
	return err
}
