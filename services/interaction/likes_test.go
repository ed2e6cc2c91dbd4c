package interaction_test

import (
	"strings"
	"testing"

	"gorm.io/gorm"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/services"
	"minidouyin/services/internal/servicetest"
	"minidouyin/services/testenv/mysqltest"
)

// The latest thousand likes of a viewer are cached. Older ones come from the database.
func TestManyLikes(t *testing.T) {
	s := open(t, newWorld(t, services.AckStored).backend)
	const many = 1200
	rows := make([]map[string]any, many)
	for i := range rows {
		rows[i] = map[string]any{"user_id": 1, "video_id": i + 1, "author_id": 5, "created_at": i, "liked": 1, "version": 1, "delta": 1}
	}
	err := servicetest.Database(t, s.backend.DSN).Write(t.Context(), func(tx *gorm.DB) error { return tx.Table("likes").CreateInBatches(rows, 500).Error })
	if err != nil {
		t.Fatal(err)
	}
	for video, liked := range map[int64]bool{1: true, 200: true, 201: true, many: true, many + 1: false} {
		if got := s.video(t, video, 1); strings.HasSuffix(got, "true") != liked {
			t.Errorf("video %d: %s", video, got)
		}
	}
	s.mustUnlike(t, 1, 1)
	s.mustUnlike(t, 1, many)
	s.mustLike(t, 1, many+1, 5)
	for video, liked := range map[int64]bool{1: false, 200: true, many: false, many + 1: true} {
		if got := s.video(t, video, 1); strings.HasSuffix(got, "true") != liked {
			t.Errorf("video %d afterwards: %s", video, got)
		}
	}
}

// A like that the database refuses fails alone.
func TestRefusedLike(t *testing.T) {
	s := open(t, servicetest.Backend{DSN: mysqltest.Database(t)})
	s.poison(t)
	servicetest.AtOnce(64, func(i int) {
		video := int64(10)
		if i%16 == 0 {
			video = 666
		}
		want := map[bool]codes.Code{true: codes.Internal, false: codes.OK}[video == 666]
		_, err := s.LikeVideo(t.Context(), &interaction.LikeVideoRequest{UserID: int64(i + 1), VideoID: video, AuthorID: 5})
		if codes.Of(err) != want {
			t.Errorf("video %d: got %v", video, err)
		}
	})
	is(t, s.video(t, 10, 2), "60 likes 0 comments true")
	s.checkCounts(t)
}
