package services

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc/test/bufconn"

	"minidouyin/services/internal/breaker"
)

const (
	// redisTimeout bounds one command: a Redis that is slower than the database is no help.
	redisTimeout = time.Second
	// expiryTick is how often keys of the Redis inside the process expire.
	expiryTick = 100 * time.Millisecond
)

// CheckRedisURL returns why a URL cannot name a Redis, nil when it can. Its errors never show the password.
func CheckRedisURL(url string) error {
	_, err := redisOptions(url)
	return err
}

// OpenRedis returns a client of the Redis that the URL names; the caller closes it. It does not wait for Redis. A server
// that is unavailable is left out by a circuit breaker, which logs that; without says what happens meanwhile. The URL is
// one of
//
//	redis://user:password@host:6379/0     one server; rediss:// with TLS; unix:///path of a socket
//	redis+cluster://host1:6379?addr=host2:6379
//	redis+sentinel://host1:26379?addr=host2:26379&master_name=NAME
func OpenRedis(url string, log *slog.Logger, without string) (redis.UniversalClient, error) {
	options, err := redisOptions(url)
	if err != nil {
		return nil, err
	}
	client := redis.NewUniversalClient(options)
	breaker.Install(client, log, without)
	return client, nil
}

func redisOptions(url string) (*redis.UniversalOptions, error) {
	options, err := parseRedisURL(url)
	if err != nil {
		return nil, errors.New("the URL is not of the form redis://user:password@host:port/0, rediss://, unix://, " +
			"redis+cluster:// or redis+sentinel://") // the parsers' errors may show the password
	}
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = redisTimeout, redisTimeout, redisTimeout
	options.ContextTimeoutEnabled = true
	options.DisableIdentity = true // one round trip less for each connection
	options.DialerRetries = 1      // commands are retried already
	return options, nil
}

func parseRedisURL(url string) (*redis.UniversalOptions, error) {
	scheme, rest, _ := strings.Cut(url, "://")
	base, kind, _ := strings.Cut(scheme, "+")
	plain := base + "://" + rest
	switch kind {
	case "":
		o, err := redis.ParseURL(plain)
		if err != nil {
			return nil, err
		}
		universal := &redis.UniversalOptions{
			Addrs: []string{o.Addr}, DB: o.DB, Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig,
			Protocol: o.Protocol, PoolSize: o.PoolSize, ClientName: o.ClientName,
		}
		if o.Network == "unix" {
			universal.Dialer = func(ctx context.Context, _, addr string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", addr)
			}
		}
		return universal, nil
	case "cluster":
		o, err := redis.ParseClusterURL(plain)
		if err != nil {
			return nil, err
		}
		return &redis.UniversalOptions{
			Addrs: o.Addrs, IsClusterMode: true, Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig,
			Protocol: o.Protocol, PoolSize: o.PoolSize, ClientName: o.ClientName,
		}, nil
	case "sentinel":
		o, err := redis.ParseFailoverURL(plain)
		if err != nil {
			return nil, err
		}
		if o.MasterName == "" {
			return nil, errors.New("no master_name")
		}
		return &redis.UniversalOptions{
			Addrs: o.SentinelAddrs, MasterName: o.MasterName, DB: o.DB, Username: o.Username, Password: o.Password,
			SentinelUsername: o.SentinelUsername, SentinelPassword: o.SentinelPassword, TLSConfig: o.TLSConfig,
			Protocol: o.Protocol, PoolSize: o.PoolSize, ClientName: o.ClientName,
		}, nil
	}
	return nil, errors.New("unknown kind")
}

// EmbeddedRedis is a Redis inside the process. It keeps nothing when the process ends.
type EmbeddedRedis struct {
	redis.UniversalClient
	server *miniredis.Miniredis
	listen *bufconn.Listener
	stop   chan struct{}
	run    sync.WaitGroup
}

// StartEmbeddedRedis starts a Redis inside the process, for one that is alone with its data. Close ends it.
func StartEmbeddedRedis() (*EmbeddedRedis, error) {
	r := &EmbeddedRedis{server: miniredis.NewMiniRedis(), stop: make(chan struct{})}
	// Its own pipes have no buffer, in which pipelines block each other; this makes it serve without a port.
	conn, err := r.server.Dial()
	if err != nil {
		return nil, fmt.Errorf("start the embedded Redis: %w", err)
	}
	_ = conn.Close()
	// Of each direction, in bytes: a pipeline that sends more and is answered more would block itself.
	const buffer = 256 << 10
	r.listen = bufconn.Listen(buffer)
	server := r.server.Server()
	r.run.Go(func() {
		for {
			conn, err := r.listen.Accept()
			if err != nil {
				return
			}
			server.ServeConn(conn)
		}
	})
	r.run.Go(func() { // its own clock for keys would make every command look at all of them
		tick := time.NewTicker(expiryTick)
		defer tick.Stop()
		for {
			select {
			case <-r.stop:
				return
			case <-tick.C:
				// Never more than that, also after a time without ticks: a key set just before would end too early.
				r.server.FastForward(expiryTick)
			}
		}
	})
	r.UniversalClient = redis.NewClient(&redis.Options{
		Addr: "embedded", DisableIdentity: true, ContextTimeoutEnabled: true,
		Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) { return r.listen.DialContext(ctx) },
	})
	return r, nil
}

// Close ends the client and the server.
func (r *EmbeddedRedis) Close() error {
	err := errors.Join(r.UniversalClient.Close(), r.listen.Close())
	close(r.stop)
	r.run.Wait()
	r.server.Close()
	return err
}
