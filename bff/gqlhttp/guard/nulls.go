package guard

import (
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// checkNulls refuses an operation with an explicit null where the schema takes none. Validation lets a nullable variable
// stand there when it or the argument has a default value, as the specification says (section 5.8.5); the null is then
// an error of its own. The messages are those of graphql-js.
func checkNulls(operation *graphql.OperationContext) *gqlerror.Error {
	c := nullChecker{variables: operation.Variables, nulls: map[string]bool{}, seen: map[*ast.FragmentDefinition]bool{}}
	for name, value := range operation.Variables {
		if value == nil {
			c.nulls[name] = true
		}
	}
	if len(c.nulls) == 0 {
		return nil
	}
	if err := c.directives(operation.Operation.Directives); err != nil {
		return err
	}
	return c.selection(operation.Operation.SelectionSet)
}

type nullChecker struct {
	variables map[string]any
	nulls     map[string]bool // variables that are null
	seen      map[*ast.FragmentDefinition]bool
}

// selection checks what is selected with the values of @skip and @include: arguments of other fields are not used.
func (c nullChecker) selection(set ast.SelectionSet) *gqlerror.Error {
	for _, selected := range set {
		var directives ast.DirectiveList
		var below ast.SelectionSet
		var field *ast.Field
		switch selected := selected.(type) {
		case *ast.Field:
			field, directives, below = selected, selected.Directives, selected.SelectionSet
		case *ast.InlineFragment:
			directives, below = selected.Directives, selected.SelectionSet
		case *ast.FragmentSpread:
			directives = selected.Directives
			if !c.seen[selected.Definition] {
				below = selected.Definition.SelectionSet
			}
		}
		if err := c.directives(directives); err != nil {
			return err
		}
		if !c.included(directives) {
			continue
		}
		if spread, ok := selected.(*ast.FragmentSpread); ok {
			c.seen[spread.Definition] = true
		}
		if field != nil && field.Definition != nil {
			if err := c.arguments(field.Definition.Arguments, field.Arguments); err != nil {
				return err
			}
		}
		if err := c.selection(below); err != nil {
			return err
		}
	}
	return nil
}

func (c nullChecker) directives(list ast.DirectiveList) *gqlerror.Error {
	for _, directive := range list {
		if directive.Definition == nil {
			continue
		}
		if err := c.arguments(directive.Definition.Arguments, directive.Arguments); err != nil {
			return err
		}
	}
	return nil
}

// included reports whether @skip and @include keep a selection.
func (c nullChecker) included(directives ast.DirectiveList) bool {
	for _, directive := range directives {
		if directive.Name != "skip" && directive.Name != "include" {
			continue
		}
		if argument := directive.Arguments.ForName("if"); argument != nil {
			value, err := argument.Value.Value(c.variables)
			if holds, ok := value.(bool); err == nil && ok && holds == (directive.Name == "skip") {
				return false
			}
		}
	}
	return true
}

func (c nullChecker) arguments(definitions ast.ArgumentDefinitionList, arguments ast.ArgumentList) *gqlerror.Error {
	for _, argument := range arguments {
		definition := definitions.ForName(argument.Name)
		if definition == nil || c.fits(argument.Value, definition.Type) {
			continue
		}
		err := gqlerror.ErrorPosf(argument.Value.Position, "Argument %q has invalid value %s.", argument.Name, literal(argument.Value))
		if argument.Value.Kind == ast.Variable {
			err = gqlerror.ErrorPosf(argument.Value.Position, "Argument %q of non-null type %q must not be null.", argument.Name, definition.Type)
		}
		errcode.Set(err, errcode.ValidationFailed)
		return err
	}
	return nil
}

// fits reports whether a value has no null where its type takes none.
func (c nullChecker) fits(value *ast.Value, as *ast.Type) bool {
	switch value.Kind {
	case ast.Variable:
		return !as.NonNull || !c.nulls[value.Raw]
	case ast.ListValue:
		if as.Elem == nil { // the value of a scalar
			return true
		}
		for _, item := range value.Children {
			if !c.fits(item.Value, as.Elem) {
				return false
			}
		}
	case ast.ObjectValue:
		if value.Definition == nil {
			return true
		}
		for _, child := range value.Children {
			if field := value.Definition.Fields.ForName(child.Name); field != nil && !c.fits(child.Value, field.Type) {
				return false
			}
		}
	}
	return true
}

// literal returns the text of a value as graphql-js prints it.
func literal(value *ast.Value) string {
	parts := make([]string, len(value.Children))
	switch value.Kind {
	case ast.ListValue:
		for i, item := range value.Children {
			parts[i] = literal(item.Value)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case ast.ObjectValue:
		for i, child := range value.Children {
			parts[i] = child.Name + ": " + literal(child.Value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return value.String()
}
