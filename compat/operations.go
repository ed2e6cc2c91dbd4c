package compat

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

//go:embed operations/*.graphql
var documents embed.FS

// operation is a compiled operation of the documents.
type operation struct {
	name      string
	variables []variable
	response  *shape
}

// route is the method and the operations of one path.
type route struct {
	method     string
	operations map[int64]*operation // by action_type; 0 where the route has none
}

// loadOperations loads all documents as one, so that they share fragments. It returns the text and the operations by
// name.
func loadOperations(documents fs.FS, schema *ast.Schema) (string, map[string]*operation, error) {
	files, err := fs.Glob(documents, "operations/*.graphql")
	if err != nil {
		return "", nil, fmt.Errorf("list documents: %w", err)
	}
	var query strings.Builder
	all := &ast.QueryDocument{}
	for _, file := range files {
		text, err := fs.ReadFile(documents, file)
		if err != nil {
			return "", nil, fmt.Errorf("read document: %w", err)
		}
		document, err := parser.ParseQuery(&ast.Source{Name: file, Input: string(text)})
		if err != nil {
			return "", nil, fmt.Errorf("parse document: %w", err)
		}
		all.Operations = append(all.Operations, document.Operations...)
		all.Fragments = append(all.Fragments, document.Fragments...)
		query.Write(text)
	}
	if errs := validator.ValidateWithRules(schema, all, rules.NewDefaultRules()); len(errs) > 0 {
		return "", nil, fmt.Errorf("validate document: %w", errs[0])
	}
	operations := make(map[string]*operation, len(all.Operations))
	for _, definition := range all.Operations {
		if operations[definition.Name], err = compile(schema, definition); err != nil {
			return "", nil, fmt.Errorf("compile document: %w", err)
		}
	}
	return query.String(), operations, nil
}

func compile(schema *ast.Schema, definition *ast.OperationDefinition) (*operation, error) {
	variables, err := variablesOf(definition)
	if err != nil {
		return nil, err
	}
	response, err := shapeOfObject(schema, definition.SelectionSet, definition.Position)
	if err != nil {
		return nil, err
	}
	return &operation{name: definition.Name, variables: variables, response: response}, nil
}

// loadRoutes joins the table with the operations. An operation that only one of them has is an error.
func loadRoutes(operations map[string]*operation) (map[string]*route, error) {
	routes, used := map[string]*route{}, map[string]bool{}
	for _, row := range table {
		op := operations[row.operation]
		if op == nil {
			return nil, fmt.Errorf("no document has the operation %s of %s", row.operation, row.path)
		}
		if routes[row.path] == nil {
			routes[row.path] = &route{method: row.method, operations: map[int64]*operation{}}
		}
		routes[row.path].operations[row.actionType] = op
		used[row.operation] = true
	}
	for name := range operations {
		if !used[name] {
			return nil, fmt.Errorf("no route has the operation %s", name)
		}
	}
	return routes, nil
}

// pick returns the operation of the request, which action_type selects if the route has several.
func (r *route) pick(in *input) (*operation, error) {
	if op := r.operations[0]; op != nil {
		return op, nil
	}
	if action, ok := parseInteger(in.param("action_type")); ok && r.operations[action] != nil {
		return r.operations[action], nil
	}
	var known []string
	for action := range r.operations {
		known = append(known, strconv.FormatInt(action, 10))
	}
	slices.Sort(known)
	return nil, refuse(invalidArgument, "action_type must be "+strings.Join(known, " or "))
}
