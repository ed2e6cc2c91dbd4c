package interaction

import (
	"context"
	"errors"
	"testing"

	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services/interaction/likelog"
	"minidouyin/services/internal/plantest"
)

// No statement of the store scans a table or sorts rows, with 10,000 rows in each table of MariaDB.
func TestPlans(t *testing.T) {
	fill := func(tx *gorm.DB, many int) error {
		likes, comments := make([]like, many), make([]comment, many)
		videos, users := make([]videoStats, many), make([]userStats, many)
		for i := range many {
			user, other := int64(i%100+1), int64(i/100+1)
			likes[i] = like{UserID: user, VideoID: other, AuthorID: 1, CreatedAt: int64(i / 10), Liked: 1}
			comments[i] = comment{UserID: user, VideoID: other, Content: "text", CreatedAt: int64(i / 10)}
			videos[i] = videoStats{VideoID: int64(i + 1), LikeCount: 100, CommentCount: 100}
			users[i] = userStats{UserID: int64(i + 1), GivenCount: 100, ReceivedCount: int64(many)}
		}
		for _, insert := range []func() error{
			func() error { return plantest.Insert(tx, likes) },
			func() error { return plantest.Insert(tx, comments) },
			func() error { return plantest.Insert(tx, videos) },
			func() error { return plantest.Insert(tx, users) },
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
		p.Check(t, "video stats", func(ctx context.Context) error { _, err := s.readStats(ctx, 7, ids); return err })
		p.Check(t, "user stats", func(ctx context.Context) error { _, err := s.readUserStats(ctx, ids); return err })
		p.Check(t, "comments", func(ctx context.Context) error { _, err := s.comments(ctx, ids); return err })
		p.Check(t, "one user's likes", func(ctx context.Context) error { _, err := s.likesOf(ctx, ids[:1], first); return err })
		p.Check(t, "one user's likes after", func(ctx context.Context) error { _, err := s.likesOf(ctx, ids[:1], next); return err })
		p.Check(t, "users' likes", func(ctx context.Context) error { _, err := s.likesOf(ctx, ids, first); return err })
		p.Check(t, "users' likes after", func(ctx context.Context) error { _, err := s.likesOf(ctx, ids, next); return err })
		p.Check(t, "one video's comments", func(ctx context.Context) error { _, err := s.commentsUnder(ctx, ids[:1], first); return err })
		p.Check(t, "one video's comments after", func(ctx context.Context) error { _, err := s.commentsUnder(ctx, ids[:1], next); return err })
		p.Check(t, "videos' comments", func(ctx context.Context) error { _, err := s.commentsUnder(ctx, ids, first); return err })
		p.Check(t, "videos' comments after", func(ctx context.Context) error { _, err := s.commentsUnder(ctx, ids, next); return err })
		p.Check(t, "viewer's likes", func(ctx context.Context) error { _, err := s.likedAmong(ctx, 7, ids); return err })
		for name, by := range map[string]order{"stored": byCommit, "logged": byVersion} {
			p.Check(t, name+" likes", func(ctx context.Context) error {
				changes := make([]like, 30)
				for i := range changes {
					changes[i] = like{UserID: 1, VideoID: int64(i + 1), AuthorID: 1, Version: 1 << likelog.VersionShift}
				}
				return errors.Join(s.changeLikes(ctx, changes, by)...)
			})
		}
		p.Check(t, "delete comment", func(ctx context.Context) error { return s.deleteComment(ctx, 1, 1, 1, 1) })
		p.Check(t, "purge video", func(ctx context.Context) error { return s.purge(ctx, "video_id = ?", 2, newTally()) })
		p.Check(t, "purge user", func(ctx context.Context) error { return s.purge(ctx, "user_id = ?", 2, newTally()) })
	})
}
