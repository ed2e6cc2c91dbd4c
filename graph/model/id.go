package model

import (
	"encoding/base64"
	"strconv"
	"strings"

	"minidouyin/idl/codes"
)

// The types that have opaque IDs.
const (
	TypeUser    = "User"
	TypeVideo   = "Video"
	TypeComment = "Comment"
	TypeMessage = "Message"
)

// GlobalID returns the opaque ID of an object.
func GlobalID(typ string, id int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(typ + ":" + strconv.FormatInt(id, 10)))
}

// ParseGlobalID returns the type and database ID of an opaque ID; ok is false if s is not one.
func ParseGlobalID(s string) (typ string, id int64, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(raw) > 64 {
		return "", 0, false
	}
	typ, digits, found := strings.Cut(string(raw), ":")
	id, err = strconv.ParseInt(digits, 10, 64)
	if !found || err != nil || id <= 0 || GlobalID(typ, id) != s {
		return "", 0, false
	}
	return typ, id, true
}

// ParseID parses an argument of type ID that names an object of type typ: an opaque ID of that type, or a database ID
// in decimal digits. Anything else is InvalidArgument; a number below 1 is NotFound, because no object has it.
func ParseID(typ, s string) (int64, error) {
	if t, id, ok := ParseGlobalID(s); ok && t == typ {
		return id, nil
	}
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, codes.Errorf(codes.InvalidArgument, "this is not the id of a %s", strings.ToLower(typ))
	}
	if id < 1 {
		return 0, codes.Errorf(codes.NotFound, "there is no such %s", strings.ToLower(typ))
	}
	return id, nil
}
