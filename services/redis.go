package services

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"minidouyin/services/internal/breaker"
)

// redisTimeout bounds one command: a Redis that is slower than the database is useless.
const redisTimeout = time.Second

// CheckRedisURL returns an error unless the URL is valid. Its errors never show the password.
func CheckRedisURL(url string) error {
	_, err := redisOptions(url)
	return err
}

// OpenRedis returns a client of the Redis at the URL. It does not wait for Redis. The caller closes the client. A circuit
// breaker leaves out a server that is unavailable, and logs that; without says what happens meanwhile. The URL is one of
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
			"redis+cluster:// or redis+sentinel://") // without the parsers' errors, which may show the password
	}
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = redisTimeout, redisTimeout, redisTimeout
	options.ContextTimeoutEnabled = true
	options.DisableIdentity = true // saves a round trip for each connection
	options.DialerRetries = 1      // commands are retried
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
