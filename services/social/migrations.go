package social

import (
	"github.com/go-gormigrate/gormigrate/v2"
	"gorm.io/gorm"

	"minidouyin/services/internal/database"
)

// schema creates an empty database from the models; their tags are its only definition. A release that changes a model
// appends a migration to Changes, in plain SQL or with frozen types of its own, so that it always does the same to an
// old database.
var schema = database.Schema{
	Service: "social",
	Models:  []any{&follow{}, &relationStats{}, &message{}, &conversation{}},
	Changes: []*gormigrate.Migration{{
		ID: "1 index of messages by receiver",
		Migrate: func(tx *gorm.DB) error {
			if tx.Migrator().HasIndex("messages", "messages_to") { // MySQL commits the index before the record of the migration
				return nil
			}
			return tx.Exec("CREATE INDEX messages_to ON messages (to_id, created_at, id)").Error
		},
	}},
}
