package gqlserver

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"minidouyin/idl/codes"
)

// fieldLimit refuses an operation that selects more fields than this when its fragments are written out. Fragments
// within fragments multiply: a document of 2 KB can stand for millions of fields.
type fieldLimit int

var (
	_ graphql.HandlerExtension        = fieldLimit(0)
	_ graphql.OperationContextMutator = fieldLimit(0)
)

// ExtensionName names the extension.
func (fieldLimit) ExtensionName() string { return "FieldLimit" }

// Validate accepts every schema.
func (fieldLimit) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext changes nothing; it refuses what is over the limit.
func (l fieldLimit) MutateOperationContext(_ context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	if remaining(int(l), operation.Operation.SelectionSet) < 0 {
		return gqlerror.Wrap(codes.Errorf(codes.InvalidArgument, "an operation selects at most %d fields", l))
	}
	return nil
}

// remaining returns what is left of a number of fields after those of a selection, -1 as soon as it is exceeded.
// Fragments count too, so that empty ones within each other come to an end.
func remaining(left int, set ast.SelectionSet) int {
	for _, selected := range set {
		if left--; left < 0 {
			return -1
		}
		switch selected := selected.(type) {
		case *ast.Field:
			left = remaining(left, selected.SelectionSet)
		case *ast.InlineFragment:
			left = remaining(left, selected.SelectionSet)
		case *ast.FragmentSpread:
			left = remaining(left, selected.Definition.SelectionSet)
		}
	}
	return left
}
