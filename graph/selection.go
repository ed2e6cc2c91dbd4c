package graph

import (
	"context"
	"maps"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"minidouyin/graph/model"
	"minidouyin/idl/codes"
)

// selection is what an operation selects of one kind of object. It has several parts when the same objects show in
// several places, as in `nodes` and `edges { node }`.
type selection []ast.SelectionSet

// selected returns the selection of the root field that is being resolved.
func selected(ctx context.Context) selection {
	return selection{graphql.GetFieldContext(ctx).Field.Selections}
}

// fields lists the fields selected of an object type; fragments, @skip and @include are followed.
func (s selection) fields(ctx context.Context, typ string) []graphql.CollectedField {
	// Fragments on an interface of the type count as well.
	satisfies := []string{typ, "Node"}
	var out []graphql.CollectedField
	for _, set := range s {
		out = append(out, graphql.CollectFields(graphql.GetOperationContext(ctx), set, satisfies)...)
	}
	return out
}

// field returns what is selected below one field of an object type. asked is false when that field is not selected.
func (s selection) field(ctx context.Context, typ, name string) (below selection, asked bool) {
	for _, f := range s.fields(ctx, typ) {
		if f.Name == name {
			below, asked = append(below, f.Selections), true
		}
	}
	return below, asked
}

// nodes returns what is selected of the items of a connection.
func (s selection) nodes(ctx context.Context, connection, edge string) selection {
	nodes, _ := s.field(ctx, connection, "nodes")
	edges, _ := s.field(ctx, connection, "edges")
	inEdges, _ := edges.field(ctx, edge, "node")
	return append(nodes, inEdges...)
}

// pageField is one page of a list field that is selected, perhaps in several places.
type pageField struct {
	args  model.PageArgs
	pages pageRange
	err   error // the arguments are wrong
	below selection
}

// pageFields collects the selected pages of a list field.
type pageFields map[model.PageArgs]*pageField

func (p pageFields) add(ctx context.Context, f graphql.CollectedField) {
	given := f.ArgumentMap(graphql.GetOperationContext(ctx).Variables)
	var first *int
	var after *string
	var wrong error
	if v, ok := given["first"]; ok && v != nil {
		n, err := graphql.UnmarshalInt(v)
		first, wrong = &n, err
	}
	if v, ok := given["after"]; ok && v != nil {
		text, err := graphql.UnmarshalString(v)
		after = &text
		if err != nil {
			wrong = err
		}
	}
	if wrong != nil {
		return // gqlgen refuses the field with the same error, and never asks for its page
	}
	args := model.Args(first, after)
	if p[args] == nil {
		pages, err := pageOf(ctx, args)
		p[args] = &pageField{args: args, pages: pages, err: err}
	}
	p[args].below = append(p[args].below, f.Selections)
}

// sorted returns the pages in a fixed order, so that the same operation makes the same calls.
func (p pageFields) sorted() []*pageField {
	return slices.SortedFunc(maps.Values(p), func(a, b *pageField) int {
		if a.args.First != b.args.First {
			return a.args.First - b.args.First
		}
		return slices.Compare([]byte(a.args.After), []byte(b.args.After))
	})
}

// ConversationPage is how many messages a conversation shows when `last` is not given.
const ConversationPage = 50

type pageSizeKey struct{}

// PageSize bounds the pages of an operation.
type PageSize struct {
	Default int // when `first` is not given
	Max     int
}

// defaultPageSize is what the schema's documentation says.
var defaultPageSize = PageSize{Default: 20, Max: 100}

// WithPageSize returns a context whose operations have other page sizes than the schema says.
func WithPageSize(ctx context.Context, size PageSize) context.Context {
	return context.WithValue(ctx, pageSizeKey{}, size)
}

// PageSizeOf returns the bounds of the pages of an operation.
func PageSizeOf(ctx context.Context) PageSize {
	if size, ok := ctx.Value(pageSizeKey{}).(PageSize); ok {
		return size
	}
	return defaultPageSize
}

// PageSizeFor returns how many items a list has when its argument, first or last, is left out.
func PageSizeFor(ctx context.Context, argument string) int {
	if argument == "last" {
		return ConversationPage
	}
	return PageSizeOf(ctx).Default
}

// pageOf checks the arguments of a page. A wrong one is InvalidArgument.
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
