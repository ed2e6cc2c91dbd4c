package interaction_test

import (
	"testing"

	"gorm.io/gorm"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/services/internal/servicetest"
)

// A purge deletes all rows of a video or user, corrects the counts of others, and may be repeated.
func TestPurge(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		for user := int64(1); user <= 4; user++ {
			for video := int64(10); video <= 12; video++ {
				s.mustLike(t, user, video, video-9) // authors 1 to 3
				s.mustComment(t, user, video, "x")
			}
		}
		purgeVideo := func(id int64) {
			servicetest.Must(s.PurgeVideo(t.Context(), &interaction.PurgeVideoRequest{VideoID: id}))(t)
			s.checkCounts(t)
		}
		purgeUser := func(id int64) {
			servicetest.Must(s.PurgeUser(t.Context(), &interaction.PurgeUserRequest{UserID: id}))(t)
			s.checkCounts(t)
		}
		for range 2 {
			purgeVideo(10)
			is(t, s.video(t, 10, 1), "0 likes 0 comments false")
			is(t, s.video(t, 11, 1), "4 likes 4 comments true")
			is(t, s.user(t, 1), "0 received 2 given")
			is(t, s.user(t, 2), "4 received 2 given")
		}
		for range 2 {
			purgeUser(2)
			is(t, s.video(t, 11, 1), "3 likes 3 comments true")
			is(t, s.video(t, 12, 2), "3 likes 3 comments false")
			is(t, s.user(t, 2), "3 received 0 given")
			is(t, s.user(t, 3), "3 received 2 given")
		}
		purgeVideo(11)
		purgeVideo(12)
		purgeVideo(999)
		db := servicetest.Database(t, s.backend.DSN)
		for _, table := range []string{"likes", "comments", "video_stats", "user_like_stats"} {
			left := int64(-1)
			if err := db.Read(t.Context()).Table(table).Count(&left).Error; err != nil || left != 0 {
				t.Errorf("%d rows are left in %s (%v)", left, table, err)
			}
		}
		servicetest.Refuses(s.PurgeVideo(t.Context(), &interaction.PurgeVideoRequest{}))(t, codes.InvalidArgument)
		servicetest.Refuses(s.PurgeUser(t.Context(), &interaction.PurgeUserRequest{UserID: -1}))(t, codes.InvalidArgument)
	})
}

// A purge of more rows than one batch leaves correct counts, also with concurrent likes.
func TestPurgeOfMany(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		const many = 600
		likes, stats := make([]map[string]any, many), make([]map[string]any, many)
		for i := range likes {
			likes[i] = map[string]any{"user_id": i + 1000, "video_id": 10, "author_id": 5, "created_at": i, "liked": 1, "version": 1, "delta": 1}
			stats[i] = map[string]any{"user_id": i + 1000, "received_count": 0, "given_count": 1}
		}
		stats = append(stats, map[string]any{"user_id": 5, "received_count": many, "given_count": 0})
		err := servicetest.Database(t, s.backend.DSN).Write(t.Context(), func(tx *gorm.DB) error {
			for table, rows := range map[string][]map[string]any{"likes": likes, "user_like_stats": stats, "video_stats": {{"video_id": 10, "like_count": many, "comment_count": 0}}} {
				if err := tx.Table(table).CreateInBatches(rows, 500).Error; err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		s.checkCounts(t)
		servicetest.AtOnce(4, func(i int) {
			if i == 0 {
				servicetest.Must(s.PurgeVideo(t.Context(), &interaction.PurgeVideoRequest{VideoID: 10}))(t)
				return
			}
			for n := range int64(10) {
				s.mustUnlike(t, 1000+n*50, 10)
				s.mustLike(t, n+1, 10, 5)
			}
		})
		s.checkCounts(t)
		servicetest.Must(s.PurgeVideo(t.Context(), &interaction.PurgeVideoRequest{VideoID: 10}))(t)
		is(t, s.user(t, 5), "0 received 0 given")
		s.checkCounts(t)
	})
}
