package database

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-gormigrate/gormigrate/v2"
	"gorm.io/gorm"
)

// Schema is the schema of one service, with the migrations of older databases.
type Schema struct {
	// Service names the table of migrations, so that services may share a database.
	Service string
	// Models are the current tables. An empty database gets exactly these, and all Changes count as applied.
	Models []any
	// Changes migrate an older database, in this order. None is ever edited or removed.
	Changes []*gormigrate.Migration
}

// Migrate migrates the database to the schema. Several processes may call it at the same time. It refuses a database
// with changes that this program does not know.
func (d *DB) Migrate(ctx context.Context, schema Schema) error {
	err := d.writer.WithContext(ctx).Connection(func(conn *gorm.DB) error {
		conn = conn.Session(&gorm.Session{}) // the argument is for one statement only
		if conn.Name() == "mysql" {
			release, err := lockMigrations(conn, schema.Service)
			if err != nil {
				return err
			}
			defer release()
			conn = conn.Set("gorm:table_options", "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin").Session(&gorm.Session{})
		}
		migration := gormigrate.New(conn, &gormigrate.Options{
			TableName:                 schema.Service + "_migrations",
			IDColumnName:              "id",
			IDColumnSize:              100,
			UseTransaction:            true, // for SQLite; on MySQL each step may be repeated
			ValidateUnknownMigrations: true,
		}, schema.Changes)
		migration.InitSchema(func(tx *gorm.DB) error { return tx.AutoMigrate(schema.Models...) })
		return migration.Migrate()
	})
	if errors.Is(err, gormigrate.ErrUnknownPastMigration) {
		return fmt.Errorf("migrate %s: the database was made by a newer version of this program", schema.Service)
	}
	if err != nil {
		return fmt.Errorf("migrate %s: %w", schema.Service, err)
	}
	return nil
}

// lockMigrations lets one process at a time migrate the tables of a service. The lock belongs to the connection.
func lockMigrations(conn *gorm.DB, service string) (release func(), err error) {
	const seconds = 60
	var name string
	if err := conn.Raw("SELECT CONCAT(DATABASE(), ?)", "."+service).Scan(&name).Error; err != nil {
		return nil, err
	}
	var got int
	if err := conn.Raw("SELECT COALESCE(GET_LOCK(LEFT(?, 64), ?), 0)", name, seconds).Scan(&got).Error; err != nil {
		return nil, err
	}
	if got != 1 {
		return nil, errors.New("another process is migrating the database")
	}
	// The end of the connection releases it as well.
	return func() { conn.Exec("DO RELEASE_LOCK(LEFT(?, 64))", name) }, nil
}
