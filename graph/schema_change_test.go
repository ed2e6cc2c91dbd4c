package graph_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"minidouyin/graph"
)

const released = "testdata/released.graphql"

// The schema is compatible with the clients of the last release.
func TestSchemaBreaksNothing(t *testing.T) {
	text, err := os.ReadFile(released)
	require.NoError(t, err)
	before := gqlparser.MustLoadSchema(&ast.Source{Name: released, Input: string(text)})
	require.Empty(t, breaks(before, graph.NewSchema(graph.Config{}).Schema()),
		"this breaks clients of the last release. Deprecate instead; or, to break them on purpose and with each release: "+
			"cp graph/schema.graphql graph/%s", released)
}

// Every change that breaks a client is found, and no other.
func TestSchemaBreaksFound(t *testing.T) {
	const before = `type Query { a(b: Int): U e: E n: N i: String } union U = X | Y type X implements N { id: ID }
		type Y { y: Int s: Int! } enum E { ONE TWO } interface N { id: ID } input I { j: Int }
		directive @d(x: Int) on FIELD | QUERY`
	for _, c := range []struct{ name, after, problem string }{
		{"nothing", before, ""},
		{"more of everything", `type Query { a(b: Int, c: Int, d: Int! = 1): U e: E n: N i: String! new: Int } union U = X | Y | Z type X implements N { id: ID }
			type Y { y: Int s: Int! } type Z { z: Int } enum E { ONE TWO THREE } interface N { id: ID } input I { j: Int k: Int }
			directive @d(x: Int, y: Int) on FIELD | QUERY | MUTATION`, ""},
		{"type", edit(before, `input I { j: Int }`, ``), "I was removed"},
		{"kind", edit(before, `input I { j: Int }`, `type I { j: Int }`), "I changed from INPUT_OBJECT to OBJECT"},
		{"field", edit(before, `e: E n`, `n`), "Query.e was removed"},
		{"field's type", edit(before, `y: Int`, `y: String`), "Y.y changed from Int to String"},
		{"field becomes a list", edit(before, `i: String`, `i: [String]`), "Query.i changed from String to [String]"},
		{"field becomes nullable", edit(before, `s: Int!`, `s: Int`), "Y.s changed from Int! to Int"},
		{"argument", edit(before, `(b: Int)`, ``), "Query.a(b) was removed"},
		{"argument's type", edit(before, `b: Int`, `b: Int!`), "Query.a(b) changed from Int to Int!"},
		{"new required argument", edit(before, `b: Int`, `b: Int, c: Int!`), "Query.a(c) is new and required"},
		{"new required input field", edit(before, `j: Int`, `j: Int k: Int!`), "I.k is new and required"},
		{"input field's type", edit(before, `j: Int`, `j: Int!`), "I.j changed from Int to Int!"},
		{"enum value", edit(before, `ONE TWO`, `ONE`), "E.TWO was removed"},
		{"member of a union", edit(before, `X | Y`, `X`), "U is no longer Y"},
		{"interface", edit(before, `X implements N`, `X`), "X is no longer N"},
		{"directive", edit(before, `directive @d(x: Int) on FIELD | QUERY`, ``), "@d was removed"},
		{"place of a directive", edit(before, `FIELD | QUERY`, `FIELD`), "@d no longer stands on QUERY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := breaks(gqlparser.MustLoadSchema(&ast.Source{Input: before}), gqlparser.MustLoadSchema(&ast.Source{Input: c.after}))
			if c.problem == "" {
				require.Empty(t, found)
			} else {
				require.Equal(t, []string{c.problem}, found)
			}
		})
	}
}

// edit replaces a part of a schema.
func edit(sdl, old, replacement string) string { return strings.Replace(sdl, old, replacement, 1) }

// breaks lists the changes from before to after that break clients.
func breaks(before, after *ast.Schema) (problems []string) {
	for name, was := range before.Types {
		is := after.Types[name]
		switch {
		case is == nil:
			problems = append(problems, name+" was removed")
		case is.Kind != was.Kind:
			problems = append(problems, fmt.Sprintf("%s changed from %s to %s", name, was.Kind, is.Kind))
		default:
			problems = append(problems, breaksType(was, is)...)
		}
	}
	for name, was := range before.Directives {
		is := after.Directives[name]
		if is == nil {
			problems = append(problems, "@"+name+" was removed")
			continue
		}
		problems = append(problems, breaksArguments("@"+name, was.Arguments, is.Arguments)...)
		for _, place := range was.Locations {
			if !slices.Contains(is.Locations, place) {
				problems = append(problems, fmt.Sprintf("@%s no longer stands on %s", name, place))
			}
		}
	}
	slices.Sort(problems)
	return problems
}

func breaksType(was, is *ast.Definition) (problems []string) {
	input := was.Kind == ast.InputObject
	for _, field := range was.Fields {
		place, now := was.Name+"."+field.Name, is.Fields.ForName(field.Name)
		switch {
		case now == nil:
			problems = append(problems, place+" was removed")
		case input && !fits(field.Type, now.Type), !input && !fits(now.Type, field.Type):
			problems = append(problems, fmt.Sprintf("%s changed from %s to %s", place, field.Type, now.Type))
		default:
			problems = append(problems, breaksArguments(place, field.Arguments, now.Arguments)...)
		}
	}
	for _, field := range is.Fields {
		if input && field.Type.NonNull && field.DefaultValue == nil && was.Fields.ForName(field.Name) == nil {
			problems = append(problems, was.Name+"."+field.Name+" is new and required")
		}
	}
	for _, value := range was.EnumValues {
		if is.EnumValues.ForName(value.Name) == nil {
			problems = append(problems, was.Name+"."+value.Name+" was removed")
		}
	}
	for _, name := range was.Types {
		if !slices.Contains(is.Types, name) {
			problems = append(problems, was.Name+" is no longer "+name)
		}
	}
	for _, name := range was.Interfaces {
		if !slices.Contains(is.Interfaces, name) {
			problems = append(problems, was.Name+" is no longer "+name)
		}
	}
	return problems
}

func breaksArguments(place string, was, is ast.ArgumentDefinitionList) (problems []string) {
	for _, a := range was {
		now := is.ForName(a.Name)
		switch {
		case now == nil:
			problems = append(problems, fmt.Sprintf("%s(%s) was removed", place, a.Name))
		case !fits(a.Type, now.Type):
			problems = append(problems, fmt.Sprintf("%s(%s) changed from %s to %s", place, a.Name, a.Type, now.Type))
		}
	}
	for _, a := range is {
		if a.Type.NonNull && a.DefaultValue == nil && was.ForName(a.Name) == nil {
			problems = append(problems, fmt.Sprintf("%s(%s) is new and required", place, a.Name))
		}
	}
	return problems
}

// fits reports whether every value of type a is one of type b.
func fits(a, b *ast.Type) bool {
	if b.NonNull && !a.NonNull || (a.Elem == nil) != (b.Elem == nil) {
		return false
	}
	if a.Elem != nil {
		return fits(a.Elem, b.Elem)
	}
	return a.NamedType == b.NamedType
}
