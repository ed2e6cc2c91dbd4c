package graph

import (
	"context"
	"time"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
)

// reservation is how long storing files and writing the row that refers to them may take together.
const reservation = time.Hour

// store stores staged files and then has write create the row that refers to them. The files are written down as
// removals first, and the row strikes these out: after a crash, or when it is not known whether the row was written,
// what is not referred to falls due and is removed.
func (r *Resolver) store(ctx context.Context, staged []StagedFiles, write func() error) error {
	var keys []string
	for _, files := range staged {
		keys = append(keys, files.Keys()...)
	}
	if len(keys) > 0 {
		_, err := r.Basics.ReserveFiles(ctx, &basics.ReserveFilesRequest{Keys: keys, TTLMs: reservation.Milliseconds()})
		if err != nil {
			return err
		}
	}
	for _, files := range staged {
		if err := files.Commit(ctx); err != nil {
			return err
		}
	}
	err := write()
	if code := codes.Of(err); code != codes.OK && code != codes.Internal && code != codes.UpstreamUnavailable {
		for _, key := range keys { // refused for certain: no need to wait for the removal
			_ = r.Media.Remove(ctx, key) // what fails now is tried again when the removal falls due
		}
	}
	return err
}
