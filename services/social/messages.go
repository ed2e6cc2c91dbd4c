package social

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/services/internal/database"
)

// message has a time that is unique between its two users and rises in the order of the commits: whoever asks for
// what came after a time misses nothing.
type message struct {
	ID        int64  `gorm:"primaryKey;index:messages_to,priority:3"`
	LowID     int64  `gorm:"not null;uniqueIndex:messages_pair,priority:1;index:messages_from,priority:1"`
	HighID    int64  `gorm:"not null;uniqueIndex:messages_pair,priority:2;index:messages_from,priority:2"`
	FromID    int64  `gorm:"not null;index:messages_from,priority:3"`
	ToID      int64  `gorm:"not null;index:messages_to,priority:1"`
	Content   string `gorm:"size:256;not null"`
	CreatedAt int64  `gorm:"not null;autoCreateTime:false;uniqueIndex:messages_pair,priority:3;index:messages_from,priority:4;index:messages_to,priority:2"`
}

func (m *message) wire() *social.Message {
	return &social.Message{ID: m.ID, FromUserID: m.FromID, ToUserID: m.ToID, Content: m.Content, CreatedAt: m.CreatedAt}
}

// pair is two users, the one with the lower id first.
type pair struct{ low, high int64 }

func pairOf(a, b int64) pair { return pair{min(a, b), max(a, b)} }

func (p pair) key() string { return fmt.Sprintf("%d-%d", p.low, p.high) }

// send stores the message and sets its id and time.
func (s *tables) send(ctx context.Context, m *message) error {
	both := pairOf(m.FromID, m.ToID)
	m.LowID, m.HighID = both.low, both.high
	err := s.db.Write(ctx, func(tx *gorm.DB) error {
		var err error
		if m.CreatedAt, err = takeTime(tx, m); err != nil {
			return err
		}
		m.ID = 0
		if err := tx.Create(m).Error; err != nil {
			return err
		}
		return tx.Model(&conversation{}).Where("low_id = ? AND high_id = ?", m.LowID, m.HighID).
			Updates(map[string]any{"last_message_id": m.ID, "last_from_id": m.FromID, "last_content": m.Content}).Error
	})
	if err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	return nil
}

// messages returns the page of messages of two users before the cursor, oldest first.
func (s *tables) messages(ctx context.Context, a, b int64, limit int, before *page.Cursor) (*social.ListMessagesResponse, error) {
	both := pairOf(a, b)
	condition, place := database.After(before)
	var found []message
	err := s.db.ReadAfter(ctx, before).Where("low_id = ? AND high_id = ? AND "+condition, append([]any{both.low, both.high}, place...)...).
		Order("created_at DESC").Limit(limit + 1).Find(&found).Error
	if err != nil {
		return nil, fmt.Errorf("list messages: %w", err)
	}
	rows := database.Cut(found, limit)
	slices.Reverse(rows.Rows)
	return messagePage(rows), nil
}

// received returns the oldest messages that peer sent to the user after that time.
func (s *tables) received(ctx context.Context, userID, peer int64, limit int, after int64) (*social.ListMessagesResponse, error) {
	both := pairOf(userID, peer)
	var found []message
	err := s.db.Read(ctx).Where("low_id = ? AND high_id = ? AND from_id = ? AND created_at > ?", both.low, both.high, peer, after).
		Order("created_at").Limit(limit + 1).Find(&found).Error
	if err != nil {
		return nil, fmt.Errorf("list received messages: %w", err)
	}
	return messagePage(database.Cut(found, limit)), nil
}

// inbox returns messages that anybody sent to the user, oldest first: those behind the cursor, else the latest.
func (s *tables) inbox(ctx context.Context, userID int64, limit int, after *page.Cursor) (*social.ListReceivedMessagesResponse, error) {
	query := s.db.Read(ctx).Where("to_id = ?", userID).Limit(limit + 1)
	if after != nil {
		query = query.Where("created_at >= ? AND (created_at > ? OR id > ?)", after.CreatedAt, after.CreatedAt, after.ID).
			Order("created_at, id")
	} else {
		query = query.Order("created_at DESC, id DESC")
	}
	var found []message
	if err := query.Find(&found).Error; err != nil {
		return nil, fmt.Errorf("list the inbox: %w", err)
	}
	rows := database.Cut(found, limit)
	if after == nil {
		slices.Reverse(rows.Rows)
	}
	return &social.ListReceivedMessagesResponse{Messages: wires(rows.Rows), HasMore: rows.HasMore}, nil
}

func messagePage(rows database.Rows[message]) *social.ListMessagesResponse {
	return &social.ListMessagesResponse{Messages: wires(rows.Rows), HasMore: rows.HasMore}
}

func wires(rows []message) []*social.Message {
	messages := make([]*social.Message, len(rows))
	for i := range rows {
		messages[i] = rows[i].wire()
	}
	return messages
}
