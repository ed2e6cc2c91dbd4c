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

// A variable of an operation: the parameter of the same name, read as its GraphQL type says.
type variable struct {
	name, kind string
	required   bool
}

// A reading turns the text of a parameter into the value of a variable. The value is nil when the text counts as
// absent; the second result is what the text must be, or "" when it is that.
type reading func(text string) (value any, must string)

var readings = map[string]reading{
	"ID":        readID,
	"Int":       readInt,
	"String":    readString,
	"Timestamp": readTimestamp,
	"Upload":    nil, // no text but a file
}

func variablesOf(definition *ast.OperationDefinition) ([]variable, error) {
	var variables []variable
	for _, v := range definition.VariableDefinitions {
		if _, known := readings[v.Type.Name()]; !known || v.Type.Elem != nil {
			return nil, gqlerror.ErrorPosf(v.Position, "there is no rule to read $%s of type %s", v.Variable, v.Type)
		}
		variables = append(variables, variable{name: v.Variable, kind: v.Type.Name(), required: v.Type.NonNull})
	}
	return variables, nil
}

// bind returns the variables of the operation, without those that are absent.
func (o *operation) bind(in *input) (map[string]any, error) {
	values := make(map[string]any, len(o.variables))
	for _, v := range o.variables {
		if v.kind == "Upload" {
			if file, sent := in.files[v.name]; sent {
				values[v.name] = file
			}
		} else if text := in.param(v.name); text != "" {
			value, must := readings[v.kind](text)
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

// isFile tells whether the operation takes a file of this name.
func (o *operation) isFile(name string) bool {
	for _, v := range o.variables {
		if v.name == name && v.kind == "Upload" {
			return true
		}
	}
	return false
}

func readID(text string) (any, string) {
	id, ok := parseInteger(text)
	if !ok || id < 1 {
		return nil, "a positive whole number"
	}
	return strconv.FormatInt(id, 10), ""
}

func readInt(text string) (any, string) {
	number, ok := parseInteger(text)
	if !ok || number < math.MinInt32 || number > math.MaxInt32 {
		return nil, "a whole number of 32 bits"
	}
	return number, ""
}

func readString(text string) (any, string) {
	if !utf8.ValidString(text) {
		return nil, "valid UTF-8"
	}
	return text, ""
}

const (
	secondsBelow = 100_000_000_000 // as milliseconds this is in 1973, as seconds after the year 5000
	lastMoment   = 253_402_300_799_999
)

// readTimestamp reads milliseconds, or seconds when the number is small; 0 counts as absent. What lies beyond the year
// 9999 is as far in the future as that, and no database can hold it.
func readTimestamp(text string) (any, string) {
	moment, ok := parseInteger(text)
	if !ok || moment < 0 {
		return nil, "a time in milliseconds since 1970"
	}
	if moment < secondsBelow {
		moment *= 1000
	}
	if moment == 0 {
		return nil, ""
	}
	return json.Number(strconv.FormatInt(min(moment, lastMoment), 10)), ""
}

// decimal takes a space for the sign of an exponent: it is a + that the client did not escape.
var decimal = regexp.MustCompile(`^([+-]?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+ -]?[0-9]+))?$`)

// parseInteger reads a decimal number, plain or with an exponent; false when it is no whole number or does not fit
// into 64 bits.
func parseInteger(text string) (int64, bool) {
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
