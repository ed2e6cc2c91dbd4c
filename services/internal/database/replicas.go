package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"gorm.io/driver/mysql"
	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"

	"minidouyin/idl/kitex_gen/page"
)

const (
	// settled is how old rows must be to be read from a replica, which may lag that much.
	settled = 10 * time.Second
	// skipTime is how long a failed replica is not used.
	skipTime = 5 * time.Second
	// history is the name of the replicas in dbresolver.
	history = "history"
)

// CheckReplicas returns an error unless the DSNs are valid replicas of the database.
func CheckReplicas(dsn string, replicas []string) error {
	for _, replica := range replicas {
		if !strings.HasPrefix(dsn, "mysql:") || !strings.HasPrefix(replica, "mysql:") {
			return errors.New("only a MySQL database has replicas, which are MySQL databases as well")
		}
		if err := CheckDSN(replica); err != nil {
			return err
		}
	}
	return nil
}

// ReadAfter returns the handle for a page of rows after the cursor. If all of them are older than some seconds it may be a
// replica, else it is that of [DB.Read].
//
// Nothing else is read from a replica, because a caller must see its own writes, and caches must not store old values. Old
// rows may still show what was deleted while the replica lags.
func (d *DB) ReadAfter(ctx context.Context, cursor *page.Cursor) *gorm.DB {
	if len(d.replicas) == 0 || cursor == nil || time.Since(time.UnixMilli(cursor.CreatedAt)) < settled {
		return d.Read(ctx)
	}
	return d.reader.WithContext(ctx).Clauses(dbresolver.Use(history)).Session(&gorm.Session{})
}

// openReplicas adds the replicas to the reader. It sends nothing, so they may be unavailable.
func (d *DB) openReplicas(cfg Config, primary *sql.DB) error {
	if len(cfg.Replicas) == 0 {
		return nil
	}
	var dialectors []gorm.Dialector
	for _, dsn := range cfg.Replicas {
		conns, parsed, err := openPoolMySQL(dsn, cfg.Connections, time.Second)
		if err != nil {
			return fmt.Errorf("replica: %w", err)
		}
		d.replicas = append(d.replicas, conns)
		dialectors = append(dialectors, mysql.New(mysql.Config{
			Conn: &replica{conns: conns, primary: primary}, DSNConfig: parsed, SkipInitializeWithVersion: true}))
	}
	return d.reader.Use(dbresolver.Register(dbresolver.Config{Replicas: dialectors, Policy: dbresolver.RandomPolicy{}}, history))
}

// replica reads from a replica, and from the primary if that fails.
type replica struct {
	conns, primary *sql.DB
	skipUntil      atomic.Int64 // milliseconds since 1970
}

var _ gorm.ConnPool = (*replica)(nil)

// QueryContext implements [gorm.ConnPool]. It may send a query twice, which changes nothing.
func (r *replica) QueryContext(ctx context.Context, query string, values ...any) (*sql.Rows, error) {
	now := time.Now().UnixMilli()
	if now >= r.skipUntil.Load() {
		rows, err := r.conns.QueryContext(ctx, query, values...)
		if err == nil || ctx.Err() != nil {
			return rows, err
		}
		r.skipUntil.Store(now + skipTime.Milliseconds())
	}
	return r.primary.QueryContext(ctx, query, values...)
}

// QueryRowContext implements [gorm.ConnPool]. Pages do not use it.
func (r *replica) QueryRowContext(ctx context.Context, query string, values ...any) *sql.Row {
	return r.primary.QueryRowContext(ctx, query, values...)
}

// PrepareContext implements [gorm.ConnPool]. Nothing is prepared on a replica.
func (r *replica) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return r.primary.PrepareContext(ctx, query)
}

// ExecContext implements [gorm.ConnPool]. Nothing is written to a replica.
func (r *replica) ExecContext(ctx context.Context, query string, values ...any) (sql.Result, error) {
	return r.primary.ExecContext(ctx, query, values...)
}
