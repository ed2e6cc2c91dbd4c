package compat

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// A shape turns a value in the data of a GraphQL response into the JSON of the answer, as the selection and the
// schema's types say:
//   - a field whose key begins with _ has no name in the answer: the fields of an object stand on the level of its
//     parent, and a single value is left out;
//   - null is never written, but the zero value of the type: 0, "", false, [], or an object of such;
//   - an enum is written as its position in the schema; all else as it is, to the digit.
type shape struct {
	zero string // the JSON in place of null

	object     bool
	fields     []field
	zeroFields string // the fields of an object when it is null, each with a comma before

	element *shape   // of a list
	enum    []string // JSON strings
}

// A field of an object.
type field struct {
	key  string // in the data
	text string // the key in the answer with all that stands around it; "" for the object that is spliced in
	*shape
}

var zeroScalars = map[string]string{
	"ID": `""`, "String": `""`, "Boolean": "false", "Int": "0", "Float": "0", "Int64": "0", "Timestamp": "0",
}

// shapeOf compiles the shape of a value of this type, with the selection of its fields.
func shapeOf(schema *ast.Schema, typ *ast.Type, selection ast.SelectionSet, at *ast.Position) (*shape, error) {
	if typ.Elem != nil {
		element, err := shapeOf(schema, typ.Elem, selection, at)
		if err != nil {
			return nil, err
		}
		return &shape{zero: "[]", element: element}, nil
	}
	definition := schema.Types[typ.NamedType]
	switch definition.Kind {
	case ast.Object:
		return shapeOfObject(schema, selection, at)
	case ast.Enum:
		enum := &shape{zero: "0"}
		for _, value := range definition.EnumValues {
			enum.enum = append(enum.enum, strconv.Quote(value.Name))
		}
		return enum, nil
	case ast.Scalar:
		if zero, known := zeroScalars[definition.Name]; known {
			return &shape{zero: zero}, nil
		}
	}
	return nil, gqlerror.ErrorPosf(at, "there is no rule to write a value of type %s", definition.Name)
}

func shapeOfObject(schema *ast.Schema, selection ast.SelectionSet, at *ast.Position) (*shape, error) {
	fields, err := fieldsOf(schema, selection)
	if err != nil {
		return nil, err
	}
	object := &shape{object: true, fields: fields}
	var zero strings.Builder
	for _, f := range fields {
		if f.text == "" {
			zero.WriteString(f.zeroFields)
		} else {
			zero.WriteString(f.text + f.zero)
		}
	}
	object.zeroFields = zero.String()
	object.zero = "{" + strings.TrimPrefix(object.zeroFields, ",") + "}"

	names := object.names()
	slices.Sort(names)
	if len(slices.Compact(slices.Clone(names))) < len(names) {
		return nil, gqlerror.ErrorPosf(at, "two fields of one object would have the same name in the answer")
	}
	return object, nil
}

// fieldsOf lists the fields of a selection in the order of the document, those of its fragments in place.
func fieldsOf(schema *ast.Schema, selection ast.SelectionSet) ([]field, error) {
	var fields []field
	for _, selected := range selection {
		var more []field
		var err error
		switch selected := selected.(type) {
		case *ast.Field:
			more, err = fieldOf(schema, selected)
		case *ast.FragmentSpread:
			more, err = fieldsOf(schema, selected.Definition.SelectionSet)
		case *ast.InlineFragment:
			more, err = fieldsOf(schema, selected.SelectionSet)
		}
		if err != nil {
			return nil, err
		}
		fields = append(fields, more...)
	}
	return fields, nil
}

// fieldOf returns the field, or none when it is left out of the answer.
func fieldOf(schema *ast.Schema, selected *ast.Field) ([]field, error) {
	compiled, err := shapeOf(schema, selected.Definition.Type, selected.SelectionSet, selected.Position)
	if err != nil {
		return nil, err
	}
	switch {
	case !strings.HasPrefix(selected.Alias, "_"):
		return []field{{key: selected.Alias, text: `,"` + selected.Alias + `":`, shape: compiled}}, nil
	case compiled.object:
		return []field{{key: selected.Alias, shape: compiled}}, nil
	case compiled.element != nil:
		return nil, gqlerror.ErrorPosf(selected.Position, "the list %s needs a name in the answer", selected.Name)
	default:
		return nil, nil
	}
}

// names lists the names that the object's fields have in the answer.
func (s *shape) names() []string {
	var names []string
	for _, f := range s.fields {
		if f.text == "" {
			names = append(names, f.names()...)
		} else {
			names = append(names, f.text)
		}
	}
	return names
}

// write returns the fields of the answer, each with a comma before; false when the data of the operation holds null
// where an object should be, which is how the graph says that there is none.
func (s *shape) write(data string) (string, bool) {
	values := s.values(data)
	for i, f := range s.fields {
		if f.object && isNull(values[i]) {
			return "", false
		}
	}
	return string(s.appendFields(make([]byte, 0, len(data)+len(data)/8), values)), true
}

// values returns the JSON of the object's fields in their order; "" for one that is not there.
func (s *shape) values(object string) []string {
	values := make([]string, len(s.fields))
	next := 0 // the executor writes them in the same order, but nothing here depends on it
	gjson.Parse(object).ForEach(func(key, value gjson.Result) bool {
		for range s.fields {
			at := next
			next = (next + 1) % len(s.fields)
			if s.fields[at].key == key.Str {
				values[at] = value.Raw
				break
			}
		}
		return true
	})
	return values
}

func (s *shape) appendFields(to []byte, values []string) []byte {
	for i, f := range s.fields {
		switch value := values[i]; {
		case f.text != "":
			to = f.appendValue(append(to, f.text...), value)
		case isNull(value):
			to = append(to, f.zeroFields...)
		default:
			to = f.appendFields(to, f.values(value))
		}
	}
	return to
}

func (s *shape) appendValue(to []byte, value string) []byte {
	switch {
	case isNull(value):
		return append(to, s.zero...)
	case s.object:
		start := len(to)
		to = s.appendFields(to, s.values(value))
		if len(to) == start {
			return append(to, "{}"...)
		}
		to[start] = '{' // in place of the first comma
		return append(to, '}')
	case s.element != nil:
		start := len(to)
		gjson.Parse(value).ForEach(func(_, element gjson.Result) bool {
			to = s.element.appendValue(append(to, ','), element.Raw)
			return true
		})
		if len(to) == start {
			return append(to, "[]"...)
		}
		to[start] = '['
		return append(to, ']')
	case s.enum != nil:
		return strconv.AppendInt(to, int64(max(0, slices.Index(s.enum, value))), 10)
	default:
		return append(to, value...)
	}
}

func isNull(value string) bool {
	return value == "" || value == "null"
}
