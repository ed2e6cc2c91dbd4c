package database

import (
	"database/sql"
	"errors"
	"net/url"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"gorm.io/driver/mysql"
	"gorm.io/gorm"
)

// defaultConnections is the size of the connection pool of each server.
const defaultConnections = 32

func openMySQL(cfg Config) (*DB, error) {
	conns, dsn, err := openPoolMySQL(cfg.DSN, cfg.Connections, 5*time.Second)
	if err != nil {
		return nil, err
	}
	// With RETURNING, MariaDB counts an existing row as inserted.
	pool, err := gorm.Open(mysql.New(mysql.Config{Conn: conns, DSNConfig: dsn, DisableWithReturning: true}), config())
	if err != nil {
		return nil, errors.Join(err, conns.Close())
	}
	// READ COMMITTED has no gap locks, and a transaction sees committed changes of others.
	db := &DB{writer: pool, reader: pool, txOptions: []*sql.TxOptions{{Isolation: sql.LevelReadCommitted}}}
	if err := db.openReplicas(cfg, conns); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func openPoolMySQL(dsn string, size int, dialTimeout time.Duration) (*sql.DB, *driver.Config, error) {
	cfg, err := ParseMySQL(strings.TrimPrefix(strings.TrimPrefix(dsn, "mysql:"), "//"))
	if err != nil {
		return nil, nil, err
	}
	cfg.InterpolateParams = true // one round trip for each statement
	cfg.Timeout = dialTimeout
	cfg.Collation = "utf8mb4_bin"
	cfg.Logger = &driver.NopLogger{} // the service logs errors
	connector, err := driver.NewConnector(cfg)
	if err != nil {
		return nil, nil, err
	}
	conns := sql.OpenDB(connector)
	conns.SetMaxOpenConns(size)
	conns.SetMaxIdleConns(size)
	conns.SetConnMaxIdleTime(time.Minute)
	conns.SetConnMaxLifetime(10 * time.Minute)
	return conns, cfg, nil
}

// ParseMySQL parses a DSN after "mysql://": a URL or the format of go-sql-driver. Its errors leave out the parsers'
// errors, which show the password.
func ParseMySQL(dsn string) (*driver.Config, error) {
	cfg, err := driver.ParseDSN(dsn)
	if err != nil {
		cfg, err = parseURL(dsn)
	}
	if err != nil {
		return nil, errors.New("the DSN is not of the form mysql://user:password@host:port/name")
	}
	return cfg, nil
}

func parseURL(dsn string) (*driver.Config, error) {
	u, err := url.Parse("mysql://" + dsn)
	if err != nil {
		return nil, err
	}
	cfg, err := driver.ParseDSN("tcp(" + u.Host + ")" + u.EscapedPath() + "?" + u.RawQuery)
	if err != nil {
		return nil, err
	}
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	return cfg, nil
}
