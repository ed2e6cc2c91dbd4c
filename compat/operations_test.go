package compat

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// A document whose variables or fields have no conversion is an error with its file and line.
func TestLoadOperations(t *testing.T) {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `
		scalar Point
		interface Node { id: ID! }
		type Cat implements Node { id: ID! name: String! lives: Int! weight: Float where: Point friends: [Cat!] }
		type Query { cat(id: ID, names: [String!], at: Point): Cat! node: Node }
	`})
	for name, test := range map[string]struct{ document, want string }{
		"no such field":     {`query A { cat { __typename _: friends2 } }`, `Cannot query field "friends2"`},
		"syntax":            {`query A {`, "Expected Name"},
		"no such fragment":  {`query A { cat { ...Dog } }`, `Unknown fragment "Dog"`},
		"unused fragment":   {`query A { cat { name } } fragment B on Cat { name }`, `Fragment "B" is never used`},
		"unused variable":   {`query A($id: ID) { cat { name } }`, `Variable "$id" is never used`},
		"list variable":     {`query A($names: [String!]) { cat(names: $names) { name } }`, "no rule to read $names of type [String!]"},
		"scalar variable":   {`query A($at: Point) { cat(at: $at) { name } }`, "no rule to read $at of type Point"},
		"scalar in answer":  {`query A { cat { where } }`, "no rule to write a value of type Point"},
		"interface":         {`query A { node { id } }`, "no rule to write a value of type Node"},
		"list without name": {`query A { cat { _: friends { name } } }`, "the list friends needs a name"},
		"same name twice":   {`query A { cat { name ...F } } fragment F on Cat { name }`, "the same name"},
		"same name spliced": {`query A { _a: cat { name } _b: cat { ... on Cat { name } } }`, "the same name"},
	} {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{"operations/some.graphql": {Data: []byte("\n" + test.document)}}
			_, _, err := loadOperations(files, schema)
			if err == nil || !strings.Contains(err.Error(), "operations/some.graphql:2:") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s in line 2", err, test.want)
			}
		})
	}
}

// The table and the documents name the same operations.
func TestLoadRoutes(t *testing.T) {
	operations := map[string]*operation{}
	for _, row := range table {
		operations[row.operation] = &operation{}
	}
	if _, err := loadRoutes(operations); err != nil {
		t.Error(err)
	}
	operations["Stray"] = &operation{}
	if _, err := loadRoutes(operations); err == nil || !strings.Contains(err.Error(), "Stray") {
		t.Errorf("an operation without a route: %v", err)
	}
	delete(operations, "Feed")
	if _, err := loadRoutes(operations); err == nil || !strings.Contains(err.Error(), "Feed") {
		t.Errorf("a route without its operation: %v", err)
	}
}

// The response is written by the rules of shape, whatever the order of the data and whatever is missing in it.
func TestShape(t *testing.T) {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `
		enum Mood { HAPPY SAD SLEEPY }
		type Cat { id: ID name: String lives: Int weight: Float tame: Boolean mood: Mood kittens: [Cat] moods: [Mood!] mother: Cat }
		type Query { cat: Cat }
	`})
	files := fstest.MapFS{"operations/a.graphql": {Data: []byte(`query A { cat {
		id name lives weight tame mood kittens { name _m: mother { lives } } moods mother { __typename } _: mother { motherName: name }
	} }`)}}
	_, operations, err := loadOperations(files, schema)
	if err != nil {
		t.Fatal(err)
	}
	const empty = `,"cat":{"id":"","name":"","lives":0,"weight":0,"tame":false,"mood":0,"kittens":[],"moods":[],"mother":{},"motherName":""}`
	if got := operations["A"].response.zeroFields; got != empty {
		t.Errorf("zero: got %s, want %s", got, empty)
	}
	for data, want := range map[string]string{
		`null`:                    "",
		`{"cat":null}`:            "",
		`{}`:                      "",
		`{"cat":{}}`:              empty,
		` {"cat" : { } } `:        empty,
		`{"cat":{"id":""}}`:       empty,
		`{"cat":{"mood":"LOST"}}`: empty,
		`{"cat":{"mood":"HAPPY","moods":null,"tame":false,"mother":null,"_":null,"unknown":[{}]}}`: empty,
		`{"cat":{"_":{"motherName":"M"},"moods":["SLEEPY","SAD","HAPPY"],"mother":{"__typename":"Cat"},` +
			`"kittens":[null,{"name":"\"],}<&\u4f60"},{"_m":{"lives":9223372036854775807},"name":"B"}],"mood":"SAD","weight":1.50}}`: `,"cat":{` +
			`"id":"","name":"","lives":0,"weight":1.50,"tame":false,"mood":1,"kittens":[{"name":"","lives":0},` +
			`{"name":"\"],}<&\u4f60","lives":0},{"name":"B","lives":9223372036854775807}],"moods":[2,1,0],"mother":{},"motherName":"M"}`,
	} {
		got, found := operations["A"].response.write(data)
		if got != want || found != (want != "") {
			t.Errorf("%s:\ngot  %s %v\nwant %s", data, got, found, want)
		}
	}
}
