package social

import (
	"context"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"minidouyin/idl/kitex_gen/social"
	"minidouyin/services/internal/database"
)

// conversation is the latest message of two users, the lower id first. Sending locks its row, so the messages of two
// users are written one after another.
type conversation struct {
	LowID         int64  `gorm:"primaryKey;autoIncrement:false"`
	HighID        int64  `gorm:"primaryKey;autoIncrement:false;index:conversations_high"`
	LastAt        int64  `gorm:"not null"`
	LastMessageID int64  `gorm:"not null"`
	LastFromID    int64  `gorm:"not null"`
	LastContent   string `gorm:"size:256;not null"`
}

// latest returns the latest message.
func (c *conversation) latest() *social.Message {
	to := c.LowID
	if c.LastFromID == c.LowID {
		to = c.HighID
	}
	return &social.Message{ID: c.LastMessageID, FromUserID: c.LastFromID, ToUserID: to, Content: c.LastContent, CreatedAt: c.LastAt}
}

// takeTime locks the conversation and sets its time: to now, or a millisecond after the last message. It returns the
// time.
func takeTime(tx *gorm.DB, m *message) (int64, error) {
	c := conversation{LowID: m.LowID, HighID: m.HighID, LastAt: now(), LastFromID: m.FromID}
	later := database.Excluded(tx, "last_at")
	err := tx.Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "low_id"}, {Name: "high_id"}},
		DoUpdates: []clause.Assignment{{
			Column: clause.Column{Name: "last_at"},
			Value:  gorm.Expr("CASE WHEN last_at >= " + later + " THEN last_at + 1 ELSE " + later + " END"),
		}},
	}).Create(&c).Error
	if err != nil {
		return 0, err
	}
	var at int64
	err = tx.Model(&conversation{}).Where("low_id = ? AND high_id = ?", m.LowID, m.HighID).Pluck("last_at", &at).Error
	return at, err
}

// latest returns the latest message between the user and each peer. Peers without messages are absent.
func (s *store) latest(ctx context.Context, userID int64, peers []int64) (map[int64]*social.Message, error) {
	pairs := make([]pair, len(peers))
	for i, peer := range peers {
		pairs[i] = pairOf(userID, peer)
	}
	found, err := s.caches.latest.Get(ctx, pairs, func(ctx context.Context, pairs []pair) (map[pair]*social.Message, error) {
		return s.readLatest(ctx, userID, pairs)
	})
	latest := make(map[int64]*social.Message, len(found))
	for both, m := range found {
		latest[both.other(userID)] = m
	}
	return latest, err
}

// readLatest returns the latest messages of pairs that have the user.
func (s *store) readLatest(ctx context.Context, userID int64, pairs []pair) (map[pair]*social.Message, error) {
	peers := make([]int64, len(pairs))
	for i, both := range pairs {
		peers[i] = both.other(userID)
	}
	var found []conversation
	// Two parts, because the user has the lower or the higher id. The syntax of (a, b) IN (...) differs between databases.
	err := s.db.Read(ctx).Raw(`SELECT * FROM conversations WHERE low_id = ? AND high_id IN ?
		UNION ALL SELECT * FROM conversations WHERE high_id = ? AND low_id IN ?`, userID, peers, userID, peers).Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("get conversations: %w", err)
	}
	latest := make(map[pair]*social.Message, len(found))
	for _, c := range found {
		latest[pair{c.LowID, c.HighID}] = c.latest()
	}
	return latest, nil
}
