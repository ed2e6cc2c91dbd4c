// Package model holds the object types of the graph.
//
// A type that belongs to one service embeds that service's Thrift struct, so its own columns need no code. Parts that
// need another call are [Joined] members and [Pages]. The graph loads them before the object is resolved, so resolving
// a field makes no call.
package model

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"minidouyin/idl/codes"
)

// errNotLoaded is the internal error of a field that was selected but not loaded.
var errNotLoaded = errors.New("field was selected but not loaded")

// Joined is a part of an object that a call of its own loads, or the error of that call. An error makes the fields of
// this part null; the rest of the object stays. The zero value is not loaded.
type Joined[T any] struct {
	value  T
	err    error
	loaded bool
}

// Loaded returns a part that was loaded. A nil object means that there is no object with the id.
func Loaded[T any](value T) Joined[T] { return Joined[T]{value: value, loaded: true} }

// Failed returns a part whose call failed.
func Failed[T any](err error) Joined[T] { return Joined[T]{err: err, loaded: true} }

// Get returns the value, the error of its call, or an internal error if it was never loaded.
func (j Joined[T]) Get() (T, error) {
	if !j.loaded {
		return j.value, errNotLoaded
	}
	return j.value, j.err
}

// PageArgs are the arguments of a list field, in comparable form.
type PageArgs struct {
	First int    // -1 = not given, -2 = negative
	After string // "" = not given
}

// Args returns the page arguments of a resolver.
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

// Pages holds the loaded pages of one list field of one object. The zero value has none.
type Pages[T any] struct {
	pages map[PageArgs]Joined[*Connection[T]]
}

// Set stores a page.
func (p *Pages[T]) Set(args PageArgs, page Joined[*Connection[T]]) {
	if p.pages == nil {
		p.pages = map[PageArgs]Joined[*Connection[T]]{}
	}
	p.pages[args] = page
}

// Get returns a page, the error of its call or of one of its items, or an internal error if it was never loaded.
func (p *Pages[T]) Get(first *int, after *string) (*Connection[T], error) {
	args := Args(first, after)
	page, err := p.pages[args].Get()
	switch {
	case errors.Is(err, errNotLoaded):
		return nil, fmt.Errorf("page %+v: %w", args, err)
	case err != nil:
		return nil, err
	case page.err != nil:
		return nil, page.err
	}
	return page, nil
}

// MarshalTimestamp encodes milliseconds since 1970 UTC as a number.
func MarshalTimestamp(ms int64) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.FormatInt(ms, 10)) })
}

var errTimestamp = codes.Errorf(codes.InvalidArgument, "a Timestamp is a number of milliseconds since 1970")

// UnmarshalTimestamp decodes milliseconds since 1970 UTC. Text, negative numbers and fractions are InvalidArgument.
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

// MarshalUpload encodes null: an Upload is an input only.
func MarshalUpload(graphql.Upload) graphql.Marshaler { return graphql.Null }

// UnmarshalUpload decodes a file of a multipart request. Any other value is InvalidArgument.
func UnmarshalUpload(v any) (graphql.Upload, error) {
	upload, ok := v.(graphql.Upload)
	if !ok {
		return upload, codes.Errorf(codes.InvalidArgument, "a file is sent as the GraphQL multipart request specification describes")
	}
	return upload, nil
}
