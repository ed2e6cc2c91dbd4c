package social_test

import (
	"testing"

	"gorm.io/gorm"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/services/internal/servicetest"
)

// A purge deletes the follows and messages of a user, corrects the counts of others, and may be repeated.
func TestPurge(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		for a := int64(1); a <= 4; a++ {
			for b := int64(1); b <= 4; b++ {
				if a != b {
					s.mustFollow(t, a, b)
					s.mustSend(t, a, b, "hi")
				}
			}
		}
		const many = 1100 // more than one batch
		err := servicetest.Database(t, s.dsn).Write(t.Context(), func(tx *gorm.DB) error {
			rows := make([]map[string]any, many)
			for i := range rows {
				rows[i] = map[string]any{"low_id": 1, "high_id": 2, "from_id": 1, "to_id": 2, "content": "x", "created_at": i}
			}
			return tx.Table("messages").CreateInBatches(rows, 500).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			servicetest.Must(s.PurgeUser(t.Context(), &social.PurgeUserRequest{UserID: 2}))(t)
			is(t, s.stats(t, 1, 3), "2 following 2 followers true")
			is(t, s.stats(t, 2, 1), "0 following 0 followers false")
			s.checkCounts(t)
			if got := s.messages(t, 1, 2); len(got) != 0 {
				t.Errorf("%d messages are left", len(got))
			}
			if got := s.messages(t, 1, 3); len(got) != 2 {
				t.Errorf("others have %d messages", len(got))
			}
		}
		for _, id := range []int64{1, 3, 4, 999} {
			servicetest.Must(s.PurgeUser(t.Context(), &social.PurgeUserRequest{UserID: id}))(t)
		}
		db := servicetest.Database(t, s.dsn)
		for _, table := range []string{"follows", "relation_stats", "messages", "conversations"} {
			left := int64(-1)
			if err := db.Read(t.Context()).Table(table).Count(&left).Error; err != nil || left != 0 {
				t.Errorf("%d rows are left in %s (%v)", left, table, err)
			}
		}
		servicetest.Refuses(s.PurgeUser(t.Context(), &social.PurgeUserRequest{}))(t, codes.InvalidArgument)
	})
}
