package graph

import (
	"context"
	"errors"
	"testing"

	"github.com/cloudwego/kitex/client/callopt"
	"github.com/stretchr/testify/require"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/basics/basicsservice"
)

type reservingBasics struct{ basicsservice.Client }

func (reservingBasics) ReserveFiles(
	context.Context, *basics.ReserveFilesRequest, ...callopt.Option,
) (*basics.ReserveFilesResponse, error) {
	return &basics.ReserveFilesResponse{}, nil
}

type brokenMedia struct{ Media }

func (brokenMedia) Remove(context.Context, string) error { return errors.New("disk unavailable") }

type stagedFile string

func (f stagedFile) Keys() []string             { return []string{string(f)} }
func (stagedFile) Commit(context.Context) error { return nil }
func (stagedFile) Discard()                     {}

// A refused request gets its own error, also if removing the stored files fails.
func TestStoreRefused(t *testing.T) {
	r := &Resolver{Config: Config{Basics: reservingBasics{}, Media: brokenMedia{}}}
	err := r.store(t.Context(), []StagedFiles{stagedFile("pictures/a")}, func() error {
		return codes.Errorf(codes.AlreadyExists, "the name is taken")
	})
	require.Equal(t, codes.AlreadyExists, codes.Of(err), "%v", err)
}
