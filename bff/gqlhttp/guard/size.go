package guard

import (
	"github.com/vektah/gqlparser/v2/ast"

	"minidouyin/idl/codes"
)

// size is the size of a selection with its fragments expanded.
type size struct {
	nodes   int // fields and fragments
	depth   int // fields within fields
	aliases int
	roots   int // fields on the first level
	lists   int // lists of introspection within each other
}

// hugeSize is where counting stops: nested fragments multiply beyond what a number holds.
const hugeSize = 1 << 30

// introspectionLists are the fields of introspection that list more types.
var introspectionLists = map[string]bool{
	"types": true, "fields": true, "inputFields": true, "interfaces": true, "possibleTypes": true,
}

// measurer measures a document before validation, which is slow for large documents. It measures each fragment once,
// however often it is used.
type measurer struct {
	limits  Limits
	all     ast.FragmentDefinitionList
	known   map[*ast.FragmentDefinition]*size // nil while it is being measured
	written int                               // fields
}

// CheckDocument refuses a document that exceeds the limits. It checks every operation, also those that do not run:
// validation does not know which one does.
func CheckDocument(limits Limits, document *ast.QueryDocument) error {
	r := &measurer{limits: limits, all: document.Fragments, known: map[*ast.FragmentDefinition]*size{}}
	for _, operation := range document.Operations {
		s, err := r.selection(operation.SelectionSet)
		switch {
		case err != nil:
			return err
		case s.nodes > limits.Nodes:
			return errNodes(limits)
		case s.depth > limits.Depth:
			return refusef("fields are nested at most %d deep", limits.Depth)
		case s.aliases > limits.Aliases:
			return refusef("an operation has at most %d aliases", limits.Aliases)
		case s.roots > limits.RootFields:
			return refusef("an operation has at most %d fields on its first level", limits.RootFields)
		}
	}
	for _, fragment := range document.Fragments { // validation walks each of them, used or not
		s, err := r.fragment(fragment)
		if err != nil {
			return err
		}
		if s.nodes > limits.Nodes {
			return errNodes(limits)
		}
	}
	if r.written > limits.Fields {
		return refusef("a document has at most %d fields", limits.Fields)
	}
	return nil
}

func refusef(format string, args ...any) error {
	return codes.Errorf(codes.InvalidArgument, format, args...)
}

func errNodes(limits Limits) error {
	return refusef("an operation selects at most %d fields, fragments written out", limits.Nodes)
}

// selection returns the size of a selection.
func (r *measurer) selection(set ast.SelectionSet) (total size, err error) {
	for _, selected := range set {
		var s size
		switch selected := selected.(type) {
		case *ast.Field:
			s, err = r.field(selected)
		case *ast.InlineFragment:
			s, err = r.selection(selected.SelectionSet)
			s.nodes++
		case *ast.FragmentSpread:
			definition := r.all.ForName(selected.Name)
			if definition == nil { // validation compares each of them with each
				return total, refusef("there is no fragment %q", selected.Name)
			}
			s, err = r.fragment(definition)
			s.nodes++
		}
		if err != nil {
			return total, err
		}
		total.add(s)
	}
	return total, nil
}

// add adds the size of a sibling.
func (s *size) add(other size) {
	s.nodes = min(s.nodes+other.nodes, hugeSize)
	s.aliases = min(s.aliases+other.aliases, hugeSize)
	s.roots = min(s.roots+other.roots, hugeSize)
	s.depth = max(s.depth, other.depth)
	s.lists = max(s.lists, other.lists)
}

func (r *measurer) field(field *ast.Field) (size, error) {
	r.written++
	s, err := r.selection(field.SelectionSet)
	if err != nil {
		return s, err
	}
	if field.Name == "__schema" || field.Name == "__type" {
		switch { // its depth has a limit of its own: types are nested deeper than data
		case s.depth > r.limits.IntrospectionDepth || s.lists > r.limits.IntrospectionLists:
			return s, refusef("introspection is nested too deep")
		case s.aliases > 0:
			return s, refusef("introspection takes no aliases")
		}
		s.depth, s.lists = 0, 0
	}
	s.nodes++
	s.depth++
	s.roots = 1
	if field.Alias != field.Name {
		s.aliases++
	}
	if introspectionLists[field.Name] {
		s.lists++
	}
	return s, nil
}

func (r *measurer) fragment(definition *ast.FragmentDefinition) (size, error) {
	if s, known := r.known[definition]; known {
		if s == nil {
			return size{}, refusef("a fragment must not contain itself")
		}
		return *s, nil
	}
	r.known[definition] = nil
	s, err := r.selection(definition.SelectionSet)
	if err != nil {
		return s, err
	}
	r.known[definition] = &s
	return s, nil
}
