package database

import (
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
)

const readers = 8

// openSQLite opens two pools on one file. SQLite has one writer at a time: with a single write connection whose
// transactions lock at once, writers queue in Go, where their contexts end the wait. Readers run at the same time, on
// the last committed state.
func openSQLite(path string) (*DB, error) {
	writer, err := openPool(path, 1, url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"},
	})
	if err != nil {
		return nil, err
	}
	reader, err := openPool(path, readers, url.Values{
		"_pragma": {"busy_timeout(10000)", "query_only(1)"},
	})
	if err != nil {
		return nil, errors.Join(err, (&DB{writer: writer, reader: writer}).Close())
	}
	return &DB{writer: writer, reader: reader}, nil
}

func openPool(path string, size int, options url.Values) (*gorm.DB, error) {
	// In a URI, the path may have any character.
	file := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: options.Encode()}
	conns, err := sql.Open(sqlite.DriverName, file.String())
	if err != nil {
		return nil, err
	}
	conns.SetMaxOpenConns(size)
	conns.SetMaxIdleConns(size)
	pool, err := gorm.Open(&sqlite.Dialector{Conn: conns}, config())
	if err != nil {
		return nil, errors.Join(err, conns.Close())
	}
	return pool, nil
}
