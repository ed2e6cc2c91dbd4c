package interaction

import (
	"github.com/go-gormigrate/gormigrate/v2"

	"minidouyin/services/internal/database"
)

// schema creates an empty database from the models, whose tags are the schema and the only place where it is
// written. A later release that changes a model appends the change here, in plain SQL or with frozen types of its
// own, so that it does the same to an old database for ever.
var schema = database.Schema{
	Service: "interaction",
	Models:  []any{&like{}, &comment{}, &videoStats{}, &userStats{}},
	Changes: []*gormigrate.Migration{},
}
