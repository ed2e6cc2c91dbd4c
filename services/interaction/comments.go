package interaction

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/database"
)

type comment struct {
	ID        int64  `gorm:"primaryKey;index:comments_video,priority:3;index:comments_user,priority:2"`
	VideoID   int64  `gorm:"not null;index:comments_video,priority:1"`
	UserID    int64  `gorm:"not null;index:comments_user,priority:1"`
	Content   string `gorm:"size:256;not null"`
	CreatedAt int64  `gorm:"not null;autoCreateTime:false;index:comments_video,priority:2"`
}

// Position implements [database.Row]: a comment is in the list of its video.
func (c comment) Position() (owner, createdAt, id int64) { return c.VideoID, c.CreatedAt, c.ID }

func (c *comment) wire() *interaction.Comment {
	return &interaction.Comment{
		ID: c.ID, VideoID: c.VideoID, UserID: c.UserID, Content: c.Content, CreatedAt: c.CreatedAt,
	}
}

// createComment stores the comment and sets its id and time.
func (s *store) createComment(ctx context.Context, c *comment) error {
	err := s.write(ctx, func(tx *gorm.DB, _ cache.Also) error {
		c.ID, c.CreatedAt = 0, now()
		if err := tx.Create(c).Error; err != nil {
			return err
		}
		counts := newTally()
		counts.comments(1, c.VideoID)
		return counts.add(tx)
	}, s.caches.videos.Key(c.VideoID))
	if err != nil {
		return fmt.Errorf("create comment: %w", err)
	}
	return nil
}

// deleteComment deletes a comment of the video, if the caller wrote it or is the video's author. Codes: NotFound,
// PermissionDenied.
func (s *store) deleteComment(ctx context.Context, id, videoID, asker, videoAuthor int64) error {
	err := s.write(ctx, func(tx *gorm.DB, _ cache.Also) error {
		var found []comment
		if err := database.Locked(tx).Where("id = ? AND video_id = ?", id, videoID).Find(&found).Error; err != nil {
			return err
		}
		if len(found) == 0 {
			return codes.Errorf(codes.NotFound, "no such comment under this video")
		}
		if asker != found[0].UserID && asker != videoAuthor {
			return codes.Errorf(codes.PermissionDenied, "only its author or the video's may delete a comment")
		}
		_, _, err := s.deleteComments(tx, tx.Where("id = ?", id))
		return err
	}, s.caches.videos.Key(videoID))
	if err != nil {
		return fmt.Errorf("delete comment: %w", err)
	}
	return nil
}

// deleteComments deletes the comments that the query finds and subtracts them from the counts. It returns the keys of
// the cached values that change.
func (s *store) deleteComments(tx, query *gorm.DB) (keys []string, counts tally, err error) {
	counts = newTally()
	var found []comment
	if err := database.Locked(query).Find(&found).Error; err != nil || len(found) == 0 {
		return nil, counts, err
	}
	for _, c := range found {
		counts.comments(-1, c.VideoID)
		keys = append(keys, s.caches.videos.Key(c.VideoID))
	}
	if err := tx.Delete(&found).Error; err != nil {
		return nil, counts, err
	}
	return keys, counts, counts.add(tx)
}

// comments returns those that exist.
func (s *store) comments(ctx context.Context, ids []int64) (map[int64]*interaction.Comment, error) {
	comments := make(map[int64]*interaction.Comment, len(ids))
	if len(ids) == 0 {
		return comments, nil
	}
	var found []comment
	if err := s.db.Read(ctx).Where("id IN ?", ids).Find(&found).Error; err != nil {
		return nil, fmt.Errorf("get comments: %w", err)
	}
	for _, c := range found {
		comments[c.ID] = c.wire()
	}
	return comments, nil
}

// commentsUnder returns a page of the comments of each video, newest first.
func (s *store) commentsUnder(ctx context.Context, videos []int64, p *page.Page) (map[int64]*interaction.CommentPage, error) {
	return database.Pages(s.db.ReadAfter(ctx, p.After), database.Listing{Table: "comments", Owner: "video_id"}, videos, p, commentPage)
}

func commentPage(rows database.Rows[comment]) *interaction.CommentPage {
	comments := make([]*interaction.Comment, len(rows.Rows))
	for i := range rows.Rows {
		comments[i] = rows.Rows[i].wire()
	}
	return &interaction.CommentPage{Comments: comments, HasMore: rows.HasMore}
}
