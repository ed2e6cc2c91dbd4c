package interaction

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"minidouyin/services/internal/cache"
)

const (
	// purgeBatch is how many rows one transaction of a purge deletes. Transactions stay short, and a purge that is
	// interrupted may be repeated.
	purgeBatch = 500
	// purgeWait is how long a purge waits for the log.
	purgeWait = 3 * time.Second
)

// purge deletes the likes and comments that meet the condition, and the zero counts that remain, those of counts too.
// Likes that are queued or logged may be written later: clients purge again when no such like can exist.
func (s *store) purge(ctx context.Context, condition string, id int64, counts tally) error {
	for _, remove := range []func(tx, query *gorm.DB) ([]string, tally, error){s.deleteLikes, s.deleteComments} {
		for more := true; more; {
			err := s.write(ctx, func(tx *gorm.DB, also cache.Also) error {
				keys, deleted, err := remove(tx, tx.Where(condition, id).Limit(purgeBatch))
				if err != nil {
					return err
				}
				also(keys...)
				more = len(keys) > 0
				return deleted.deleteZeros(tx)
			})
			if err != nil {
				return fmt.Errorf("purge %s %d: %w", condition, id, err)
			}
		}
	}
	if err := s.db.Write(ctx, counts.deleteZeros); err != nil {
		return fmt.Errorf("purge %s %d: %w", condition, id, err)
	}
	return nil
}

func (s *store) purgeVideo(ctx context.Context, id int64) error {
	return s.purge(ctx, "video_id = ?", id, tally{videos: map[int64]videoStats{id: {}}})
}

func (s *store) purgeUser(ctx context.Context, id int64) error {
	return s.purge(ctx, "user_id = ?", id, tally{users: map[int64]userStats{id: {}}})
}

// waitForLog returns when the database has all likes that are logged now: those of a user, or all with 0.
func (h *Handler) waitForLog(ctx context.Context, user int64) error {
	if h.log == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, purgeWait)
	defer cancel()
	return h.log.Flushed(ctx, user)
}
