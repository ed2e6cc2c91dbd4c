package basics

import (
	"github.com/go-gormigrate/gormigrate/v2"

	"minidouyin/services/internal/database"
)

// schema creates an empty database from the models; their tags are its only definition. A release that changes a model
// appends a migration to Changes, in plain SQL or with frozen types of its own, so that it always does the same to an
// old database.
var schema = database.Schema{
	Service: "basics",
	Models:  []any{&user{}, &video{}, &removal{}},
	Changes: []*gormigrate.Migration{},
}
