package social

import (
	"github.com/go-gormigrate/gormigrate/v2"
	"gorm.io/gorm"

	"minidouyin/services/internal/database"
)

// schema creates an empty database from the models, whose tags are the schema and the only place where it is
// written. A later release that changes a model appends the change here, in plain SQL or with frozen types of its
// own, so that it does the same to an old database for ever.
var schema = database.Schema{
	Service: "social",
	Models:  []any{&follow{}, &relationStats{}, &message{}, &conversation{}},
	Changes: []*gormigrate.Migration{{
		ID: "1 index of messages by receiver",
		Migrate: func(tx *gorm.DB) error {
			if tx.Migrator().HasIndex("messages", "messages_to") { // MySQL commits the index before it is known as done
				return nil
			}
			return tx.Exec("CREATE INDEX messages_to ON messages (to_id, created_at, id)").Error
		},
	}},
}
