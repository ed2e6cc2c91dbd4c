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
func (s *tables) purgeUser(ctx context.Context, id int64) error {
	return s.purge(ctx, id, func(write func(others func(...int64)) error) error { return write(func(...int64) {}) })
}

// purge does what purgeUser does in steps, each within a call of around. The write of a step calls others, before its
// commit, with those who lose something of what they had with the user.
func (s *tables) purge(ctx context.Context, id int64, around func(write func(others func(...int64)) error) error) error {
	steps := []func(*gorm.DB) (others []int64, more bool, err error){
		func(tx *gorm.DB) ([]int64, bool, error) { return purgeFollows(tx, tx.Where("from_id = ?", id)) },
		func(tx *gorm.DB) ([]int64, bool, error) { return purgeFollows(tx, tx.Where("to_id = ?", id)) },
		func(tx *gorm.DB) ([]int64, bool, error) { return purgeConversation(tx, tx.Where("low_id = ?", id)) },
		func(tx *gorm.DB) ([]int64, bool, error) { return purgeConversation(tx, tx.Where("high_id = ?", id)) },
		func(tx *gorm.DB) ([]int64, bool, error) { return nil, false, dropZeros(tx, []int64{id}) },
	}
	for _, step := range steps {
		for more := true; more; {
			err := around(func(tell func(...int64)) error {
				return s.db.Write(ctx, func(tx *gorm.DB) error {
					var others []int64
					var err error
					others, more, err = step(tx)
					tell(others...)
					return err
				})
			})
			if err != nil {
				return fmt.Errorf("purge user: %w", err)
			}
		}
	}
	return nil
}

func purgeFollows(tx, query *gorm.DB) (users []int64, more bool, err error) {
	found, err := deleteFollows(tx, query.Limit(batch))
	if err != nil || len(found) == 0 {
		return nil, false, err
	}
	for _, f := range found {
		users = append(users, f.FromID, f.ToID)
	}
	return users, true, dropZeros(tx, users)
}

// purgeConversation deletes messages of the first conversation that the query finds, and the conversation with the
// last of them. Its lock keeps others from sending meanwhile.
func purgeConversation(tx, query *gorm.DB) (users []int64, more bool, err error) {
	var found []conversation
	if err := database.Locked(query).Limit(1).Find(&found).Error; err != nil || len(found) == 0 {
		return nil, false, err
	}
	c := found[0]
	users = []int64{c.LowID, c.HighID}
	var messages []message
	err = tx.Select("id").Where("low_id = ? AND high_id = ?", c.LowID, c.HighID).Limit(batch).Find(&messages).Error
	if err != nil {
		return nil, false, err
	}
	if len(messages) > 0 {
		if err := tx.Delete(&messages).Error; err != nil {
			return nil, false, err
		}
	}
	if len(messages) < batch {
		return users, true, tx.Where("low_id = ? AND high_id = ?", c.LowID, c.HighID).Delete(&conversation{}).Error
	}
	return users, true, nil
}

// dropZeros deletes the counts of those users that are zero.
func dropZeros(tx *gorm.DB, users []int64) error {
	return tx.Where("user_id IN ? AND following_count = 0 AND follower_count = 0", users).Delete(&relationStats{}).Error
}
