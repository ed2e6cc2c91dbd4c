package graph_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"minidouyin/graph"
)

// schema.graphql, which clients and their tools read, is the served schema.
func TestSchemaFile(t *testing.T) {
	var out bytes.Buffer
	formatter.NewFormatter(&out).FormatSchema(graph.NewSchema(graph.Config{}).Schema())
	file, err := os.ReadFile("schema.graphql")
	require.NoError(t, err)
	require.Equal(t, out.String(), string(file), "schema.graphql is not current: run make generate")
}

// The schema follows its rules.
func TestSchemaRules(t *testing.T) {
	require.Empty(t, lint(graph.NewSchema(graph.Config{}).Schema()))
}

// Each rule reports what breaks it.
func TestSchemaRulesFind(t *testing.T) {
	const page = `type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }`
	for _, c := range []struct{ sdl, problem string }{
		{`type Query { "x" a: Int }`, "Query: no description"},
		{`"x" type Query { a: Int }`, "Query.a: no description"},
		{`"x" type Query { "x" a(b: Int): Int }`, "Query.a(b): no description"},
		{`"x" type Query { "x" A: Int }`, "Query.A: not camelCase"},
		{`"x" type Query { "x" a("x" B_c: Int): Int }`, "Query.a(B_c): not camelCase"},
		{`"x" type Query { "x" a: user } "x" type user { "x" a: Int }`, "user: not PascalCase"},
		{`"x" type Query { "x" a: E } "x" enum E { "x" small }`, "E.small: not UPPER_CASE"},
		{`"x" type Query { "x" a: E } "x" enum E { BIG }`, "E.BIG: no description"},
		{`"x" type Query { "x" a: Int } "x" input AInput { a: Int }`, "AInput.a: no description"},
		{`"x" type Query { "x" a: Int } directive @d on FIELD`, "@d: no description"},
		{`"x" type Query { "x" a: Int @deprecated }`, "Query.a: deprecated without a reason"},
		{`"x" type Query { "x" a: Int } "x" type Mutation { "x" b("x" id: ID!): BPayload } "x" type BPayload { "x" a: Int }`, "Mutation.b: takes not just input: BInput!"},
		{`"x" type Query { "x" a: Int } "x" type Mutation { "x" b("x" input: BInput!): Int } "x" input BInput { "x" a: Int }`, "Mutation.b: answers Int, not BPayload!"},
		{`"x" type Query { "x" a("x" first: Int, "x" after: String): AConnection } "x" type AConnection { "x" nodes: [Int!]! }`, "AConnection: no edges: [AEdge!]!"},
		{`"x" type Query { "x" a: AConnection } "x" type AConnection { "x" nodes: [Int!]! }` + page, "Query.a: takes neither first and after nor last and before"},
		{`"x" type Query { "x" a: AEdge } "x" type AEdge { "x" node: Int! }`, "AEdge: no cursor: String!"},
		{`"x" type Query { "x" a: AEdge } "x" type AEdge { "x" cursor: String! "x" node: [Int] }`, "AEdge.node: a list"},
		{`"x" type Query { "x" a: PageInfo } "x" type PageInfo { "x" hasNextPage: Boolean }`, "PageInfo: no hasNextPage: Boolean!"},
	} {
		t.Run(c.problem, func(t *testing.T) {
			require.Contains(t, lint(gqlparser.MustLoadSchema(&ast.Source{Input: c.sdl})), c.problem)
		})
	}
}

var (
	pascal = regexp.MustCompile(`^([A-Z][a-z0-9]*)+$`)
	camel  = regexp.MustCompile(`^[a-z][a-zA-Z0-9]*$`)
	upper  = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

	// Both mutations return a session.
	payloads = map[string]string{"login": "SessionPayload!", "register": "SessionPayload!"}
	pageInfo = []string{"hasNextPage: Boolean!", "hasPreviousPage: Boolean!", "startCursor: String", "endCursor: String"}
)

// linter collects the broken rules.
type linter struct{ problems []string }

func lint(schema *ast.Schema) []string {
	l := &linter{}
	for name, directive := range schema.Directives {
		if directive.Position != nil && !directive.Position.Src.BuiltIn {
			l.named("@"+name, name, directive.Description, "camelCase", camel)
			l.arguments("@"+name, directive.Arguments)
		}
	}
	for _, definition := range schema.Types {
		if !definition.BuiltIn {
			l.definition(definition)
		}
	}
	return l.problems
}

func (l *linter) addf(format string, args ...any) {
	l.problems = append(l.problems, fmt.Sprintf(format, args...))
}

func (l *linter) named(place, name, description, style string, pattern *regexp.Regexp) {
	if !pattern.MatchString(name) {
		l.addf("%s: not %s", place, style)
	}
	if description == "" {
		l.addf("%s: no description", place)
	}
}

func (l *linter) definition(d *ast.Definition) {
	l.named(d.Name, d.Name, d.Description, "PascalCase", pascal)
	for _, value := range d.EnumValues {
		l.named(d.Name+"."+value.Name, value.Name, value.Description, "UPPER_CASE", upper)
		l.deprecated(d.Name+"."+value.Name, value.Directives)
	}
	for _, field := range d.Fields {
		place := d.Name + "." + field.Name
		if strings.HasPrefix(field.Name, "__") {
			continue
		}
		l.named(place, field.Name, field.Description, "camelCase", camel)
		l.deprecated(place, field.Directives)
		l.arguments(place, field.Arguments)
		if d.Name == "Mutation" {
			l.mutation(place, field)
		}
		if strings.HasSuffix(field.Type.Name(), "Connection") {
			l.pages(place, field)
		}
	}
	switch {
	case d.Name == "PageInfo":
		l.has(d, pageInfo...)
	case strings.HasSuffix(d.Name, "Connection"):
		l.has(d, "edges: ["+edgeOf(d)+"!]!", "pageInfo: PageInfo!", "nodes: ["+nodeOf(d)+"!]!")
	case strings.HasSuffix(d.Name, "Edge"):
		l.has(d, "cursor: String!")
		if node := d.Fields.ForName("node"); node == nil {
			l.addf("%s: no node", d.Name)
		} else if node.Type.Elem != nil {
			l.addf("%s.node: a list", d.Name)
		}
	}
}

// edgeOf returns the edge type of a connection: that of its field edges, else the one of the same name.
func edgeOf(connection *ast.Definition) string {
	if edges := connection.Fields.ForName("edges"); edges != nil && strings.HasSuffix(edges.Type.Name(), "Edge") {
		return edges.Type.Name()
	}
	return strings.TrimSuffix(connection.Name, "Connection") + "Edge"
}

func nodeOf(connection *ast.Definition) string { return strings.TrimSuffix(edgeOf(connection), "Edge") }

// has requires fields, written as "name: Type".
func (l *linter) has(d *ast.Definition, fields ...string) {
	for _, want := range fields {
		name, kind, _ := strings.Cut(want, ": ")
		if field := d.Fields.ForName(name); field == nil || field.Type.String() != kind {
			l.addf("%s: no %s", d.Name, want)
		}
	}
}

func (l *linter) arguments(place string, arguments ast.ArgumentDefinitionList) {
	for _, a := range arguments {
		place := place + "(" + a.Name + ")"
		l.named(place, a.Name, a.Description, "camelCase", camel)
		l.deprecated(place, a.Directives)
	}
}

func (l *linter) deprecated(place string, directives ast.DirectiveList) {
	if d := directives.ForName("deprecated"); d != nil {
		if reason := d.Arguments.ForName("reason"); reason == nil || reason.Value.Raw == "" {
			l.addf("%s: deprecated without a reason", place)
		}
	}
}

func (l *linter) mutation(place string, field *ast.FieldDefinition) {
	name := strings.ToUpper(field.Name[:1]) + field.Name[1:]
	input := field.Arguments.ForName("input")
	if len(field.Arguments) != 1 || input == nil || input.Type.String() != name+"Input!" {
		l.addf("%s: takes not just input: %sInput!", place, name)
	}
	want := name + "Payload!"
	if special, ok := payloads[field.Name]; ok {
		want = special
	}
	if field.Type.String() != want {
		l.addf("%s: answers %s, not %s", place, field.Type, want)
	}
}

// pages requires the arguments of a connection.
func (l *linter) pages(place string, field *ast.FieldDefinition) {
	takes := func(name, kind string) bool {
		a := field.Arguments.ForName(name)
		return a != nil && a.Type.String() == kind
	}
	forward, backward := takes("first", "Int") && takes("after", "String"), takes("last", "Int") && takes("before", "String")
	if !forward && !backward {
		l.addf("%s: takes neither first and after nor last and before", place)
	}
}
