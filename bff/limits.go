package bff

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"minidouyin/graph"
	"minidouyin/idl/codes"
)

// The limits of what an operation may ask for. The graph joins without end (a video has an author, who has videos), so
// a few words can ask for more than any machine holds: the answer is measured before anything is loaded.
const (
	maxRootFields = 20      // fields of the query or mutation itself, each of which makes calls of its own
	maxFields     = 2000    // fields with all fragments written out: fragments within fragments multiply
	maxValues     = 100_000 // values in the answer if all pages are full: lists within lists multiply
)

// answerLimit refuses an operation that asks for more than the limits allow.
type answerLimit struct{}

var (
	_ graphql.HandlerExtension        = answerLimit{}
	_ graphql.OperationContextMutator = answerLimit{}
)

// ExtensionName names the extension.
func (answerLimit) ExtensionName() string { return "AnswerLimit" }

// Validate accepts every schema.
func (answerLimit) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext changes nothing; it refuses what is over a limit.
func (answerLimit) MutateOperationContext(ctx context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	m := measure{variables: operation.Variables, pageSize: graph.PageSizeOf(ctx)}
	m.add(operation.Operation.SelectionSet, 0, 1)
	switch {
	case m.rootFields > maxRootFields:
		return tooMuch("an operation has at most %d root fields", maxRootFields)
	case m.fields > maxFields:
		return tooMuch("an operation selects at most %d fields", maxFields)
	case m.values > maxValues:
		return tooMuch("an operation asks for at most %d values; ask for smaller pages or fewer levels", maxValues)
	}
	return nil
}

func tooMuch(format string, limit int) *gqlerror.Error {
	return gqlerror.Wrap(codes.Errorf(codes.InvalidArgument, format, limit))
}

// measure adds up what a selection asks for.
type measure struct {
	variables                  map[string]any
	pageSize                   graph.PageSize
	rootFields, fields, values int
}

// add adds a selection that stands in the answer this many times. It ends early once a limit is passed. Fragments
// count as fields, so that empty ones within each other come to an end.
func (m *measure) add(set ast.SelectionSet, depth, times int) {
	for _, selected := range set {
		if m.fields++; m.fields > maxFields || m.values > maxValues {
			return
		}
		switch selected := selected.(type) {
		case *ast.Field:
			if depth == 0 {
				m.rootFields++
			}
			m.values += times
			m.add(selected.SelectionSet, depth+1, times*m.items(selected))
		case *ast.InlineFragment:
			m.add(selected.SelectionSet, depth, times)
		case *ast.FragmentSpread:
			m.add(selected.Definition.SelectionSet, depth, times)
		}
	}
}

// items returns how many objects a field stands for: the size of its page, 1 where it is no list.
func (m *measure) items(field *ast.Field) int {
	if field.Definition == nil {
		return 1
	}
	for name, size := range map[string]int{"first": m.pageSize.Default, "last": graph.ConversationPage} {
		if field.Definition.Arguments.ForName(name) == nil {
			continue
		}
		if given := field.ArgumentMap(m.variables)[name]; given != nil {
			n, err := graphql.UnmarshalInt(given)
			if err != nil || n < 1 || n > m.pageSize.Max {
				return 1 // is refused when the page is asked for
			}
			return n
		}
		return size
	}
	return 1
}
