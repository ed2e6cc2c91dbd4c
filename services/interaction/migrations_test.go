package interaction_test

import (
	"testing"

	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services/internal/servicetest"
)

// Likes of a database without versions are migrated, and can be unliked and liked again.
func TestOlderDatabase(t *testing.T) {
	servicetest.EachDatabase(t, func(t *testing.T, dsn string) {
		open(t, servicetest.Backend{DSN: dsn}) // makes the other tables
		err := servicetest.Database(t, dsn).Write(t.Context(), func(tx *gorm.DB) error {
			id := "id INTEGER PRIMARY KEY AUTOINCREMENT"
			if tx.Name() == "mysql" {
				id = "id BIGINT PRIMARY KEY AUTO_INCREMENT"
			}
			for _, statement := range []string{
				"DROP TABLE likes", "DROP TABLE like_log", "DELETE FROM interaction_migrations WHERE id IN ('like versions', 'like log')",
				"CREATE TABLE likes (" + id + ", user_id BIGINT NOT NULL, video_id BIGINT NOT NULL, author_id BIGINT NOT NULL, created_at BIGINT NOT NULL)",
				"CREATE UNIQUE INDEX likes_user_video ON likes (user_id, video_id)",
				"CREATE INDEX likes_user ON likes (user_id, created_at, id)",
				"CREATE INDEX likes_video ON likes (video_id, id)",
				"INSERT INTO likes VALUES (1, 1, 10, 5, 1000), (2, 2, 10, 5, 2000)",
				"INSERT INTO video_stats (video_id, like_count, comment_count) VALUES (10, 2, 0)",
				"INSERT INTO user_like_stats (user_id, received_count, given_count) VALUES (5, 2, 0), (1, 0, 1), (2, 0, 1)",
			} {
				if err := tx.Exec(statement).Error; err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time, there is nothing to do
			s := open(t, servicetest.Backend{DSN: dsn})
			s.checkCounts(t)
			is(t, s.video(t, 10, 1), "2 likes 0 comments true")
			got := servicetest.Must(s.ListLikedVideoIDs(t.Context(), &interaction.ListLikedVideoIDsRequest{UserIds: []int64{1}, Page: &page.Page{Limit: 5}}))(t)
			if likes := got.Pages[1].Likes; len(likes) != 1 || likes[0].ID != 1 || likes[0].CreatedAt != 1000 {
				t.Errorf("got %v", likes)
			}
			s.mustUnlike(t, 2, 10)
			is(t, s.video(t, 10, 2), "1 likes 0 comments false")
			s.mustLike(t, 2, 10, 5)
			is(t, s.user(t, 5), "2 received 0 given")
			s.checkCounts(t)
		}
	})
}
