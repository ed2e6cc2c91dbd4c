package interaction

import (
	"context"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services/internal/database"
)

// like keeps the video's author, so that taking it back needs nothing from elsewhere.
type like struct {
	ID        int64 `gorm:"primaryKey;index:likes_user,priority:3;index:likes_video,priority:2"`
	UserID    int64 `gorm:"not null;uniqueIndex:likes_user_video,priority:1;index:likes_user,priority:1"`
	VideoID   int64 `gorm:"not null;uniqueIndex:likes_user_video,priority:2;index:likes_video,priority:1"`
	AuthorID  int64 `gorm:"not null"`
	CreatedAt int64 `gorm:"not null;autoCreateTime:false;index:likes_user,priority:2"`
}

// Place implements [database.Row]: a like stands in the list of the user who gave it.
func (l like) Place() (owner, createdAt, id int64) { return l.UserID, l.CreatedAt, l.ID }

func (l *like) wire() *interaction.Like {
	return &interaction.Like{ID: l.ID, VideoID: l.VideoID, CreatedAt: l.CreatedAt}
}

// like stores the like, once.
func (s *store) like(ctx context.Context, l like) error {
	err := s.db.Write(ctx, func(tx *gorm.DB) error {
		l.ID, l.CreatedAt = 0, now()
		created := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&l)
		if created.Error != nil || created.RowsAffected == 0 {
			return created.Error
		}
		counts := newTally()
		counts.likes(1, l)
		return counts.add(tx)
	})
	if err != nil {
		return fmt.Errorf("like video: %w", err)
	}
	return nil
}

// unlike takes the like back, if there is one.
func (s *store) unlike(ctx context.Context, userID, videoID int64) error {
	err := s.db.Write(ctx, func(tx *gorm.DB) error {
		_, err := deleteLikes(tx, tx.Where("user_id = ? AND video_id = ?", userID, videoID))
		return err
	})
	if err != nil {
		return fmt.Errorf("unlike video: %w", err)
	}
	return nil
}

// deleteLikes deletes the likes that the query finds and takes them off the counts; it returns what it took.
func deleteLikes(tx, query *gorm.DB) (tally, error) {
	counts := newTally()
	var found []like
	if err := database.Locked(query).Find(&found).Error; err != nil || len(found) == 0 {
		return counts, err
	}
	for _, l := range found {
		counts.likes(-1, l)
	}
	if err := tx.Delete(&found).Error; err != nil {
		return counts, err
	}
	return counts, counts.add(tx)
}

// likesOf returns a page of the likes of each user, latest first.
func (s *store) likesOf(ctx context.Context, users []int64, p *page.Page) (map[int64]database.Rows[like], error) {
	return database.Pages[like](s.db.ReadAfter(ctx, p.After), database.Listing{Table: "likes", Owner: "user_id"}, users, p)
}
