package interaction_test

import (
	"context"
	"fmt"
	"testing"

	"gorm.io/gorm"

	"minidouyin/services"
	"minidouyin/services/internal/servicetest"
)

// Reconcile reports each wrong count and no correct one, and repairs all with fix.
func TestReconcile(t *testing.T) {
	servicetest.EachDatabase(t, func(t *testing.T, dsn string) {
		s := open(t, servicetest.Backend{DSN: dsn})
		for user := int64(1); user <= 3; user++ {
			s.mustLike(t, user, 10, 5)
			s.mustLike(t, user, 11, 6)
			s.mustComment(t, user, 11, "x")
		}
		s.mustUnlike(t, 3, 11)
		reconcile := func(fix bool) (found []string) {
			t.Helper()
			cfg := services.Config{DSN: dsn, OnStatement: func(_ context.Context, sql string) {
				if why := servicetest.Foreign(sql); why != "" {
					t.Errorf("%s: %s", why, sql)
				}
			}}
			err := services.Reconcile(t.Context(), services.Interaction, cfg, fix, func(d services.Difference) {
				found = append(found, fmt.Sprintf("%s %s %d: %d not %d", d.Table, d.Column, d.Key, d.Stored, d.Rows))
			})
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		is(t, fmt.Sprint(reconcile(false)), "[]")
		err := servicetest.Database(t, dsn).Write(t.Context(), func(tx *gorm.DB) error {
			for _, spoil := range []string{
				"UPDATE video_stats SET like_count = 9 WHERE video_id = 10",
				"UPDATE video_stats SET comment_count = 0 WHERE video_id = 11",
				"DELETE FROM user_like_stats WHERE user_id = 6",
				"UPDATE user_like_stats SET given_count = 0 WHERE user_id = 1",
				"INSERT INTO user_like_stats (user_id, given_count, received_count) VALUES (77, 1, 0)",
			} {
				if err := tx.Exec(spoil).Error; err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		const want = "[video_stats like_count 10: 9 not 3 video_stats comment_count 11: 0 not 3 user_like_stats given_count 1: 0 not 2 " +
			"user_like_stats given_count 77: 1 not 0 user_like_stats received_count 6: 0 not 2]"
		is(t, fmt.Sprint(reconcile(false)), want)
		is(t, fmt.Sprint(reconcile(true)), want)
		is(t, fmt.Sprint(reconcile(false)), "[]")
		s.checkCounts(t)
	})
}
