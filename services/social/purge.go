package social

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/database"
)

// batch is how many rows one transaction of a purge deletes. Transactions stay short, and a purge that is interrupted
// may be repeated.
const batch = 500

// purgeUser deletes the follows, messages and conversations of a user.
func (s *store) purgeUser(ctx context.Context, id int64) error {
	steps := []func(*gorm.DB) (others []int64, more bool, err error){
		func(tx *gorm.DB) ([]int64, bool, error) { return purgeFollows(tx, tx.Where("from_id = ?", id)) },
		func(tx *gorm.DB) ([]int64, bool, error) { return purgeFollows(tx, tx.Where("to_id = ?", id)) },
		func(tx *gorm.DB) ([]int64, bool, error) { return purgeConversation(tx, tx.Where("low_id = ?", id)) },
		func(tx *gorm.DB) ([]int64, bool, error) { return purgeConversation(tx, tx.Where("high_id = ?", id)) },
		func(tx *gorm.DB) ([]int64, bool, error) { return nil, false, deleteZeros(tx, []int64{id}) },
	}
	for _, step := range steps {
		for more := true; more; {
			err := s.write(ctx, func(tx *gorm.DB, also cache.Also) (err error) {
				var others []int64
				others, more, err = step(tx)
				for _, other := range others {
					also(append(s.caches.userKeys(other), s.caches.messageKeys(pairOf(id, other))...)...)
				}
				return err
			}, s.caches.userKeys(id)...)
			if err != nil {
				return fmt.Errorf("purge user: %w", err)
			}
		}
	}
	return nil
}

// purgeFollows deletes a batch of the follows that the query finds. It returns the users of them, and whether there may
// be more.
func purgeFollows(tx, query *gorm.DB) (users []int64, more bool, err error) {
	found, err := deleteFollows(tx, query.Limit(batch))
	if err != nil || len(found) == 0 {
		return nil, false, err
	}
	for _, f := range found {
		users = append(users, f.FromID, f.ToID)
	}
	return users, true, deleteZeros(tx, users)
}

// purgeConversation deletes a batch of messages of the first conversation that the query finds, and with the last batch
// the conversation. Its lock blocks sending. The results are those of purgeFollows.
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

// deleteZeros deletes the rows of users whose counts are zero.
func deleteZeros(tx *gorm.DB, users []int64) error {
	return tx.Where("user_id IN ? AND following_count = 0 AND follower_count = 0", users).Delete(&relationStats{}).Error
}
