//go:build unix

package cluster

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/redis/go-redis/v9"

	"minidouyin/services/testenv/daemon"
)

//go:embed nginx.conf.template
var nginxTemplate string

const (
	bucket = "douyin"
	// memory is GOMEMLIMIT of a part.
	memory = "GOMEMLIMIT=256MiB"
)

// addStores adds MariaDB with a database for each service, Redis, etcd and versitygw.
func (c *Cluster) addStores(ctx context.Context) ([]string, error) {
	for _, add := range []func(context.Context) error{c.addMariaDB, c.addRedis, c.addEtcd, c.addS3} {
		if err := add(ctx); err != nil {
			return nil, err
		}
	}
	return []string{"mariadb", "redis", "etcd", "s3"}, nil
}

func (c *Cluster) addMariaDB(ctx context.Context) error {
	folder, err := c.folder("mariadb")
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(folder, "data")); err != nil {
		fmt.Fprintln(c.cfg.Progress, "  mariadb        initializes its data ...")
	}
	command, _, err := daemon.MySQL(ctx, folder, append([]string{"--innodb-log-file-size=32M"}, c.cfg.Flags["mariadb"]...)...)
	if err != nil {
		return err
	}
	c.parts["mariadb"] = &part{command: command, ready: func(ctx context.Context) error {
		db, err := sql.Open("mysql", c.mysqlConfig("").FormatDSN())
		if err != nil {
			return err
		}
		defer db.Close()
		for _, service := range services {
			if _, err := db.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS "+service); err != nil {
				return err
			}
		}
		return nil
	}}
	return nil
}

func (c *Cluster) mysqlConfig(database string) *mysql.Config {
	config := mysql.NewConfig()
	config.User, config.Net, config.DBName = "root", "unix", database
	config.Addr = filepath.Join(c.cfg.Folder, "mariadb", "socket")
	return config
}

// DSN returns the name of a service's database, for the product's flag --dsn.
func (c *Cluster) DSN(service string) string { return "mysql://" + c.mysqlConfig(service).FormatDSN() }

// RedisURL returns the URL of Redis, for the product's flag --redis.
func (c *Cluster) RedisURL() string {
	return "unix://" + filepath.Join(c.cfg.Folder, "redis", "socket")
}

func (c *Cluster) addRedis(context.Context) error {
	folder, err := c.folder("redis")
	if err != nil {
		return err
	}
	command, _, err := daemon.Redis(folder, c.cfg.Flags["redis"]...)
	if err != nil {
		return err
	}
	options, err := redis.ParseURL(c.RedisURL())
	if err != nil {
		return err
	}
	c.parts["redis"] = &part{command: command, ready: func(ctx context.Context) error {
		client := redis.NewClient(options)
		defer client.Close()
		return client.Ping(ctx).Err()
	}}
	return nil
}

func (c *Cluster) addEtcd(context.Context) error {
	program := daemon.Find("etcd")
	if program == "" {
		return errors.New("etcd is not installed (apt-get install etcd-server, or brew install etcd)")
	}
	// It only holds addresses of instances, and those of an earlier run are wrong.
	if err := os.RemoveAll(filepath.Join(c.cfg.Folder, "etcd")); err != nil {
		return err
	}
	folder, err := c.folder("etcd")
	if err != nil {
		return err
	}
	clients, peers := "http://"+c.addrs["etcd"], "http://"+c.addrs["etcd-peer"]
	c.parts["etcd"] = &part{
		command: daemon.Command{Path: program, Log: filepath.Join(folder, "log"), Args: []string{
			"--data-dir", filepath.Join(folder, "data"), "--listen-client-urls", clients, "--advertise-client-urls", clients,
			"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "default=" + peers}},
		ready: func(ctx context.Context) error { return get(ctx, clients+"/health") },
	}
	return nil
}

func (c *Cluster) addS3(context.Context) error {
	folder, err := c.folder("s3")
	if err != nil {
		return err
	}
	files := filepath.Join(folder, "files")
	if err := os.MkdirAll(files, 0o700); err != nil {
		return err
	}
	c.parts["s3"] = &part{
		command: daemon.Command{
			Path: c.cfg.VersityGW, Log: filepath.Join(folder, "log"),
			Args: []string{"--port", c.addrs["s3"], "--health", "/health", "--quiet", "posix", files},
			Env:  []string{"ROOT_ACCESS_KEY=" + c.secrets.S3AccessKey, "ROOT_SECRET_KEY=" + c.secrets.S3SecretKey, memory},
		},
		ready: func(ctx context.Context) error { return get(ctx, "http://"+c.addrs["s3"]+"/health") },
	}
	return nil
}

// WaitingLikes returns the number of acknowledged likes that are in Redis and not yet in the database.
func (c *Cluster) WaitingLikes(ctx context.Context) (n int64, err error) {
	options, err := redis.ParseURL(c.RedisURL())
	if err != nil {
		return 0, err
	}
	client := redis.NewClient(options)
	defer client.Close()
	keys := client.ScanType(ctx, 0, "likes:*", 1000, "stream").Iterator()
	for keys.Next(ctx) {
		length, err := client.XLen(ctx, keys.Val()).Result()
		if err != nil {
			return 0, err
		}
		n += length
	}
	return n, keys.Err()
}

// addServices adds the instances of the services, which register in etcd.
func (c *Cluster) addServices(context.Context) (added []string, err error) {
	for _, service := range services {
		for _, name := range names(service) {
			folder, err := c.folder(name)
			if err != nil {
				return nil, err
			}
			args := []string{service, "--listen=" + c.addrs[name], "--data=" + folder, "--etcd=" + c.addrs["etcd"]}
			if service == "interaction" {
				args = append(args, "--like-ack=logged") // Redis keeps what it acknowledges
			}
			c.addDouyin(name, append(args, c.cfg.Flags[service]...), "DOUYIN_DSN="+c.DSN(service), "DOUYIN_REDIS="+c.RedisURL())
			added = append(added, name)
		}
	}
	return added, nil
}

// addBFFs adds the BFFs, which discover the services through etcd.
func (c *Cluster) addBFFs(context.Context) ([]string, error) {
	store := url.URL{Scheme: "s3", Host: bucket, RawQuery: url.Values{
		"endpoint": {"http://" + c.addrs["s3"]}, "path-style": {"true"}, "create": {"true"}}.Encode()}
	for _, name := range names("bff") {
		folder, err := c.folder(name)
		if err != nil {
			return nil, err
		}
		args := append([]string{"bff", "--addr=" + c.addrs[name], "--data=" + folder, "--etcd=" + c.addrs["etcd"],
			"--redis=" + c.RedisURL(), "--store=" + store.String(), "--trusted-proxies=127.0.0.1/32"}, c.cfg.Flags["bff"]...)
		c.addDouyin(name, args, "DOUYIN_JWT_KEY="+c.secrets.JWTKey,
			"DOUYIN_S3_ACCESS_KEY="+c.secrets.S3AccessKey, "DOUYIN_S3_SECRET_KEY="+c.secrets.S3SecretKey)
	}
	return names("bff"), nil
}

// addDouyin adds a part that runs the product's program; its first argument is the subcommand.
func (c *Cluster) addDouyin(name string, args []string, env ...string) {
	health := []string{"health", args[0], "--addr=" + c.addrs[name]}
	c.parts[name] = &part{
		command: daemon.Command{
			Path: c.cfg.Douyin, Args: args, Env: append(env, memory), Log: filepath.Join(c.cfg.Folder, name, "log")},
		ready: func(ctx context.Context) error {
			if out, err := exec.CommandContext(ctx, c.cfg.Douyin, health...).CombinedOutput(); err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			return nil
		},
	}
}

// addNginx adds nginx with the configuration of the compose file, except for port and addresses.
func (c *Cluster) addNginx(context.Context) ([]string, error) {
	folder, err := c.folder("nginx")
	if err != nil {
		return nil, err
	}
	var bffs []string
	for _, name := range names("bff") {
		bffs = append(bffs, c.addrs[name])
	}
	c.parts["nginx"], err = nginx(folder, strings.TrimPrefix(c.URL(), "http://"), bffs)
	return []string{"nginx"}, err
}

// nginx returns an nginx that listens on addr in front of the BFFs. The folder is its own.
func nginx(folder, listen string, bffs []string) (*part, error) {
	program := daemon.Find("nginx")
	if program == "" {
		return nil, errors.New("nginx is not installed (apt-get install nginx-light, or brew install nginx)")
	}
	var servers strings.Builder
	for _, addr := range bffs {
		fmt.Fprintf(&servers, "server %s max_fails=0;\n    ", addr)
	}
	config := fmt.Sprintf("daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\n"+
		"events { worker_connections 2048; }\nhttp {\n"+
		"client_body_temp_path body;\nproxy_temp_path proxy;\nfastcgi_temp_path other;\nuwsgi_temp_path other;\nscgi_temp_path other;\n"+
		"%s}\n", strings.NewReplacer("${LISTEN}", listen, "${BFFS}", servers.String()).Replace(nginxTemplate))
	if err := os.WriteFile(filepath.Join(folder, "nginx.conf"), []byte(config), 0o600); err != nil {
		return nil, err
	}
	return &part{
		command: daemon.Command{Path: program, Log: filepath.Join(folder, "log"), Args: []string{
			"-e", "stderr", "-p", folder, "-c", "nginx.conf"}},
		ready: func(ctx context.Context) error {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", listen)
			if err != nil {
				return err
			}
			return conn.Close()
		},
	}, nil
}

// get returns nil if a URL answers with 200.
func get(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
