package basics

import (
	"context"
	"fmt"
	"math"
	"time"

	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/basics"
)

// removal is something to be removed once it is due. One of user, video and file is set. A file that is about to be
// stored gets a removal before a row refers to it: its reservation.
type removal struct {
	ID      int64  `gorm:"primaryKey;index:removals_due_at,priority:2"`
	UserID  int64  `gorm:"not null"`
	VideoID int64  `gorm:"not null"`
	FileKey string `gorm:"size:200;not null;index:removals_file_key"`
	DueAt   int64  `gorm:"not null;index:removals_due_at,priority:1"`
}

func (r *removal) wire() *basics.Removal {
	return &basics.Removal{ID: r.ID, UserID: r.UserID, VideoID: r.VideoID, FileKey: r.FileKey}
}

// reserveFiles adds a removal for each file, due after ttl.
func (s *store) reserveFiles(ctx context.Context, keys []string, ttl time.Duration) error {
	due := time.Now().Add(ttl).UnixMilli()
	err := s.db.Write(ctx, func(tx *gorm.DB) error {
		removals := make([]removal, len(keys))
		for i, key := range keys {
			removals[i] = removal{FileKey: key, DueAt: due}
		}
		return addRemovals(tx, removals)
	})
	if err != nil {
		return fmt.Errorf("reserve files: %w", err)
	}
	return nil
}

// removals returns the removals that are due, or all, in the order in which they fall due.
func (s *store) removals(ctx context.Context, limit int, all bool) ([]removal, error) {
	due := now()
	if all {
		due = math.MaxInt64
	}
	var found []removal
	if err := s.db.Read(ctx).Where("due_at <= ?", due).Order("due_at, id").Limit(limit).Find(&found).Error; err != nil {
		return nil, fmt.Errorf("list removals: %w", err)
	}
	return found, nil
}

// finishRemovals deletes removals. Missing ones are ignored.
func (s *store) finishRemovals(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	err := s.db.Write(ctx, func(tx *gorm.DB) error { return tx.Delete(&removal{}, ids).Error })
	if err != nil {
		return fmt.Errorf("finish removals: %w", err)
	}
	return nil
}

// replaceFile sets *key to the replacement, unless that is nil or the same. The old file gets a removal, and the new
// one loses its reservation.
func replaceFile(tx *gorm.DB, key, replacement *string) error {
	if replacement == nil || *replacement == *key {
		return nil
	}
	old := *key
	*key = *replacement
	if err := addRemovals(tx, filesDue(old)); err != nil {
		return err
	}
	return deleteReservations(tx, *key)
}

// deleteReservations deletes the removals of files that a row refers to from now on.
func deleteReservations(tx *gorm.DB, keys ...string) error {
	return tx.Where("file_key IN ? AND file_key <> ''", keys).Delete(&removal{}).Error
}

// lateTime is longer than any request takes: a like or comment that was in progress when its video or author was
// deleted may be stored within that time. So the data of other services is removed at once, and again after lateTime.
const lateTime = 3 * time.Minute

// removalsOf returns the removals of a deleted video.
func removalsOf(v video) []removal {
	return append(filesDue(v.PlayKey, v.CoverKey), twice(removal{VideoID: v.ID})...)
}

// twice returns the removal, due now and due after lateTime.
func twice(r removal) []removal {
	again := r
	r.DueAt, again.DueAt = now(), now()+lateTime.Milliseconds()
	return []removal{r, again}
}

// filesDue returns removals of files that no row refers to any more. Empty keys are ignored.
func filesDue(keys ...string) []removal {
	var removals []removal
	for _, key := range keys {
		if key != "" {
			removals = append(removals, removal{FileKey: key, DueAt: now()})
		}
	}
	return removals
}

func addRemovals(tx *gorm.DB, removals []removal) error {
	if len(removals) == 0 {
		return nil
	}
	return tx.CreateInBatches(removals, batch).Error
}
