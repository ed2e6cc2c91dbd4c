package graph

import (
	"context"
	"time"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
)

// reservation bounds the time for storing files and writing the row that refers to them.
const reservation = time.Hour

// store stores staged files and then calls write, which creates the row that refers to them. Before that it schedules
// the removal of the files, and the transaction of the row cancels the removal. So files without a row are removed
// later: after a crash, or if it is unknown whether the row was written.
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
		for _, key := range keys { // the row was certainly not written: remove the files now
			_ = r.Media.Remove(ctx, key) // the scheduled removal retries it
		}
	}
	return err
}
