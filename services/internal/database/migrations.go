package database

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-gormigrate/gormigrate/v2"
	"gorm.io/gorm"
)

// Schema is the schema of one service and how older databases get to it.
type Schema struct {
	// Service names the table of migrations, so that services may share a database.
	Service string
	// Models are the tables as they are now. An empty database gets exactly these, and all Changes count as done.
	Models []any
	// Changes bring a database that is older up to date, in this order. None is ever edited or taken away.
	Changes []*gormigrate.Migration
}

// Migrate brings the database to the schema. It may be called by several processes at once; it refuses a database
// that has changes this program does not know.
func (d *DB) Migrate(ctx context.Context, schema Schema) error {
	err := d.writer.WithContext(ctx).Connection(func(conn *gorm.DB) error {
		if conn.Name() == "mysql" {
			release, err := lockMigrations(conn, schema.Service)
			if err != nil {
				return err
			}
			defer release()
			conn = conn.Set("gorm:table_options", "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin")
		}
		migration := gormigrate.New(conn, &gormigrate.Options{
			TableName:                 schema.Service + "_migrations",
			IDColumnName:              "id",
			IDColumnSize:              100,
			UseTransaction:            true, // SQLite alone has these for tables; on MySQL each step may be repeated
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

// lockMigrations lets one process at a time migrate a service's tables; the lock belongs to the connection.
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
	// The lock falls anyway when the connection closes.
	return func() { conn.Exec("DO RELEASE_LOCK(LEFT(?, 64))", name) }, nil
}
