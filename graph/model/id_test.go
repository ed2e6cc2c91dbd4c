package model

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/page"
)

// An argument of type ID is an opaque ID of the right type or a database ID, and nothing else.
func TestParseID(t *testing.T) {
	for _, c := range []struct {
		name, arg string
		id        int64
		code      codes.Code
	}{
		{"opaque id", GlobalID(TypeVideo, 7), 7, codes.OK},
		{"database id", "7", 7, codes.OK},
		{"largest database id", "9223372036854775807", 9223372036854775807, codes.OK},
		{"opaque id of another type", GlobalID(TypeUser, 7), 0, codes.InvalidArgument},
		{"zero", "0", 0, codes.NotFound},
		{"negative", "-7", 0, codes.NotFound},
		{"too large", "9223372036854775808", 0, codes.InvalidArgument},
		{"empty", "", 0, codes.InvalidArgument},
		{"text", "seven", 0, codes.InvalidArgument},
		{"fraction", "7.5", 0, codes.InvalidArgument},
	} {
		t.Run(c.name, func(t *testing.T) {
			id, err := ParseID(TypeVideo, c.arg)
			require.Equal(t, c.code, codes.Of(err))
			require.Equal(t, c.id, id)
		})
	}
}

// Any text is refused or is the ID of exactly one object.
func FuzzParseGlobalID(f *testing.F) {
	for _, seed := range []string{"", "VXNlcjo3", "VXNlcjowNw", GlobalID(TypeVideo, 1), "////", "VXNlcjotMQ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		typ, id, ok := ParseGlobalID(s)
		if ok && (id <= 0 || GlobalID(typ, id) != s) {
			t.Fatalf("%q was read as %s %d", s, typ, id)
		}
	})
}

// Any text is refused with a code or is a cursor that FormatCursor writes.
func FuzzParseCursor(f *testing.F) {
	for _, c := range []page.Cursor{{}, {CreatedAt: 1700000000000, ID: 42}, {CreatedAt: 1<<63 - 1, ID: 1<<63 - 1}} {
		f.Add(FormatCursor(c))
	}
	for _, seed := range []string{"", "MS4x", "MS4x ", "LTEuLTE", "!!!!", strconv.Itoa(1 << 40)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCursor(s)
		switch {
		case err != nil && codes.Of(err) != codes.InvalidArgument:
			t.Fatalf("%q: %v", s, err)
		case err == nil && (FormatCursor(*c) != s || c.CreatedAt < 0 || c.ID < 0):
			t.Fatalf("%q was read as %v", s, c)
		}
	})
}
