package bff

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"minidouyin/bff/media"
	"minidouyin/bff/rpc"
	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/social"
)

const (
	sweepInterval = time.Minute
	sweepBatch    = 100
)

// sweeper executes the removals that basics has stored: rows of deleted videos and users in the other services, and files
// that no row refers to. Each step is idempotent, so a crash only delays it.
type sweeper struct {
	services rpc.Services
	media    *media.Media
	log      *slog.Logger
	woken    chan struct{}
}

// wake starts a sweep: something was deleted.
func (s *sweeper) wake() {
	select {
	case s.woken <- struct{}{}:
	default: // it is awake
	}
}

// run sweeps at once, when woken, and every minute, until ctx ends.
func (s *sweeper) run(ctx context.Context) {
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		if err := s.sweep(ctx, false); err != nil && ctx.Err() == nil {
			s.log.Warn("sweep failed, retrying within a minute", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.woken:
		case <-ticker.C:
		}
	}
}

// sweep executes the removals that are due; with reserved, also those of files that a running publication may still
// need. A removal that fails is retried with the next sweep. If a service is unavailable, the sweep ends.
func (s *sweeper) sweep(ctx context.Context, reserved bool) error {
	for {
		reply, err := s.services.Basics.ListRemovals(ctx,
			&basics.ListRemovalsRequest{Limit: sweepBatch, IncludeReserved: reserved})
		if err != nil {
			return fmt.Errorf("list removals: %w", err)
		}
		if len(reply.Removals) == 0 {
			return nil
		}
		var done []int64
		var failed error
		for _, removal := range reply.Removals {
			if err := s.remove(ctx, removal); err == nil {
				done = append(done, removal.ID)
			} else if failed = err; codes.Of(err) == codes.UpstreamUnavailable || ctx.Err() != nil {
				break
			}
		}
		if _, err := s.services.Basics.FinishRemovals(ctx, &basics.FinishRemovalsRequest{RemovalIds: done}); err != nil {
			return errors.Join(failed, fmt.Errorf("finish removals: %w", err))
		}
		if failed != nil {
			return failed
		}
	}
}

func (s *sweeper) remove(ctx context.Context, removal *basics.Removal) error {
	switch {
	case removal.VideoID != 0:
		_, err := s.services.Interaction.PurgeVideo(ctx, &interaction.PurgeVideoRequest{VideoID: removal.VideoID})
		if err != nil {
			return fmt.Errorf("purge video %d: %w", removal.VideoID, err)
		}
	case removal.UserID != 0:
		_, err := s.services.Interaction.PurgeUser(ctx, &interaction.PurgeUserRequest{UserID: removal.UserID})
		if err == nil {
			_, err = s.services.Social.PurgeUser(ctx, &social.PurgeUserRequest{UserID: removal.UserID})
		}
		if err != nil {
			return fmt.Errorf("purge user %d: %w", removal.UserID, err)
		}
	default:
		if err := s.media.Remove(ctx, removal.FileKey); err != nil {
			return fmt.Errorf("remove the file %s: %w", removal.FileKey, err)
		}
	}
	return nil
}
