package interaction

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"
)

const (
	// purgeBatch is how many rows one transaction of a purge deletes: each is short, and a purge that is broken off may
	// be repeated.
	purgeBatch = 500
	// purgeWait is how long a purge waits for the log.
	purgeWait = 3 * time.Second
)

// purge deletes the likes and comments that meet the condition, and the counts that are zero then, also those of left.
// Likes that are queued or logged now may come afterwards; callers purge a second time when none can be left.
func (s *store) purge(ctx context.Context, condition string, id int64, left tally) error {
	deleteBatch := func(remove func(tx, query *gorm.DB) ([]like, tally, error)) error {
		for more := true; more; {
			err := s.caches.change(ctx, changed{}, func() (after changed, err error) {
				err = s.db.Write(ctx, func(tx *gorm.DB) error {
					likes, took, err := remove(tx, tx.Where(condition, id).Limit(purgeBatch))
					if err != nil {
						return err
					}
					after, more = changed{likes, slices.Collect(maps.Keys(took.videos))}, len(took.videos)+len(likes) > 0
					return took.deleteZeros(tx)
				})
				return after, err
			})
			if err != nil {
				return fmt.Errorf("purge %s %d: %w", condition, id, err)
			}
		}
		return nil
	}
	if err := deleteBatch(deleteLikes); err != nil {
		return err
	}
	if err := deleteBatch(deleteComments); err != nil {
		return err
	}
	if err := s.db.Write(ctx, left.deleteZeros); err != nil {
		return fmt.Errorf("purge %s %d: %w", condition, id, err)
	}
	return nil
}

// purgeVideo deletes all likes and comments of a video.
func (h *Handler) purgeVideo(ctx context.Context, id int64) error {
	if err := h.waitForLog(ctx, 0); err != nil {
		return err
	}
	left := newTally()
	left.comments(0, id)
	return h.store.purge(ctx, "video_id = ?", id, left)
}

// purgeUser deletes all likes and comments that a user gave.
func (h *Handler) purgeUser(ctx context.Context, id int64) error {
	if err := h.waitForLog(ctx, id); err != nil {
		return err
	}
	left := newTally()
	left.users[id] = userStats{}
	return h.store.purge(ctx, "user_id = ?", id, left)
}

// waitForLog returns when the database has what is logged now of a user, or of all with 0.
func (h *Handler) waitForLog(ctx context.Context, user int64) error {
	if h.log == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, purgeWait)
	defer cancel()
	return h.log.Flushed(ctx, user)
}
