package social

import (
	"context"
	"testing"

	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services/internal/plantest"
)

// No statement of the store scans a table or sorts rows, with about 10,000 rows in each table of MariaDB.
func TestPlans(t *testing.T) {
	fill := func(tx *gorm.DB, many int) error {
		var follows []follow
		var messages []message
		var conversations []conversation
		stats := make([]relationStats, many)
		for i := range many {
			from, to := int64(i%100+1), int64(i/100+1)
			stats[i] = relationStats{UserID: int64(i + 1), FollowingCount: 100, FollowerCount: 100}
			if from != to {
				follows = append(follows, follow{FromID: from, ToID: to, CreatedAt: int64(i / 10)})
			}
			both := pairOf(1, int64(i+2))
			conversations = append(conversations, conversation{LowID: both.low, HighID: both.high, LastAt: int64(i), LastFromID: both.low})
			both = pairOf(1, int64(i%20+2))
			messages = append(messages, message{LowID: both.low, HighID: both.high, FromID: int64(i/20)%2*(both.high-1) + 1, ToID: 1, CreatedAt: int64(i)})
		}
		for _, insert := range []func() error{
			func() error { return plantest.Insert(tx, follows) },
			func() error { return plantest.Insert(tx, messages) },
			func() error { return plantest.Insert(tx, conversations) },
			func() error { return plantest.Insert(tx, stats) },
		} {
			if err := insert(); err != nil {
				return err
			}
		}
		return nil
	}
	plantest.EachDatabase(t, schema, fill, func(t *testing.T, p *plantest.Plans) {
		s := &store{db: p.DB, caches: newCaches(nil)}
		ids := make([]int64, 30)
		for i := range ids {
			ids[i] = int64(i*3 + 1)
		}
		first := &page.Page{Limit: 30}
		next := &page.Page{Limit: 30, After: &page.Cursor{CreatedAt: 500, ID: 5000}}
		p.Check(t, "stats", func(ctx context.Context) error { _, err := s.stats(ctx, 7, ids); return err })
		p.Check(t, "one user's following", func(ctx context.Context) error { _, err := s.following(ctx, ids[:1], first); return err })
		p.Check(t, "one user's following after", func(ctx context.Context) error { _, err := s.following(ctx, ids[:1], next); return err })
		p.Check(t, "users' following", func(ctx context.Context) error { _, err := s.following(ctx, ids, first); return err })
		p.Check(t, "users' following after", func(ctx context.Context) error { _, err := s.following(ctx, ids, next); return err })
		p.Check(t, "one user's followers", func(ctx context.Context) error { _, err := s.followers(ctx, ids[:1], first); return err })
		p.Check(t, "one user's followers after", func(ctx context.Context) error { _, err := s.followers(ctx, ids[:1], next); return err })
		p.Check(t, "users' followers", func(ctx context.Context) error { _, err := s.followers(ctx, ids, first); return err })
		p.Check(t, "users' followers after", func(ctx context.Context) error { _, err := s.followers(ctx, ids, next); return err })
		p.Check(t, "friends", func(ctx context.Context) error { _, err := s.friends(ctx, 7, first); return err })
		p.Check(t, "friends after", func(ctx context.Context) error { _, err := s.friends(ctx, 7, next); return err })
		p.Check(t, "latest of the lower id", func(ctx context.Context) error { _, err := s.latest(ctx, 1, ids); return err })
		p.Check(t, "latest of the higher id", func(ctx context.Context) error { _, err := s.latest(ctx, 9000, ids); return err })
		p.Check(t, "messages", func(ctx context.Context) error { _, err := s.messages(ctx, 1, 7, 50, nil); return err })
		p.Check(t, "messages before", func(ctx context.Context) error { _, err := s.messages(ctx, 7, 1, 50, next.After); return err })
		p.Check(t, "received", func(ctx context.Context) error { _, err := s.received(ctx, 1, 7, 50, 100); return err })
		p.Check(t, "received by the higher id", func(ctx context.Context) error { _, err := s.received(ctx, 7, 1, 50, 100); return err })
		p.Check(t, "inbox", func(ctx context.Context) error { _, err := s.inbox(ctx, 7, 50, nil); return err })
		p.Check(t, "inbox after", func(ctx context.Context) error { _, err := s.inbox(ctx, 1, 50, next.After); return err })
		p.Check(t, "send", func(ctx context.Context) error { return s.send(ctx, &message{FromID: 1, ToID: 7, Content: "hi"}) })
		p.Check(t, "unfollow", func(ctx context.Context) error { return s.unfollow(ctx, 1, 2) })
		p.Check(t, "purge user", func(ctx context.Context) error { return s.purgeUser(ctx, 7) })
	})
}
