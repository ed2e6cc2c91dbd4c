// Package database opens the SQL database of a service, SQLite or MySQL, and hides where the two differ.
//
// Reads are single statements on [DB.Read]. Every write goes through [DB.Write], which runs it as one transaction
// and repeats it after a deadlock. [Pages] reads lists in the one form that is fast on all databases.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

// Config configures a database.
type Config struct {
	// DSN is "sqlite:PATH", "mysql://user:password@host:port/name", or "mysql://" before a DSN of go-sql-driver,
	// such as "mysql://root@unix(/run/mysqld.sock)/name".
	DSN string
	// Replicas are the DSNs of read replicas of a MySQL database; see [DB.ReadAfter].
	Replicas []string
	// Connections is the maximum of open connections to each MySQL server; 0 means 32.
	Connections int
	// OnStatement, unless nil, is called after each statement, except begin and commit, with the values of its
	// placeholders.
	OnStatement func(ctx context.Context, sql string, values []any)
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	writer, reader *gorm.DB // the same on MySQL
	txOptions      []*sql.TxOptions
	replicas       []*sql.DB
}

// CheckDSN returns an error unless the DSN is valid. Its errors never show the password.
func CheckDSN(dsn string) error {
	kind, rest, _ := strings.Cut(dsn, ":")
	switch kind {
	case "sqlite":
		if rest == "" || rest == ":memory:" {
			return errors.New("sqlite needs the path of a file")
		}
		return nil
	case "mysql":
		cfg, err := ParseMySQL(strings.TrimPrefix(rest, "//"))
		if err == nil && cfg.DBName == "" {
			err = errors.New("the DSN names no database")
		}
		return err
	default:
		return errors.New(`the DSN must begin with "sqlite:" or "mysql://"`)
	}
}

// Open opens the database and checks that it is available. Its errors never show the password of the DSN.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	err := CheckDSN(cfg.DSN)
	if err == nil {
		err = CheckReplicas(cfg.DSN, cfg.Replicas)
	}
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if cfg.Connections == 0 {
		cfg.Connections = defaultConnections
	}
	var db *DB
	if path, ok := strings.CutPrefix(cfg.DSN, "sqlite:"); ok {
		db, err = openSQLite(path)
		// Processes that open a new file at the same time fail instead of waiting for each other.
		for try := 1; err != nil && lost(err) && try < maxTries && Pause(ctx, 20*time.Millisecond) == nil; try++ {
			db, err = openSQLite(path)
		}
	} else {
		db, err = openMySQL(cfg)
	}
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := db.ping(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), db.Close())
	}
	if cfg.OnStatement != nil {
		for _, pool := range db.pools() {
			if err := watch(pool, cfg.OnStatement); err != nil {
				return nil, errors.Join(fmt.Errorf("open database: %w", err), db.Close())
			}
		}
	}
	return db, nil
}

// Read returns the handle for reads. They see every write that was committed before.
func (d *DB) Read(ctx context.Context) *gorm.DB { return d.reader.WithContext(ctx) }

// Close closes all connections. Errors of MySQL are ignored: everything is committed or not, and a server that is gone
// has closed the connections.
func (d *DB) Close() error {
	var errs []error
	for _, pool := range d.pools() {
		conns, err := pool.DB()
		if err == nil {
			err = conns.Close()
		}
		if pool.Name() != "mysql" {
			errs = append(errs, err)
		}
	}
	for _, replica := range d.replicas {
		_ = replica.Close()
	}
	return errors.Join(errs...)
}

func (d *DB) pools() []*gorm.DB {
	if d.reader == d.writer {
		return []*gorm.DB{d.writer}
	}
	return []*gorm.DB{d.reader, d.writer} // the writer is closed last: it merges the WAL into the file
}

func (d *DB) ping(ctx context.Context) error {
	for _, pool := range d.pools() {
		conns, err := pool.DB()
		if err != nil {
			return err
		}
		if err := conns.PingContext(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Excluded returns the name of the value that an upsert would insert into the column, for use in its update part.
func Excluded(tx *gorm.DB, column string) string {
	if tx.Name() == "mysql" {
		return "VALUES(" + column + ")"
	}
	return "excluded." + column
}

// Adding makes an insert add to the columns of a row whose key exists.
func Adding(tx *gorm.DB, key string, columns ...string) clause.OnConflict {
	conflict := clause.OnConflict{Columns: []clause.Column{{Name: key}}}
	for _, column := range columns {
		conflict.DoUpdates = append(conflict.DoUpdates, clause.Assignment{
			Column: clause.Column{Name: column},
			Value:  gorm.Expr(column + " + " + Excluded(tx, column)),
		})
	}
	return conflict
}

// Locked makes a query of a transaction lock the rows it finds until the end. On SQLite the transaction already holds
// the only lock.
func Locked(tx *gorm.DB) *gorm.DB {
	return tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
}

// config is used for both databases. Only [DB.Write] opens transactions, and the service logs errors once.
func config() *gorm.Config {
	return &gorm.Config{SkipDefaultTransaction: true, TranslateError: true, Logger: logger.Discard}
}

func watch(pool *gorm.DB, onStatement func(context.Context, string, []any)) error {
	call := func(tx *gorm.DB) {
		if tx.Statement.SQL.Len() > 0 && !tx.DryRun {
			onStatement(tx.Statement.Context, tx.Statement.SQL.String(), tx.Statement.Vars)
		}
	}
	const name = "database:watch"
	on := pool.Callback()
	return errors.Join(
		on.Create().After("gorm:create").Register(name, call),
		on.Query().After("gorm:query").Register(name, call),
		on.Update().After("gorm:update").Register(name, call),
		on.Delete().After("gorm:delete").Register(name, call),
		on.Row().After("gorm:row").Register(name, call),
		on.Raw().After("gorm:raw").Register(name, call),
	)
}
