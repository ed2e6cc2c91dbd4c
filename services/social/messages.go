package social

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/database"
)

// message has a time that is unique in its conversation and rises in commit order: a client that asks for messages
// after a time misses none.
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

// maxCachedMessages is how many messages of two users are cached, the latest.
const maxCachedMessages = 50

// pair is two users, the lower id first.
type pair struct{ low, high int64 }

func pairOf(a, b int64) pair { return pair{min(a, b), max(a, b)} }

// other returns the other user of the pair.
func (p pair) other(user int64) int64 { return p.low + p.high - user }

func (p pair) key() string { return fmt.Sprintf("%d-%d", p.low, p.high) }

// send stores the message and sets its id and time.
func (s *store) send(ctx context.Context, m *message) error {
	both := pairOf(m.FromID, m.ToID)
	m.LowID, m.HighID = both.low, both.high
	err := s.write(ctx, func(tx *gorm.DB, _ cache.Also) (err error) {
		if m.CreatedAt, err = takeTime(tx, m); err != nil {
			return err
		}
		m.ID = 0
		if err := tx.Create(m).Error; err != nil {
			return err
		}
		return tx.Model(&conversation{}).Where("low_id = ? AND high_id = ?", m.LowID, m.HighID).
			Updates(map[string]any{"last_message_id": m.ID, "last_from_id": m.FromID, "last_content": m.Content}).Error
	}, s.caches.messageKeys(both)...)
	if err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	return nil
}

// messages returns the page of messages of two users before the cursor, oldest first.
func (s *store) messages(ctx context.Context, a, b int64, limit int, before *page.Cursor) (*social.ListMessagesResponse, error) {
	both := pairOf(a, b)
	var latest *social.ListMessagesResponse
	if s.caches.store != nil && before == nil {
		var err error
		if latest, err = s.latestMessages(ctx, both); err != nil {
			return nil, err
		}
	} else {
		latest = s.caches.messages.Peek(ctx, both)[both]
	}
	if latest != nil {
		newest := slices.Clone(latest.Messages)
		slices.Reverse(newest)
		position := func(m *social.Message) (createdAt, id int64) { return m.CreatedAt, m.ID }
		if found, more, ok := cache.Cut(newest, latest.HasMore, position, &page.Page{Limit: int32(limit), After: before}); ok {
			found = slices.Clone(found)
			slices.Reverse(found)
			return &social.ListMessagesResponse{Messages: found, HasMore: more}, nil
		}
	}
	return s.readMessages(ctx, both, limit, before)
}

// latestMessages returns the latest messages of two users through the cache, oldest first.
func (s *store) latestMessages(ctx context.Context, both pair) (*social.ListMessagesResponse, error) {
	latest, _, err := s.caches.messages.One(ctx, both, func(ctx context.Context) (*social.ListMessagesResponse, bool, error) {
		found, err := s.readMessages(ctx, both, maxCachedMessages, nil)
		return found, true, err
	})
	return latest, err
}

func (s *store) readMessages(ctx context.Context, both pair, limit int, before *page.Cursor) (*social.ListMessagesResponse, error) {
	after, afterValues := database.After(before)
	var found []message
	err := s.db.ReadAfter(ctx, before).Where("low_id = ? AND high_id = ? AND "+after, append([]any{both.low, both.high}, afterValues...)...).
		Order("created_at DESC").Limit(limit + 1).Find(&found).Error
	if err != nil {
		return nil, fmt.Errorf("list messages: %w", err)
	}
	rows := database.Cut(found, limit)
	slices.Reverse(rows.Rows)
	return messagePage(rows), nil
}

// received returns the oldest messages that the peer sent to the user after that time.
func (s *store) received(ctx context.Context, userID, peer int64, limit int, after int64) (*social.ListMessagesResponse, error) {
	both := pairOf(userID, peer)
	if s.caches.store == nil {
		return s.readReceived(ctx, both, peer, limit, after)
	}
	latest, err := s.latestMessages(ctx, both)
	if err != nil {
		return nil, err
	}
	if latest.HasMore && (len(latest.Messages) == 0 || latest.Messages[0].CreatedAt > after) { // beyond the cached messages
		return s.readReceived(ctx, both, peer, limit, after)
	}
	found := []*social.Message{}
	for _, m := range latest.Messages {
		if m.FromUserID == peer && m.CreatedAt > after {
			found = append(found, m)
		}
	}
	return &social.ListMessagesResponse{Messages: found[:min(limit, len(found))], HasMore: len(found) > limit}, nil
}

func (s *store) readReceived(ctx context.Context, both pair, peer int64, limit int, after int64) (*social.ListMessagesResponse, error) {
	var found []message
	err := s.db.Read(ctx).Where("low_id = ? AND high_id = ? AND from_id = ? AND created_at > ?", both.low, both.high, peer, after).
		Order("created_at").Limit(limit + 1).Find(&found).Error
	if err != nil {
		return nil, fmt.Errorf("list received messages: %w", err)
	}
	return messagePage(database.Cut(found, limit)), nil
}

// inbox returns messages that the user received from anybody, oldest first: those after the cursor, or the latest.
func (s *store) inbox(ctx context.Context, userID int64, limit int, after *page.Cursor) (*social.ListReceivedMessagesResponse, error) {
	query := s.db.Read(ctx).Where("to_id = ?", userID).Limit(limit + 1)
	if after != nil {
		query = query.Where("created_at >= ? AND (created_at > ? OR id > ?)", after.CreatedAt, after.CreatedAt, after.ID).
			Order("created_at, id")
	} else {
		query = query.Order("created_at DESC, id DESC")
	}
	var found []message
	if err := query.Find(&found).Error; err != nil {
		return nil, fmt.Errorf("list inbox: %w", err)
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
