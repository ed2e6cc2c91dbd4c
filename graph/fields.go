package graph

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"minidouyin/graph/model"
)

// row is a field of the object type T, and what has to be loaded before the field can be read.
type row[T any] struct {
	field string
	load  *load[T] // nil = nothing: the field is a member of the object
}

// load loads one part of objects. Fields that need the same part share the pointer, so the part is loaded once.
type load[T any] struct {
	// run collects the keys of the part. selected are the selected fields that need it.
	run func(w *walk, ctx context.Context, objects []T, selected []graphql.CollectedField)
}

// objectType is an object type with its table of fields.
type objectType[T any] struct {
	name  string
	loads []*load[T] // without nil, each once, in the order of the rows
	rows  map[string]*load[T]
}

// fields is the table of the fields of all object types. Its rows are in *.fields.go, beside the schema: a new field of
// the schema is a new row there. A type is a member here if the walk loads parts of its objects.
type fields struct {
	// basics
	user           objectType[*model.User]
	video          objectType[*model.Video]
	session        objectType[*model.SessionPayload]
	updateProfile  objectType[*model.UpdateProfilePayload]
	publishVideo   objectType[*model.PublishVideoPayload]
	updateVideo    objectType[*model.UpdateVideoPayload]
	videoPublished objectType[*model.VideoPublishedPayload]

	// interaction
	comment           objectType[*model.Comment]
	likeVideo         objectType[*model.LikeVideoPayload]
	unlikeVideo       objectType[*model.UnlikeVideoPayload]
	createComment     objectType[*model.CreateCommentPayload]
	deleteComment     objectType[*model.DeleteCommentPayload]
	videoStatsChanged objectType[*model.VideoStatsChangedPayload]

	// social
	follow          objectType[*model.FollowPayload]
	unfollow        objectType[*model.UnfollowPayload]
	messageReceived objectType[*model.MessageReceivedPayload]

	videoStats, videoComments *load[*model.Video]

	all []definedField
}

// definedField is a row as check needs it.
type definedField struct {
	place   string // Type.field
	problem string // "" = none
}

// newFields returns the table.
func newFields() *fields {
	f := &fields{}
	f.addBasics()
	f.addInteraction()
	f.addSocial()
	return f
}

// define adds rows to an object type.
func define[T any](f *fields, typ *objectType[T], name string, rows []row[T]) {
	typ.name = name
	if typ.rows == nil {
		typ.rows = map[string]*load[T]{}
	}
	for _, r := range rows {
		defined := definedField{place: name + "." + r.field}
		if _, twice := typ.rows[r.field]; twice {
			defined.problem = "has two rows"
		} else if r.load != nil && r.load.run == nil {
			defined.problem = "needs a load that no loader serves"
		}
		f.all = append(f.all, defined)
		typ.rows[r.field] = r.load
		if r.load != nil && !slices.Contains(typ.loads, r.load) {
			typ.loads = append(typ.loads, r.load)
		}
	}
}

// defineMembers adds an object type whose fields are all members: nothing is loaded for its objects.
func defineMembers(f *fields, name string, names ...string) {
	for _, field := range names {
		f.all = append(f.all, definedField{place: name + "." + field})
	}
}

// defineConnection adds the type of a page and that of its edges. A page is loaded with its items.
func defineConnection(f *fields, item string) {
	defineMembers(f, item+"Connection", "edges", "nodes", "pageInfo")
	defineMembers(f, item+"Edge", "cursor", "node")
}

// selectedLoad is a load with the selected fields that need it.
type selectedLoad[T any] struct {
	load   *load[T]
	fields []graphql.CollectedField
}

// selected returns the loads that a selection needs, in the order of the table.
func (t *objectType[T]) selected(ctx context.Context, sel selection) []selectedLoad[T] {
	var out []selectedLoad[T]
	collected := sel.fields(ctx, t.name)
	for _, load := range t.loads {
		var fields []graphql.CollectedField
		for _, f := range collected {
			if t.rows[f.Name] == load {
				fields = append(fields, f)
			}
		}
		if len(fields) > 0 {
			out = append(out, selectedLoad[T]{load, fields})
		}
	}
	return out
}

// needs reports whether a selection needs a load.
func (t *objectType[T]) needs(ctx context.Context, sel selection, load *load[T]) bool {
	return slices.ContainsFunc(t.selected(ctx, sel), func(s selectedLoad[T]) bool { return s.load == load })
}

// check compares the table with the schema. Its error names each field of an object type without a row, each row
// without a field, and each load that no loader serves. Root fields have resolvers instead of rows.
func (f *fields) check(schema *ast.Schema) error {
	var problems []string
	rows := map[string]bool{}
	for _, defined := range f.all {
		rows[defined.place] = true
		typ, name, _ := strings.Cut(defined.place, ".")
		if definition := schema.Types[typ]; definition == nil || definition.Fields.ForName(name) == nil {
			defined.problem = "has a row, but is not in the schema"
		}
		if defined.problem != "" {
			problems = append(problems, defined.place+" "+defined.problem)
		}
	}
	for _, definition := range schema.Types {
		isRoot := definition == schema.Query || definition == schema.Mutation || definition == schema.Subscription
		if definition.Kind != ast.Object || definition.BuiltIn || isRoot {
			continue
		}
		for _, field := range definition.Fields {
			if place := definition.Name + "." + field.Name; !rows[place] {
				problems = append(problems, place+" has no row")
			}
		}
	}
	if len(problems) == 0 {
		return nil
	}
	slices.Sort(problems)
	return fmt.Errorf("table of fields: %s", strings.Join(problems, ", "))
}
