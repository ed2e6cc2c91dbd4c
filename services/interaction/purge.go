package interaction

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// batch is how many rows one transaction of a purge deletes: each is short, and a purge that is broken off may be
// begun again.
const batch = 500

// purged is called after each transaction of a purge with the likes that it deleted, and those whose counts changed.
type purged func(likes []like, comments tally)

// purgeVideo deletes all likes and comments of a video.
func (s *store) purgeVideo(ctx context.Context, id int64, done purged) error {
	left := newTally()
	left.comments(0, id)
	if err := s.purge(ctx, "video_id = ?", id, left, done); err != nil {
		return fmt.Errorf("purge video: %w", err)
	}
	return nil
}

// purgeUser deletes all likes and comments that a user gave.
func (s *store) purgeUser(ctx context.Context, id int64, done purged) error {
	left := newTally()
	left.users[id] = userStats{}
	if err := s.purge(ctx, "user_id = ?", id, left, done); err != nil {
		return fmt.Errorf("purge user: %w", err)
	}
	return nil
}

// purge deletes the likes and comments that meet the condition, and the counts that are zero then, also those of
// left.
func (s *store) purge(ctx context.Context, condition string, id int64, left tally, done purged) error {
	for more := true; more; {
		var likes []like
		var took tally
		err := s.db.Write(ctx, func(tx *gorm.DB) (err error) {
			if likes, took, err = deleteLikes(tx, tx.Where(condition, id).Limit(batch)); err != nil {
				return err
			}
			return took.dropZeros(tx)
		})
		if err != nil {
			return err
		}
		done(likes, took)
		more = len(likes) > 0
	}
	for more := true; more; {
		var took tally
		err := s.db.Write(ctx, func(tx *gorm.DB) (err error) {
			if took, err = deleteComments(tx, tx.Where(condition, id).Limit(batch)); err != nil {
				return err
			}
			return took.dropZeros(tx)
		})
		if err != nil {
			return err
		}
		done(nil, took)
		more = len(took.videos) > 0
	}
	if err := s.db.Write(ctx, left.dropZeros); err != nil {
		return err
	}
	done(nil, left)
	return nil
}
