package basics

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/database"
)

// maxTimes bounds the search for a publishing time that no other video has.
const maxTimes = 2000

// video has a unique publishing time, so that pages by time alone neither lose nor repeat a video.
type video struct {
	ID        int64  `gorm:"primaryKey;index:videos_author,priority:3"`
	AuthorID  int64  `gorm:"not null;index:videos_author,priority:1"`
	Title     string `gorm:"size:50;not null"`
	PlayKey   string `gorm:"size:200;not null"`
	CoverKey  string `gorm:"size:200;not null"`
	CreatedAt int64  `gorm:"not null;autoCreateTime:false;uniqueIndex:videos_created_at;index:videos_author,priority:2"`
}

// Position implements [database.Row]: a video is in the list of its author.
func (v video) Position() (owner, createdAt, id int64) { return v.AuthorID, v.CreatedAt, v.ID }

func (v *video) wire() *basics.Video {
	return &basics.Video{
		ID: v.ID, AuthorID: v.AuthorID, Title: v.Title, PlayKey: v.PlayKey, CoverKey: v.CoverKey, CreatedAt: v.CreatedAt,
	}
}

// createVideo stores the video, sets its id and publishing time, and deletes the reservations of its files.
// Code: NotFound for the author.
func (s *store) createVideo(ctx context.Context, v *video) error {
	err := cache.Change(ctx, s.caches.store, func(also cache.Also) error {
		defer func() { also(s.caches.videos.Key(v.ID)) }() // its absence may be cached
		for range maxTimes {
			err := s.db.Write(ctx, func(tx *gorm.DB) error { return publish(tx, v) })
			if !errors.Is(err, gorm.ErrDuplicatedKey) {
				return err
			}
			// Another video has this millisecond: the next one may be free.
			if err := database.Pause(ctx, time.Millisecond); err != nil {
				return err
			}
		}
		return fmt.Errorf("no free publishing time after %d attempts", maxTimes)
	}, s.caches.videoKeys(v.AuthorID)...)
	if err != nil {
		return fmt.Errorf("create video: %w", err)
	}
	return nil
}

func publish(tx *gorm.DB, v *video) error {
	if counted, err := countVideos(tx, v.AuthorID, 1); err != nil {
		return err
	} else if !counted {
		return errNoUser()
	}
	v.ID, v.CreatedAt = 0, now()
	if err := tx.Create(v).Error; err != nil {
		return err
	}
	return deleteReservations(tx, v.PlayKey, v.CoverKey)
}

// videos returns those that exist.
func (s *store) videos(ctx context.Context, ids []int64) (map[int64]*basics.Video, error) {
	return s.caches.videos.Get(ctx, ids, s.readVideos)
}

func (s *store) readVideos(ctx context.Context, ids []int64) (map[int64]*basics.Video, error) {
	var found []video
	if err := s.db.Read(ctx).Where("id IN ?", ids).Find(&found).Error; err != nil {
		return nil, fmt.Errorf("get videos: %w", err)
	}
	videos := make(map[int64]*basics.Video, len(found))
	for _, v := range found {
		videos[v.ID] = v.wire()
	}
	return videos, nil
}

// updateVideo changes the fields that are not nil and returns the changed video. Codes: NotFound, PermissionDenied.
func (s *store) updateVideo(ctx context.Context, id, caller int64, title, coverKey *string) (*basics.Video, error) {
	var v video
	err := s.write(ctx, func(tx *gorm.DB, _ cache.Also) (err error) {
		if v, err = lockVideo(tx, id, caller); err != nil {
			return err
		}
		if title != nil {
			v.Title = *title
		}
		if err := replaceFile(tx, &v.CoverKey, coverKey); err != nil {
			return err
		}
		return tx.Select("Title", "CoverKey").Updates(&v).Error
	}, s.caches.videos.Key(id), s.caches.lists.Key(caller), s.caches.feed.Key(newest))
	if err != nil {
		return nil, fmt.Errorf("update video: %w", err)
	}
	return v.wire(), nil
}

// deleteVideo deletes the video and adds removals for what other services and the file store hold of it. Codes:
// NotFound, PermissionDenied.
func (s *store) deleteVideo(ctx context.Context, id, caller int64) error {
	err := s.write(ctx, func(tx *gorm.DB, _ cache.Also) error {
		v, err := lockVideo(tx, id, caller)
		if err != nil {
			return err
		}
		if err := tx.Delete(&v).Error; err != nil {
			return err
		}
		if _, err := countVideos(tx, v.AuthorID, -1); err != nil {
			return err
		}
		return addRemovals(tx, removalsOf(v))
	}, append(s.caches.videoKeys(caller), s.caches.videos.Key(id))...)
	if err != nil {
		return fmt.Errorf("delete video: %w", err)
	}
	return nil
}

// deleteVideosOf deletes all videos of a user who is about to be deleted, and returns their ids.
func deleteVideosOf(tx *gorm.DB, author int64) (ids []int64, err error) {
	for {
		var found []video
		if err := tx.Where("author_id = ?", author).Order("created_at, id").Limit(batch).Find(&found).Error; err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return ids, nil
		}
		var removals []removal
		for _, v := range found {
			removals = append(removals, removalsOf(v)...)
			ids = append(ids, v.ID)
		}
		if err := errors.Join(tx.Delete(&found).Error, addRemovals(tx, removals)); err != nil {
			return nil, err
		}
	}
}

func lockVideo(tx *gorm.DB, id, caller int64) (video, error) {
	var found []video
	if err := database.Locked(tx).Where("id = ?", id).Find(&found).Error; err != nil {
		return video{}, err
	}
	if len(found) == 0 {
		return video{}, codes.Errorf(codes.NotFound, "no such video")
	}
	if found[0].AuthorID != caller {
		return video{}, codes.Errorf(codes.PermissionDenied, "only its author may change a video")
	}
	return found[0], nil
}

// countVideos adds delta to the video count of a user, and reports whether the user exists.
func countVideos(tx *gorm.DB, author, delta int64) (bool, error) {
	done := tx.Model(&user{}).Where("id = ?", author).Update("video_count", gorm.Expr("video_count + ?", delta))
	return done.RowsAffected == 1, done.Error
}
