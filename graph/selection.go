package graph

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"minidouyin/graph/model"
	"minidouyin/idl/codes"
)

// selection is what an operation selects of objects of one type. It has several parts if the same objects are selected
// in several places, as in `nodes` and `edges { node }`.
type selection []ast.SelectionSet

// selected returns the selection of the root field that is being resolved.
func selected(ctx context.Context) selection {
	return selection{graphql.GetFieldContext(ctx).Field.Selections}
}

// below returns what is selected of the objects of fields.
func below(fields []graphql.CollectedField) selection {
	var out selection
	for _, f := range fields {
		out = append(out, f.Selections)
	}
	return out
}

// fields returns the fields selected of an object type. It applies fragments, @skip and @include.
func (s selection) fields(ctx context.Context, typ string) []graphql.CollectedField {
	satisfies := []string{typ, "Node"} // fragments on the interface apply too
	var out []graphql.CollectedField
	for _, set := range s {
		out = append(out, graphql.CollectFields(graphql.GetOperationContext(ctx), set, satisfies)...)
	}
	return out
}

// field returns what is selected below one field of an object type.
func (s selection) field(ctx context.Context, typ, name string) selection {
	fields := s.fields(ctx, typ)
	return below(slices.DeleteFunc(fields, func(f graphql.CollectedField) bool { return f.Name != name }))
}

// nodes returns what is selected of the items of a connection.
func (s selection) nodes(ctx context.Context, connection, edge string) selection {
	edges := s.field(ctx, connection, "edges")
	return append(s.field(ctx, connection, "nodes"), edges.field(ctx, edge, "node")...)
}

// pageField is one page that is selected of a list field, perhaps in several places.
type pageField struct {
	args  model.PageArgs
	pages pageRange
	err   error // of invalid arguments
	below selection
}

// pageFields returns the pages that are selected of a list field, in an order that depends on their arguments only.
func pageFields(ctx context.Context, selected []graphql.CollectedField) []*pageField {
	pages := map[model.PageArgs]*pageField{}
	for _, f := range selected {
		args, ok := argsOf(ctx, f)
		if !ok {
			continue
		}
		if pages[args] == nil {
			r, err := pageOf(ctx, args)
			pages[args] = &pageField{args: args, pages: r, err: err}
		}
		pages[args].below = append(pages[args].below, f.Selections)
	}
	return slices.SortedFunc(maps.Values(pages), func(a, b *pageField) int {
		return cmp.Or(cmp.Compare(a.args.First, b.args.First), cmp.Compare(a.args.After, b.args.After))
	})
}

// argsOf returns the arguments of a list field. ok is false if one has a wrong type: then gqlgen answers the field with
// that error and does not resolve it.
func argsOf(ctx context.Context, f graphql.CollectedField) (args model.PageArgs, ok bool) {
	given := f.ArgumentMap(graphql.GetOperationContext(ctx).Variables)
	var first *int
	var after *string
	if v := given["first"]; v != nil {
		n, err := graphql.UnmarshalInt(v)
		if err != nil {
			return args, false
		}
		first = &n
	}
	if v := given["after"]; v != nil {
		text, err := graphql.UnmarshalString(v)
		if err != nil {
			return args, false
		}
		after = &text
	}
	return model.Args(first, after), true
}

// ConversationPage is the number of messages of a conversation if `last` is absent.
const ConversationPage = 50

type pageSizeKey struct{}

// PageSize is the size of the pages of an operation.
type PageSize struct {
	Default int // if `first` is absent
	Max     int
}

// defaultPageSize is the documented size in the schema.
var defaultPageSize = PageSize{Default: 20, Max: 100}

// WithPageSize returns a context whose operations have other page sizes than the documented ones.
func WithPageSize(ctx context.Context, size PageSize) context.Context {
	return context.WithValue(ctx, pageSizeKey{}, size)
}

// PageSizeOf returns the size of the pages of an operation.
func PageSizeOf(ctx context.Context) PageSize {
	if size, ok := ctx.Value(pageSizeKey{}).(PageSize); ok {
		return size
	}
	return defaultPageSize
}

// PageSizeFor returns the number of items of a list if its argument, first or last, is absent.
func PageSizeFor(ctx context.Context, argument string) int {
	if argument == "last" {
		return ConversationPage
	}
	return PageSizeOf(ctx).Default
}

// pageOf returns the page that the arguments name. An invalid one is InvalidArgument.
func pageOf(ctx context.Context, args model.PageArgs) (pageRange, error) {
	size := PageSizeOf(ctx)
	p := pageRange{limit: int32(size.Default)}
	if args.First != -1 {
		if args.First < 1 || args.First > size.Max {
			return p, codes.Errorf(codes.InvalidArgument, "a page has 1 to %d items", size.Max)
		}
		p.limit = int32(args.First)
	}
	if args.After != "" {
		cursor, err := model.ParseCursor(args.After)
		if err != nil {
			return p, err
		}
		p.after = *cursor
	}
	return p, nil
}
