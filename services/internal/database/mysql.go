package database

import (
	"database/sql"
	"errors"
	"net/url"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"gorm.io/driver/mysql"
	"gorm.io/gorm"
)

const maxConnections = 32

func openMySQL(dsn string) (*DB, error) {
	cfg, err := ParseMySQL(dsn)
	if err != nil {
		return nil, err
	}
	cfg.InterpolateParams = true // one round trip per statement
	cfg.Timeout = 5 * time.Second
	cfg.Collation = "utf8mb4_bin"
	connector, err := driver.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	conns := sql.OpenDB(connector)
	conns.SetMaxOpenConns(maxConnections)
	conns.SetMaxIdleConns(maxConnections)
	conns.SetConnMaxIdleTime(time.Minute)
	conns.SetConnMaxLifetime(10 * time.Minute)
	// With RETURNING, MariaDB reports a row that was there already as a row that was inserted.
	pool, err := gorm.Open(mysql.New(mysql.Config{Conn: conns, DSNConfig: cfg, DisableWithReturning: true}), config())
	if err != nil {
		return nil, errors.Join(err, conns.Close())
	}
	// READ COMMITTED: no gap locks, and a transaction sees what others have committed.
	return &DB{writer: pool, reader: pool, txOptions: []*sql.TxOptions{{Isolation: sql.LevelReadCommitted}}}, nil
}

// ParseMySQL parses what follows "mysql://" in a DSN: a URL or the driver's own form. The parsers' errors are dropped,
// for they show the password.
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
