// Package services builds the three services of minidouyin: basics, interaction and social.
//
// They have one shape: a kitex server whose handler checks the request and keeps the data in an SQL database of its
// own, though several may share one. They never call each other. [Open] builds one:
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

// PasswordCost is what hashing one password costs; fields that are 0 have a safe default.
type PasswordCost = basics.PasswordCost

// Config configures a service.
type Config struct {
	// DSN names the database: "sqlite:PATH", "mysql://user:password@host:port/name", or "mysql://" before a DSN of
	// go-sql-driver, such as "mysql://root@unix(/run/mysqld.sock)/name".
	DSN string
	// Replicas are the DSNs of read replicas of a MySQL database. Pages of what is older than some seconds are read
	// there; when a replica is away, from the database itself.
	Replicas []string
	// Connections is the most that are open to each MySQL server; 0 means 32.
	Connections int
	// Log receives one line for each call that failed by the service's own fault. Nil means slog.Default().
	Log *slog.Logger
	// Redis holds caches and likes that are not in the database yet. All processes of a service must have the same. The
	// caller closes it, after the service.
	Redis redis.UniversalClient
	// Alone says that no other process has the data. Then what is read is cached in the process if there is no Redis.
	// Otherwise nothing is cached without Redis.
	Alone bool
	// LikeAck is when interaction acknowledges a like: AckStored, when the database has it, or AckLogged, when Redis
	// has it. "" is AckStored.
	LikeAck string
	// Registry takes the metrics of the service. Nil means that there are none.
	Registry *prometheus.Registry
	// PasswordCost is used by basics alone.
	PasswordCost PasswordCost
	// OnStatement, unless nil, is called for every SQL statement after it was sent, without the values of its
	// placeholders; not for begin and commit.
	OnStatement func(ctx context.Context, sql string)
}

// CheckDSN returns why a DSN cannot name a database, nil when it can.
func CheckDSN(dsn string) error { return database.CheckDSN(dsn) }

// CheckReplicas returns why these DSNs cannot name replicas of the database, nil when they can.
func CheckReplicas(dsn string, replicas []string) error { return database.CheckReplicas(dsn, replicas) }

// The moments at which a like is acknowledged.
const (
	AckStored = interaction.AckStored
	AckLogged = interaction.AckLogged
)

// Service is an open service.
type Service struct {
	// Server answers the calls, over the network after Run, or by server.NewLocalCaller without it. It leaves
	// signals to its owner, who stops it before closing the service.
	Server server.Server
	db     *database.DB
	end    func() // ends what the handler runs beside the calls
}

// Open opens the database of the named service, brings it to the current schema, and builds the server. The options
// come after those that every service has.
func Open(ctx context.Context, name string, cfg Config, opts ...server.Option) (*Service, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	db, err := openDatabase(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	service := &Service{db: db, end: func() {}}
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

// newStore returns where the service caches what it reads, nil for nowhere.
func newStore(cfg Config) cache.Store {
	switch {
	case cfg.Redis != nil:
		return cache.NewRedis(cfg.Redis)
	case cfg.Alone:
		return cache.NewMap()
	}
	return nil
}

// Close ends what the service does beside its calls, within a few seconds, and closes the database. The server must have
// stopped before.
func (s *Service) Close() error {
	s.end()
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
		s.end = handler.Close
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
		// Both are needed for error codes to cross the wire.
		server.WithMetaHandler(transmeta.ServerTTHeaderHandler),
		server.WithMetaHandler(transmeta.MetainfoServerHandler),
		server.WithEnableContextTimeout(true),
		server.WithExitSignal(func() <-chan error { return make(chan error) }),
		server.WithMiddleware(maskErrors(log)),
	}
}
