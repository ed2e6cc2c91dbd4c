package compat

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// variable is a variable of an operation. Its value is the parameter of the same name, parsed by its GraphQL type.
type variable struct {
	name, kind string
	required   bool
}

// parseFunc parses the text of a parameter. value is nil if the text counts as absent. must is "" if the text is valid,
// else it describes the valid texts.
type parseFunc func(text string) (value any, must string)

var parsers = map[string]parseFunc{
	"ID":        parseID,
	"Int":       parseInt,
	"String":    parseString,
	"Timestamp": parseTimestamp,
	"Upload":    nil, // a file, not a text
}

func variablesOf(definition *ast.OperationDefinition) ([]variable, error) {
	var variables []variable
	for _, v := range definition.VariableDefinitions {
		if _, known := parsers[v.Type.Name()]; !known || v.Type.Elem != nil {
			return nil, gqlerror.ErrorPosf(v.Position, "there is no rule to read $%s of type %s", v.Variable, v.Type)
		}
		variables = append(variables, variable{name: v.Variable, kind: v.Type.Name(), required: v.Type.NonNull})
	}
	return variables, nil
}

// bind returns the values of the variables; absent ones are left out.
func (o *operation) bind(in *input) (map[string]any, error) {
	values := make(map[string]any, len(o.variables))
	for _, v := range o.variables {
		if v.kind == "Upload" {
			if file, sent := in.files[v.name]; sent {
				values[v.name] = file
			}
		} else if text := in.param(v.name); text != "" {
			value, must := parsers[v.kind](text)
			if must != "" {
				return nil, refuse(invalidArgument, v.name+" must be "+must)
			}
			if value != nil {
				values[v.name] = value
			}
		}
		if values[v.name] == nil && v.required {
			return nil, refuse(invalidArgument, v.name+" is required")
		}
	}
	return values, nil
}

// isFile reports whether the operation takes a file of this name.
func (o *operation) isFile(name string) bool {
	for _, v := range o.variables {
		if v.name == name && v.kind == "Upload" {
			return true
		}
	}
	return false
}

func parseID(text string) (any, string) {
	id, ok := parseInteger(text)
	if !ok || id < 1 {
		return nil, "a positive whole number"
	}
	return strconv.FormatInt(id, 10), ""
}

func parseInt(text string) (any, string) {
	number, ok := parseInteger(text)
	if !ok || number < math.MinInt32 || number > math.MaxInt32 {
		return nil, "a whole number of 32 bits"
	}
	return number, ""
}

func parseString(text string) (any, string) {
	if !utf8.ValidString(text) {
		return nil, "valid UTF-8"
	}
	return text, ""
}

const (
	// Smaller numbers are seconds. As milliseconds the bound is in 1973, as seconds in the year 5138.
	secondsBelow = 100_000_000_000
	// The end of the year 9999, the last one that databases can store.
	lastTimestamp = 253_402_300_799_999
)

// parseTimestamp parses milliseconds, or seconds if the number is small. 0 counts as absent. Later times than
// lastTimestamp become lastTimestamp.
func parseTimestamp(text string) (any, string) {
	ms, ok := parseInteger(text)
	if !ok || ms < 0 {
		return nil, "a time in milliseconds since 1970"
	}
	if ms < secondsBelow {
		ms *= 1000
	}
	if ms == 0 {
		return nil, ""
	}
	return json.Number(strconv.FormatInt(min(ms, lastTimestamp), 10)), ""
}

// decimal accepts a space as the sign of an exponent: it is a + that the client did not escape.
var decimal = regexp.MustCompile(`^([+-]?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+ -]?[0-9]+))?$`)

// parseInteger parses a decimal number, plain or with an exponent. ok is false if it is not an integer of 64 bits.
func parseInteger(text string) (n int64, ok bool) {
	if number, err := strconv.ParseInt(text, 10, 64); err == nil {
		return number, true
	}
	match := decimal.FindStringSubmatch(text)
	if match == nil {
		return 0, false
	}
	sign, whole, fraction, exponent := match[1], match[2], match[3], match[4]
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return 0, true
	}
	power := 0 // the number is digits × 10^power
	if exponent != "" {
		var err error
		if power, err = strconv.Atoi(strings.TrimPrefix(exponent, " ")); err != nil || power > math.MaxInt32 || power < math.MinInt32 {
			return 0, false
		}
	}
	power -= len(fraction)
	significant := strings.TrimRight(digits, "0")
	power += len(digits) - len(significant)
	if power < 0 || power > 18 {
		return 0, false
	}
	number, err := strconv.ParseInt(sign+significant+strings.Repeat("0", power), 10, 64)
	return number, err == nil
}
