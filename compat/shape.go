package compat

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// shape writes a value of a GraphQL response as the JSON of a REST response. It is compiled from the selection and the
// types of the schema:
//   - A field whose key starts with _ has no name in the REST response. The fields of an object are written into its
//     parent; a scalar is left out.
//   - null is written as the zero value of its type: 0, "", false, [], or an object of zero values.
//   - An enum value is written as its index in the schema. Other values are copied.
type shape struct {
	zero string // the JSON for null

	object     bool
	fields     []field
	zeroFields string // the fields of a null object, each after a comma

	element *shape   // of a list
	enum    []string // JSON strings
}

// field is a field of an object.
type field struct {
	key  string // in the GraphQL response
	text string // `,"key":` of the REST response; "" for an object that is written into its parent
	*shape
}

var zeroScalars = map[string]string{
	"ID": `""`, "String": `""`, "Boolean": "false", "Int": "0", "Float": "0", "Int64": "0", "Timestamp": "0",
}

// shapeOf compiles the shape of a value of this type and selection.
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

// fieldsOf returns the fields of a selection in the order of the document, fragments expanded.
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

// fieldOf returns the field, or none if it is left out of the REST response.
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

// names returns the names of the object's fields in the REST response.
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

// write returns the fields of the REST response, each after a comma. ok is false if a root field that is an object is
// null: the object does not exist.
func (s *shape) write(data string) (fields string, ok bool) {
	values := s.values(data)
	for i, f := range s.fields {
		if f.object && isNull(values[i]) {
			return "", false
		}
	}
	return string(s.appendFields(make([]byte, 0, len(data)+len(data)/8), values)), true
}

// values returns the JSON of each field of the object; "" if it is absent.
func (s *shape) values(object string) []string {
	values := make([]string, len(s.fields))
	next := 0 // the executor writes the fields in this order, so the first comparison usually matches
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
		to[start] = '{' // replaces the first comma
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
