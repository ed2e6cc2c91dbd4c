package basics

import (
	"context"
	"fmt"
	"testing"
	"time"

	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services/internal/plantest"
)

// No statement of the store scans a table or sorts rows, with 10,000 rows in each table of MariaDB.
func TestPlans(t *testing.T) {
	fill := func(tx *gorm.DB, many int) error {
		users, videos, removals := make([]user, many), make([]video, many), make([]removal, many)
		for i := range many {
			users[i] = user{Name: fmt.Sprint("user", i), NameKey: fmt.Sprint("user", i)}
			videos[i] = video{AuthorID: int64(i%100 + 1), CreatedAt: int64(i + 1), PlayKey: "p", CoverKey: "c"}
			removals[i] = removal{FileKey: fmt.Sprint("file", i), DueAt: int64(i) * now() / int64(many) * 2}
		}
		for _, insert := range []func() error{
			func() error { return plantest.Insert(tx, users) },
			func() error { return plantest.Insert(tx, videos) },
			func() error { return plantest.Insert(tx, removals) },
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
		next := &page.Page{Limit: 30, After: &page.Cursor{CreatedAt: 5000, ID: 5000}}
		before := int64(4000)
		name, key := "renamed", "new.jpg"
		p.Check(t, "user by name", func(ctx context.Context) error { _, err := s.userByName(ctx, "user77"); return err })
		p.Check(t, "users", func(ctx context.Context) error { _, err := s.users(ctx, ids); return err })
		p.Check(t, "videos", func(ctx context.Context) error { _, err := s.videos(ctx, ids); return err })
		p.Check(t, "feed", func(ctx context.Context) error { _, err := s.feed(ctx, first, nil); return err })
		p.Check(t, "feed after", func(ctx context.Context) error { _, err := s.feed(ctx, next, nil); return err })
		p.Check(t, "feed before", func(ctx context.Context) error { _, err := s.feed(ctx, first, &before); return err })
		p.Check(t, "feed after and before", func(ctx context.Context) error { _, err := s.feed(ctx, next, &before); return err })
		p.Check(t, "one user's videos", func(ctx context.Context) error { _, err := s.userVideos(ctx, ids[:1], first); return err })
		p.Check(t, "one user's videos after", func(ctx context.Context) error { _, err := s.userVideos(ctx, ids[:1], next); return err })
		p.Check(t, "users' videos", func(ctx context.Context) error { _, err := s.userVideos(ctx, ids, first); return err })
		p.Check(t, "users' videos after", func(ctx context.Context) error { _, err := s.userVideos(ctx, ids, next); return err })
		p.Check(t, "due removals", func(ctx context.Context) error { _, err := s.removals(ctx, 100, false); return err })
		p.Check(t, "all removals", func(ctx context.Context) error { _, err := s.removals(ctx, 100, true); return err })
		p.Check(t, "reserve and publish", func(ctx context.Context) error {
			if err := s.reserveFiles(ctx, []string{key}, time.Hour); err != nil {
				return err
			}
			return s.createVideo(ctx, &video{AuthorID: 1, PlayKey: key, CoverKey: "c"})
		})
		p.Check(t, "finish removals", func(ctx context.Context) error { return s.finishRemovals(ctx, ids) })
		p.Check(t, "update profile", func(ctx context.Context) error {
			_, err := s.updateProfile(ctx, 1, profile{name: &name, avatarKey: &key})
			return err
		})
		p.Check(t, "update video", func(ctx context.Context) error { _, err := s.updateVideo(ctx, 1, 1, &name, &key); return err })
		p.Check(t, "delete video", func(ctx context.Context) error { return s.deleteVideo(ctx, 1, 1) })
		p.Check(t, "delete user", func(ctx context.Context) error { return s.deleteUser(ctx, 2) })
	})
}
