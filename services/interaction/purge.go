package interaction

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// batch is how many rows one transaction of a purge deletes: each is short, and a purge that is broken off may be
// begun again.
const batch = 500

// purgeVideo deletes all likes and comments of a video.
func (s *store) purgeVideo(ctx context.Context, id int64) error {
	left := newTally()
	left.comments(0, id)
	if err := s.purge(ctx, "video_id = ?", id, left); err != nil {
		return fmt.Errorf("purge video: %w", err)
	}
	return nil
}

// purgeUser deletes all likes and comments that a user gave.
func (s *store) purgeUser(ctx context.Context, id int64) error {
	left := newTally()
	left.users[id] = userStats{}
	if err := s.purge(ctx, "user_id = ?", id, left); err != nil {
		return fmt.Errorf("purge user: %w", err)
	}
	return nil
}

// purge deletes the likes and comments that meet the condition, and the counts that are zero then, also those of
// left.
func (s *store) purge(ctx context.Context, condition string, id int64, left tally) error {
	for _, deleteRows := range []func(tx, query *gorm.DB) (tally, error){deleteLikes, deleteComments} {
		for more := true; more; {
			err := s.db.Write(ctx, func(tx *gorm.DB) error {
				took, err := deleteRows(tx, tx.Where(condition, id).Limit(batch))
				if err != nil {
					return err
				}
				more = len(took.videos) > 0
				return took.dropZeros(tx)
			})
			if err != nil {
				return err
			}
		}
	}
	return s.db.Write(ctx, left.dropZeros)
}
