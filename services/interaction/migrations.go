package interaction

import (
	"strings"

	"github.com/go-gormigrate/gormigrate/v2"
	"gorm.io/gorm"

	"minidouyin/services/internal/database"
)

// schema creates an empty database from the models; their tags are its only definition. A release that changes a model
// appends a migration to Changes, in plain SQL or with frozen types of its own, so that it always does the same to an
// old database.
var schema = database.Schema{
	Service: "interaction",
	Models:  []any{&like{}, &comment{}, &videoStats{}, &userStats{}, &likeLog{}},
	Changes: []*gormigrate.Migration{
		{ID: "like versions", Migrate: addLikeVersions},
		// like_versions stays for instances of the previous release that still run.
		{ID: "like log", Migrate: func(tx *gorm.DB) error {
			return tx.Exec("CREATE TABLE IF NOT EXISTS like_log (id BIGINT NOT NULL PRIMARY KEY, reserved BIGINT NOT NULL)").Error
		}},
	},
}

// addLikeVersions keeps unliked rows as tombstones. Each step checks whether it is already done: on MySQL an
// interrupted migration runs again.
func addLikeVersions(tx *gorm.DB) error {
	for _, column := range []string{"liked SMALLINT NOT NULL DEFAULT 1", "version BIGINT NOT NULL DEFAULT 0", "delta SMALLINT NOT NULL DEFAULT 0"} {
		name, _, _ := strings.Cut(column, " ")
		if tx.Migrator().HasColumn("likes", name) {
			continue
		}
		if err := tx.Exec("ALTER TABLE likes ADD COLUMN " + column).Error; err != nil {
			return err
		}
	}
	if !tx.Migrator().HasIndex("likes", "likes_user_liked") {
		if err := tx.Exec("CREATE INDEX likes_user_liked ON likes (user_id, liked, created_at, id)").Error; err != nil {
			return err
		}
	}
	if tx.Migrator().HasIndex("likes", "likes_user") {
		if err := tx.Migrator().DropIndex("likes", "likes_user"); err != nil {
			return err
		}
	}
	return tx.Exec("CREATE TABLE IF NOT EXISTS like_versions (id BIGINT NOT NULL PRIMARY KEY, reserved BIGINT NOT NULL)").Error
}
