// Package mysqltest gives tests a real MariaDB or MySQL.
//
// The first test that needs a database starts the server, and the end of the test binary stops it:
//
//	func TestMain(m *testing.M) { os.Exit(mysqltest.Run(m)) }
//
//	func TestStore(t *testing.T) { dsn := mysqltest.Database(t); ... }
//
// The server is the one that DOUYIN_TEST_MYSQL names (a DSN of a user who may create databases); else an installed MariaDB
// or MySQL, run in a temporary folder on a unix socket; else a docker container. Without any of them, tests fail. Only
// -short skips them.
package mysqltest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"minidouyin/services/internal/database"
	"minidouyin/services/testenv/daemon"
	"minidouyin/services/testenv/testserver"
)

// startTimeout bounds the time until the server is ready. The image of a container may have to be downloaded first.
const startTimeout = 3 * time.Minute

var shared struct {
	once   sync.Once
	server *server
	err    error
}

// server is a running database server.
type server struct {
	config *mysql.Config
	stop   func() error
}

// Run runs the tests, stops the server and returns the exit code.
func Run(m *testing.M) int {
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.stop(); err != nil {
			fmt.Fprintln(os.Stderr, "mysqltest:", err)
			return 1
		}
	}
	return code
}

// Database returns the DSN, with "mysql://", of a new empty database that is dropped when the test ends.
func Database(tb testing.TB) string {
	tb.Helper()
	testserver.SkipIfShort(tb)
	shared.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		shared.server, shared.err = start(ctx)
	})
	if shared.err != nil {
		tb.Fatal(shared.err)
	}
	name := "douyin_test_" + strings.ToLower(rand.Text())
	shared.server.exec(tb, "CREATE DATABASE "+name)
	tb.Cleanup(func() { shared.server.exec(tb, "DROP DATABASE "+name) })
	cfg := shared.server.config.Clone()
	cfg.DBName = name
	return "mysql://" + cfg.FormatDSN()
}

func (s *server) exec(tb testing.TB, statement string) {
	tb.Helper()
	conns, err := sql.Open("mysql", s.config.FormatDSN())
	if err != nil {
		tb.Fatal(err)
	}
	defer conns.Close()
	if _, err := conns.Exec(statement); err != nil {
		tb.Fatal(err)
	}
}

func start(ctx context.Context) (*server, error) {
	if dsn := os.Getenv("DOUYIN_TEST_MYSQL"); dsn != "" {
		cfg, err := database.ParseMySQL(strings.TrimPrefix(dsn, "mysql://"))
		if err != nil {
			return nil, fmt.Errorf("DOUYIN_TEST_MYSQL: %w", err)
		}
		ctx, cancel := context.WithTimeout(ctx, 15*time.Second) // it runs already
		defer cancel()
		return ready(ctx, &server{config: cfg, stop: func() error { return nil }})
	}
	if daemon.Find("mariadbd", "mysqld") != "" {
		return startProgram(ctx)
	}
	if dockerAnswers(ctx) {
		return startContainer(ctx)
	}
	return nil, errors.New("no database server: install MariaDB (apt-get install mariadb-server, or brew install mariadb), " +
		"or start docker, or set DOUYIN_TEST_MYSQL to a DSN such as mysql://root:password@127.0.0.1:3306/")
}

// ping returns nil when the server answers.
func (s *server) ping(ctx context.Context) error {
	conns, err := sql.Open("mysql", s.config.FormatDSN())
	if err != nil {
		return err
	}
	defer conns.Close()
	return conns.PingContext(ctx)
}

// ready waits until the server is ready. It stops one that refuses or takes too long.
func ready(ctx context.Context, s *server) (*server, error) {
	for {
		err := s.ping(ctx)
		if err == nil {
			return s, nil
		}
		if _, answered := errors.AsType[*mysql.MySQLError](err); answered {
			return nil, errors.Join(fmt.Errorf("the server refuses: %w", err), s.stop())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("the server does not answer: %w", err), s.stop())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
