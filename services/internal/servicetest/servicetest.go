// Package servicetest runs tests of a service on each database, with and without Redis.
package servicetest

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/endpoint"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/server"
	"github.com/redis/go-redis/v9"

	"minidouyin/idl/codes"
	"minidouyin/services"
	"minidouyin/services/internal/database"
	"minidouyin/services/testenv/mysqltest"
	"minidouyin/services/testenv/redistest"
)

// CheapPasswords is a low cost of passwords, for fast tests.
var CheapPasswords = services.PasswordCost{Time: 1, MemoryKiB: 8}

// EachDatabase runs the test on SQLite and on MySQL, each time with the DSN of a new empty database.
func EachDatabase(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("mysql", func(t *testing.T) { test(t, mysqltest.Database(t)) })
}

// Backend is the storage of a service.
type Backend struct {
	DSN   string
	Redis redis.UniversalClient // nil for none
	// Alone and LikeAck are those of services.Config.
	Alone   bool
	LikeAck string
}

// Caches reports whether the service caches what it reads.
func (b Backend) Caches() bool { return b.Redis != nil || b.Alone }

// EachBackend runs the test on new empty databases: SQLite without a cache, SQLite with the cache in the process, MySQL
// with Redis, and MySQL with a Redis Cluster.
func EachBackend(t *testing.T, test func(t *testing.T, b Backend)) {
	t.Run("sqlite", func(t *testing.T) { test(t, Backend{DSN: SQLite(t)}) })
	t.Run("sqlite and map", func(t *testing.T) { test(t, Backend{DSN: SQLite(t), Alone: true}) })
	t.Run("mysql and redis", func(t *testing.T) {
		test(t, Backend{DSN: mysqltest.Database(t), Redis: Redis(t, redistest.Start(t).URL)})
	})
	t.Run("mysql and redis cluster", func(t *testing.T) {
		cluster := Redis(t, redistest.SharedCluster(t))
		Wipe(t, cluster)
		test(t, Backend{DSN: mysqltest.Database(t), Redis: cluster})
	})
}

// SQLite returns the DSN of a new empty database. Its path has characters with a meaning in a URI.
func SQLite(tb testing.TB) string { return "sqlite:" + filepath.Join(tb.TempDir(), "a 1%?#.db") }

// Open opens the service until the test ends. It returns the option of an in-process client, and the statements of the
// service.
func Open(tb testing.TB, name string, b Backend) (client.Option, *Statements) {
	tb.Helper()
	statements := &Statements{portable: strings.HasPrefix(b.DSN, "mysql:"), tb: tb}
	service, err := services.Open(tb.Context(), name, services.Config{
		DSN: b.DSN, Redis: b.Redis, Alone: b.Alone, LikeAck: b.LikeAck, Log: slog.New(slog.NewTextHandler(tb.Output(), nil)),
		PasswordCost: CheapPasswords, OnStatement: statements.add,
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := service.Close(); err != nil {
			tb.Error(err)
		}
	})
	return Local(tb, service.Server), statements
}

// Redis returns a client of the Redis at the URL, until the test ends.
func Redis(tb testing.TB, url string) redis.UniversalClient {
	tb.Helper()
	client, err := services.OpenRedis(url, slog.New(slog.NewTextHandler(tb.Output(), nil)), "reading from the database")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := client.Close(); err != nil {
			tb.Error(err)
		}
	})
	return client
}

// Wipe deletes everything in a Redis, or in every master of a cluster.
func Wipe(tb testing.TB, client redis.UniversalClient) {
	tb.Helper()
	var err error
	if cluster, ok := client.(*redis.ClusterClient); ok {
		err = cluster.ForEachMaster(tb.Context(), func(ctx context.Context, server *redis.Client) error { return server.FlushAll(ctx).Err() })
	} else {
		err = client.FlushAll(tb.Context()).Err()
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// Database opens the database of a service for direct access.
func Database(tb testing.TB, dsn string) *database.DB {
	tb.Helper()
	db, err := database.Open(tb.Context(), database.Config{DSN: dsn})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

// AtOnce runs do(0) to do(n-1) concurrently and waits for all.
func AtOnce(n int, do func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { do(i) })
	}
	group.Wait()
}

// Local returns the option of a client that calls a server in the process.
func Local(tb testing.TB, s server.Server) client.Option {
	tb.Helper()
	caller, err := server.NewLocalCaller("test", s)
	if err != nil {
		tb.Fatal(err)
	}
	return client.WithMiddleware(func(endpoint.Endpoint) endpoint.Endpoint {
		return func(ctx context.Context, req, resp any) error {
			return caller.Call(ctx, rpcinfo.GetRPCInfo(ctx).To().Method(), req, resp)
		}
	})
}

// Statements collects the SQL of a service, that of its migrations too. A statement to MySQL that would not run on TiDB
// fails the test.
type Statements struct {
	mu       sync.Mutex
	all      []string
	tb       testing.TB
	portable bool
}

func (s *Statements) add(_ context.Context, sql string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if why := Foreign(sql); s.portable && why != "" {
		s.tb.Errorf("%s: %s", why, sql)
	}
	s.all = append(s.all, sql)
}

// Take returns the statements since the last call.
func (s *Statements) Take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.all
	s.all = nil
	return taken
}

// Must returns the result of a call, and fails the test if there is an error: servicetest.Must(client.ListFeed(ctx,
// ...))(t).
func Must[T any](answer T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return answer
	}
}

// Refuses fails the test unless the call failed with the code and with a message that shows no internals.
func Refuses[T any](answer T, err error) func(tb testing.TB, want codes.Code) {
	return func(tb testing.TB, want codes.Code) {
		tb.Helper()
		if got := codes.Of(err); got != want {
			tb.Errorf("got %v (%v, answer %v), want %v", got, err, answer, want)
		}
		message := codes.Message(err)
		for _, internal := range []string{"SQL", "goroutine", "constraint", "Duplicate", "%!"} {
			if strings.Contains(message, internal) {
				tb.Errorf("the message shows internals: %s", message)
			}
		}
	}
}
