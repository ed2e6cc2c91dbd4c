package guard

import (
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

const (
	costKey           = "cost" // of the statistics of an operation
	introspectionCost = 100    // of __schema and of __type
)

// price is what an operation may return at most.
type price struct {
	items int // one for each root field, and for each list those of a page, times the items of the lists around it
	bytes int // of the response: names are counted, values estimated
}

// priceOf returns the price of an operation. Without the argument first or last, a list has as many items as pageSize
// returns for it.
func priceOf(operation *graphql.OperationContext, pageSize func(argument string) int) price {
	total := pricer{pageSize, operation.Variables}.selection(operation.Operation.SelectionSet, 1, 1)
	total.items += len(operation.Operation.SelectionSet)
	return total
}

// CostOf returns the cost of an operation, in items.
func CostOf(operation *graphql.OperationContext) int {
	cost, _ := operation.Stats.GetExtension(costKey).(int)
	return cost
}

type pricer struct {
	pageSize  func(argument string) int
	variables map[string]any
}

// selection returns the price of a selection of so many objects. Lists directly below have page items.
func (p pricer) selection(set ast.SelectionSet, objects, page int) (total price) {
	for _, selected := range set {
		switch selected := selected.(type) {
		case *ast.Field:
			total.add(p.field(selected, objects, page))
		case *ast.InlineFragment:
			total.add(p.selection(selected.SelectionSet, objects, page))
		case *ast.FragmentSpread:
			total.add(p.selection(selected.Definition.SelectionSet, objects, page))
		}
	}
	return total
}

func (t *price) add(other price) {
	t.items = min(t.items+other.items, hugeSize)
	t.bytes = min(t.bytes+other.bytes, hugeSize)
}

func (p pricer) field(field *ast.Field, objects, page int) (total price) {
	switch {
	case field.Name == "__schema" || field.Name == "__type":
		return price{items: introspectionCost}
	case field.Definition == nil: // __typename
		return price{bytes: objects * (len(field.Alias) + valueBytes["String"])}
	}
	below := 1
	for _, name := range []string{"first", "last"} {
		if field.Definition.Arguments.ForName(name) != nil { // the lists are those of the connection
			below = p.items(name, field.Arguments.ForName(name))
			total.items = min(objects*below, hugeSize)
			break
		}
	}
	if field.Definition.Type.Elem != nil {
		objects = min(objects*page, hugeSize)
	}
	total.bytes = objects * (len(field.Alias) + valueBytes[field.Definition.Type.Name()] + 6) // quotes, colon, comma, braces
	total.add(p.selection(field.SelectionSet, objects, below))
	return total
}

// valueBytes are the estimated sizes of values in a response; objects have fields of their own.
var valueBytes = map[string]int{"Boolean": 5, "Int": 6, "Int64": 16, "Timestamp": 13, "Float": 16, "ID": 24, "String": 100}

// items returns how many items an argument asks for.
func (p pricer) items(name string, argument *ast.Argument) int {
	if argument == nil {
		return p.pageSize(name)
	}
	value, err := argument.Value.Value(p.variables)
	if err != nil || value == nil {
		return p.pageSize(name)
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
		n = hugeSize // the resolver refuses it
	}
	return int(min(max(n, 0), hugeSize))
}
