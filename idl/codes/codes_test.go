package codes_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/stretchr/testify/require"

	"minidouyin/idl/codes"
)

// The code and the text that a client may see follow from the error alone, however it was wrapped.
func TestOfAndMessage(t *testing.T) {
	for _, c := range []struct {
		name    string
		err     error
		code    codes.Code
		message string
	}{
		{"none", nil, codes.OK, ""},
		{"coded", codes.Errorf(codes.NotFound, "there is no video %d", 7), codes.NotFound, "there is no video 7"},
		{"coded and wrapped", fmt.Errorf("load: %w", codes.Errorf(codes.TooLarge, "too large")), codes.TooLarge, "too large"},
		{"coded internal", codes.Errorf(codes.Internal, "table users"), codes.Internal, "internal error"},
		{"not coded", errors.New("dial tcp 10.0.0.1:3306"), codes.Internal, "internal error"},
		{"a code of a later version", kerrors.NewBizStatusError(4711, "?"), codes.Internal, "internal error"},
		{"no connection", kerrors.ErrGetConnection.WithCause(errors.New("refused")), codes.UpstreamUnavailable,
			"a part of the service is away, please try again"},
		{"time-out", kerrors.ErrRPCTimeout.WithCause(context.DeadlineExceeded), codes.UpstreamUnavailable,
			"a part of the service is away, please try again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.code, codes.Of(c.err))
			require.Equal(t, c.message, codes.Message(c.err))
		})
	}
	require.Equal(t, "INTERNAL", codes.Code(99).String())
	require.Equal(t, "NOT_FOUND", codes.NotFound.String())
}
