// Package codes holds the error codes that cross the wire.
//
// A service refuses with [Errorf]; the error travels as a kitex BizStatusError, and the caller reads its code with
// [Of]. The message of such an error is written for the person who sent the request: it names no table, address or
// cause. An error without a code is internal, and its text never leaves the process that met it.
package codes

import (
	"errors"
	"fmt"

	"github.com/cloudwego/kitex/pkg/kerrors"
)

// Code says what kind of error it is. Codes are part of the protocol: new ones are appended, none is renumbered.
type Code int32

// The codes, with what the caller can do about each.
const (
	OK                  Code = 0
	Internal            Code = 1 // our fault; the text says no more
	InvalidArgument     Code = 2 // correct the request
	Unauthenticated     Code = 3 // sign in
	PermissionDenied    Code = 4 // not yours to do
	NotFound            Code = 5 // the thing named is not there
	AlreadyExists       Code = 6 // choose another name
	TooLarge            Code = 7 // send less
	RateLimited         Code = 8 // send it later
	UpstreamUnavailable Code = 9 // a service is away; try again
)

var names = [...]string{
	OK:                  "OK",
	Internal:            "INTERNAL",
	InvalidArgument:     "INVALID_ARGUMENT",
	Unauthenticated:     "UNAUTHENTICATED",
	PermissionDenied:    "PERMISSION_DENIED",
	NotFound:            "NOT_FOUND",
	AlreadyExists:       "ALREADY_EXISTS",
	TooLarge:            "TOO_LARGE",
	RateLimited:         "RATE_LIMITED",
	UpstreamUnavailable: "UPSTREAM_UNAVAILABLE",
}

// String returns the name that clients see, such as NOT_FOUND; INTERNAL for a number that is no code.
func (c Code) String() string {
	if c < 0 || int(c) >= len(names) {
		return names[Internal]
	}
	return names[c]
}

// Errorf returns an error with a code and a message that is safe to show.
func Errorf(code Code, format string, args ...any) error {
	return kerrors.NewBizStatusError(int32(code), fmt.Sprintf(format, args...))
}

// Of returns the code of err: OK for nil, UpstreamUnavailable when the service could not be reached or did not
// answer in time, Internal for any other error without a code.
func Of(err error) Code {
	if err == nil {
		return OK
	}
	if biz, ok := kerrors.FromBizStatusError(err); ok {
		if code := Code(biz.BizStatusCode()); code > OK && int(code) < len(names) {
			return code
		}
		return Internal
	}
	for _, away := range []error{kerrors.ErrGetConnection, kerrors.ErrRPCTimeout, kerrors.ErrNoConnection,
		kerrors.ErrNoMoreInstance, kerrors.ErrServiceDiscovery, kerrors.ErrCircuitBreak, kerrors.ErrOverlimit,
		kerrors.ErrRemoteOrNetwork} {
		if errors.Is(err, away) {
			return UpstreamUnavailable
		}
	}
	return Internal
}

// Message returns the text of err that may be shown to a client: its own when it has a code, else a fixed one.
func Message(err error) string {
	if biz, ok := kerrors.FromBizStatusError(err); ok && Of(err) != Internal {
		return biz.BizMessage()
	}
	switch Of(err) {
	case OK:
		return ""
	case UpstreamUnavailable:
		return "a part of the service is away, please try again"
	default:
		return "internal error"
	}
}
