// Package model holds the types that the graph shows.
//
// A type that belongs to one service embeds the struct that came over the wire, so its own columns need no code; what
// other services know of it is a [Joined] member that the graph fills before the object is resolved. Resolving a
// field therefore never makes a call.
package model

import (
	"fmt"
	"io"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"minidouyin/idl/codes"
)

// Joined is what another service knows of an object, or the error of asking it. A field whose service failed is null
// with an error beside it; the rest of the page stays.
type Joined[T any] struct {
	Value T
	Err   error
}

// Get returns the value or the error.
func (j Joined[T]) Get() (T, error) { return j.Value, j.Err }

// PageArgs are the arguments that name one page of a list field.
type PageArgs struct {
	First int    // -1 = not given, -2 = negative
	After string // "" = not given
}

// Args returns the page arguments of a resolver in comparable form.
func Args(first *int, after *string) PageArgs {
	args := PageArgs{First: -1}
	if first != nil {
		if args.First = *first; args.First < 0 {
			args.First = -2
		}
	}
	if after != nil {
		args.After = *after
	}
	return args
}

// Pages holds the loaded pages of one list field of one object.
type Pages[T any] map[PageArgs]Joined[*Connection[T]]

func (p Pages[T]) at(first *int, after *string) (*Connection[T], error) {
	page, ok := p[Args(first, after)]
	if !ok {
		return nil, fmt.Errorf("page %+v was selected but not loaded", Args(first, after))
	}
	if page.Err == nil && page.Value.err != nil {
		return nil, page.Value.err
	}
	return page.Get()
}

// MarshalTimestamp writes milliseconds since 1970 UTC as a number.
func MarshalTimestamp(ms int64) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.FormatInt(ms, 10)) })
}

var errTimestamp = codes.Errorf(codes.InvalidArgument, "a Timestamp is a number of milliseconds since 1970")

// UnmarshalTimestamp reads milliseconds since 1970 UTC. It refuses negative numbers and what is no whole number.
func UnmarshalTimestamp(v any) (int64, error) {
	if _, text := v.(string); text {
		return 0, errTimestamp
	}
	ms, err := graphql.UnmarshalInt64(v)
	if err != nil || ms < 0 {
		return 0, errTimestamp
	}
	return ms, nil
}

// MarshalUpload writes null: the graph shows files by their addresses alone.
func MarshalUpload(graphql.Upload) graphql.Marshaler { return graphql.Null }

// UnmarshalUpload returns a file of a multipart request; anything else in its place is InvalidArgument.
func UnmarshalUpload(v any) (graphql.Upload, error) {
	upload, ok := v.(graphql.Upload)
	if !ok {
		return upload, codes.Errorf(codes.InvalidArgument, "a file is sent as the GraphQL multipart request specification describes")
	}
	return upload, nil
}
