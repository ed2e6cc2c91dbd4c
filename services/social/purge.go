package social

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"minidouyin/services/internal/database"
)

// batch is how many rows one transaction of a purge deletes: each is short, and a purge that is broken off may be
// begun again.
const batch = 500

// purgeUser deletes the follows, messages and conversations of a user.
func (s *store) purgeUser(ctx context.Context, id int64) error {
	steps := []func(*gorm.DB, int64) (more bool, err error){
		func(tx *gorm.DB, id int64) (bool, error) { return purgeFollows(tx, tx.Where("from_id = ?", id)) },
		func(tx *gorm.DB, id int64) (bool, error) { return purgeFollows(tx, tx.Where("to_id = ?", id)) },
		func(tx *gorm.DB, id int64) (bool, error) { return purgeConversation(tx, tx.Where("low_id = ?", id)) },
		func(tx *gorm.DB, id int64) (bool, error) { return purgeConversation(tx, tx.Where("high_id = ?", id)) },
	}
	for _, step := range steps {
		for more := true; more; {
			err := s.db.Write(ctx, func(tx *gorm.DB) error {
				var err error
				more, err = step(tx, id)
				return err
			})
			if err != nil {
				return fmt.Errorf("purge user: %w", err)
			}
		}
	}
	err := s.db.Write(ctx, func(tx *gorm.DB) error { return dropZeros(tx, []int64{id}) })
	if err != nil {
		return fmt.Errorf("purge user: %w", err)
	}
	return nil
}

func purgeFollows(tx, query *gorm.DB) (more bool, err error) {
	found, err := deleteFollows(tx, query.Limit(batch))
	if err != nil || len(found) == 0 {
		return false, err
	}
	var users []int64
	for _, f := range found {
		users = append(users, f.FromID, f.ToID)
	}
	return true, dropZeros(tx, users)
}

// purgeConversation deletes messages of the first conversation that the query finds, and the conversation with the
// last of them. Its lock keeps others from sending meanwhile.
func purgeConversation(tx, query *gorm.DB) (more bool, err error) {
	var found []conversation
	if err := database.Locked(query).Limit(1).Find(&found).Error; err != nil || len(found) == 0 {
		return false, err
	}
	c := found[0]
	var messages []message
	err = tx.Select("id").Where("low_id = ? AND high_id = ?", c.LowID, c.HighID).Limit(batch).Find(&messages).Error
	if err != nil {
		return false, err
	}
	if len(messages) > 0 {
		if err := tx.Delete(&messages).Error; err != nil {
			return false, err
		}
	}
	if len(messages) < batch {
		return true, tx.Delete(&c).Error
	}
	return true, nil
}

// dropZeros deletes the counts of those users that are zero.
func dropZeros(tx *gorm.DB, users []int64) error {
	return tx.Where("user_id IN ? AND following_count = 0 AND follower_count = 0", users).Delete(&relationStats{}).Error
}
