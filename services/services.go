// Package services builds the three services of minidouyin: basics, interaction and social.
//
// Each is a kitex server whose handler checks requests and keeps its data in an SQL database of its own; services may share
// one database. Services never call each other. [Open] builds one:
//
//	service, err := services.Open(ctx, services.Basics, services.Config{DSN: "sqlite:data/basics.db"})
//	...
//	defer service.Close()
//	err = service.Server.Run() // or server.NewLocalCaller("bff", service.Server) without a network
package services

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/server"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"minidouyin/idl/kitex_gen/basics/basicsservice"
	"minidouyin/idl/kitex_gen/interaction/interactionservice"
	"minidouyin/idl/kitex_gen/social/socialservice"
	"minidouyin/services/basics"
	"minidouyin/services/interaction"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/database"
	"minidouyin/services/social"
)

// The names of the services.
const (
	Basics      = "basics"
	Interaction = "interaction"
	Social      = "social"
)

// PasswordCost is the cost of one password hash. Zero fields have a safe default.
type PasswordCost = basics.PasswordCost

// Config configures a service.
type Config struct {
	// DSN names the database: "sqlite:PATH", "mysql://user:password@host:port/name", or "mysql://" before a DSN of
	// go-sql-driver, such as "mysql://root@unix(/run/mysqld.sock)/name".
	DSN string
	// Replicas are the DSNs of read replicas of a MySQL database, for pages of rows that are older than some seconds. While
	// a replica is unavailable, the database serves them.
	Replicas []string
	// Connections is the maximum of open connections to each MySQL server; 0 means 32.
	Connections int
	// Log gets a line for each internal error and each change of availability. Nil means slog.Default().
	Log *slog.Logger
	// Redis holds cached values and, with AckLogged, the log of likes. All processes of a service must use the same. The
	// caller closes it after the service.
	Redis redis.UniversalClient
	// Alone means that no other process uses the database. Then the cache is in the process if there is no Redis. Several
	// processes without Redis cache nothing.
	Alone bool
	// LikeAck is AckStored or AckLogged; "" is AckStored. Only interaction uses it.
	LikeAck string
	// Registry registers the metrics of the service. Nil means no metrics.
	Registry *prometheus.Registry
	// PasswordCost is for basics only.
	PasswordCost PasswordCost
	// OnStatement, unless nil, is called after each SQL statement, except begin and commit, without the values of its
	// placeholders.
	OnStatement func(ctx context.Context, sql string)
}

// CheckDSN returns an error unless the DSN is valid.
func CheckDSN(dsn string) error { return database.CheckDSN(dsn) }

// CheckReplicas returns an error unless the DSNs are valid replicas of the database.
func CheckReplicas(dsn string, replicas []string) error { return database.CheckReplicas(dsn, replicas) }

// When a like is acknowledged. All instances on one database must use the same mode.
const (
	// AckStored acknowledges a like when its transaction is committed. Likes that arrive at the same time share a
	// transaction. It does not need Redis.
	AckStored = interaction.AckStored
	// AckLogged acknowledges a like when it is in the log in Redis, which must lose nothing. While Redis is unavailable,
	// likes are refused.
	AckLogged = interaction.AckLogged
)

// Service is an open service.
type Service struct {
	// Server serves calls: over the network after Run, or through server.NewLocalCaller. It handles no signals. The owner
	// stops it before it closes the service.
	Server server.Server
	db     *database.DB
	stop   func() // stops the goroutines of the handler
}

// Open opens the database of the named service, migrates it to the current schema, and builds the server. The options
// come after the default ones.
func Open(ctx context.Context, name string, cfg Config, opts ...server.Option) (*Service, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	db, err := openDatabase(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	service := &Service{db: db, stop: func() {}}
	service.Server, err = build(ctx, name, service, cfg, append(serverOptions(name, cfg.Log), opts...))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), service.Close())
	}
	return service, nil
}

func openDatabase(ctx context.Context, cfg Config) (*database.DB, error) {
	dbConfig := database.Config{DSN: cfg.DSN, Replicas: cfg.Replicas, Connections: cfg.Connections}
	if cfg.OnStatement != nil {
		dbConfig.OnStatement = func(ctx context.Context, sql string, _ []any) { cfg.OnStatement(ctx, sql) }
	}
	return database.Open(ctx, dbConfig)
}

// newStore returns the store of the service's caches, nil for none.
func newStore(cfg Config) cache.Store {
	switch {
	case cfg.Redis != nil:
		return cache.NewRedis(cfg.Redis)
	case cfg.Alone:
		return cache.NewMap()
	}
	return nil
}

// Close stops the goroutines of the service, within a few seconds, and closes the database. The server must be stopped
// before.
func (s *Service) Close() error {
	s.stop()
	return s.db.Close()
}

func build(ctx context.Context, name string, s *Service, cfg Config, opts []server.Option) (server.Server, error) {
	switch name {
	case Basics:
		handler, err := basics.New(ctx, s.db, newStore(cfg), cfg.PasswordCost)
		if err != nil {
			return nil, err
		}
		return basicsservice.NewServer(handler, opts...), nil
	case Interaction:
		handler, err := interaction.New(ctx, s.db, interaction.Config{
			Redis: cfg.Redis, Cache: newStore(cfg), Ack: cfg.LikeAck, Log: cfg.Log, Registry: cfg.Registry})
		if err != nil {
			return nil, err
		}
		s.stop = handler.Close
		return interactionservice.NewServer(handler, opts...), nil
	case Social:
		handler, err := social.New(ctx, s.db, newStore(cfg))
		if err != nil {
			return nil, err
		}
		return socialservice.NewServer(handler, opts...), nil
	}
	return nil, errors.New("no such service")
}

func serverOptions(name string, log *slog.Logger) []server.Option {
	return []server.Option{
		server.WithServerBasicInfo(&rpcinfo.EndpointBasicInfo{ServiceName: name}),
		// Error codes need both handlers.
		server.WithMetaHandler(transmeta.ServerTTHeaderHandler),
		server.WithMetaHandler(transmeta.MetainfoServerHandler),
		server.WithEnableContextTimeout(true),
		server.WithExitSignal(func() <-chan error { return make(chan error) }),
		server.WithMiddleware(maskErrors(log)),
	}
}
