package main

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/redis/go-redis/v9"

	"minidouyin/bff"
	"minidouyin/services"
)

// stores are the flags of databases and Redis.
type stores struct {
	DSN         bff.Secret   `name:"dsn" placeholder:"DSN" help:"Database: mysql://user:password@host:port/name or sqlite:PATH; {service} in it stands for the service's name, for a database each; without it, SQLite files in the data folder."`
	Replicas    []bff.Secret `placeholder:"DSN,..." help:"Read replicas of a MySQL database: pages of what is older than some seconds are read there."`
	Connections int          `name:"db-connections" default:"32" help:"Most connections to each MySQL server, for each service."`
	Redis       bff.Secret   `name:"redis" placeholder:"URL" help:"Redis of the caches and the log of likes, shared by all processes: redis://host:port/0, rediss://, unix://PATH, redis+cluster:// or redis+sentinel://; without it, a process caches only what it has for itself alone."`
}

// Validate refuses an unknown kind of store.
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

// openRedis returns a client of the Redis that the flag names, or nil. without is logged while Redis is unavailable: it
// says what happens meanwhile.
func openRedis(url bff.Secret, log *slog.Logger, without string) (redis.UniversalClient, error) {
	if url == "" {
		return nil, nil
	}
	return services.OpenRedis(string(url), log, without)
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
