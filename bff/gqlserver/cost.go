package gqlserver

import (
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

const (
	costKey           = "cost" // where the statistics of an operation hold it
	introspectionCost = 100    // of __schema and of __type
)

// costOf returns how many items an operation can ask for at most: one for each root field, and for each list as many
// as it has on a page, times those of the lists around it.
func costOf(limits Limits, operation *graphql.OperationContext) int {
	return pricer{limits.PageSize, operation.Variables}.selection(operation.Operation.SelectionSet, 1) +
		len(operation.Operation.SelectionSet)
}

// CostOf returns the cost of an operation that is being run, in items.
func CostOf(operation *graphql.OperationContext) int {
	cost, _ := operation.Stats.GetExtension(costKey).(int)
	return cost
}

type pricer struct {
	pageSize  int
	variables map[string]any
}

// selection returns the cost of a selection that is made of so many objects.
func (p pricer) selection(set ast.SelectionSet, objects int) (cost int) {
	for _, selected := range set {
		switch selected := selected.(type) {
		case *ast.Field:
			cost += p.field(selected, objects)
		case *ast.InlineFragment:
			cost += p.selection(selected.SelectionSet, objects)
		case *ast.FragmentSpread:
			cost += p.selection(selected.Definition.SelectionSet, objects)
		}
		cost = min(cost, hugeSize)
	}
	return cost
}

func (p pricer) field(field *ast.Field, objects int) (cost int) {
	switch {
	case field.Name == "__schema" || field.Name == "__type":
		return introspectionCost
	case field.Definition == nil: // __typename
		return 0
	}
	for _, name := range []string{"first", "last"} {
		if field.Definition.Arguments.ForName(name) != nil {
			objects = min(objects*p.items(field.Arguments.ForName(name)), hugeSize)
			cost = objects
			break
		}
	}
	return cost + p.selection(field.SelectionSet, objects)
}

// items returns how many items the argument asks for.
func (p pricer) items(argument *ast.Argument) int {
	if argument == nil {
		return p.pageSize
	}
	value, err := argument.Value.Value(p.variables)
	if err != nil || value == nil {
		return p.pageSize
	}
	var n int64
	switch value := value.(type) {
	case int:
		n = int64(value)
	case int64:
		n = value
	case json.Number:
		if n, err = value.Int64(); err != nil {
			n = hugeSize
		}
	default:
		n = hugeSize // the resolver will not take it
	}
	return int(min(max(n, 0), hugeSize))
}
