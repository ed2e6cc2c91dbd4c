package basics

import (
	"context"
	"fmt"
	"math"
	"time"

	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/basics"
)

// removal is something that must go once it is due. One of user, video and file is set. A file that is about to be
// stored has a removal before the row that refers to it: its reservation.
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

// reserveFiles writes a removal for each file, due after ttl.
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

// removals returns those that are due, or all, in the order in which they fall due.
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

// finishRemovals forgets removals; those that are gone already do not matter.
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

// replaceFile sets *key to the new one, unless that is nil or the same: the old file becomes a removal, and the new
// one keeps no reservation.
func replaceFile(tx *gorm.DB, key, replacement *string) error {
	if replacement == nil || *replacement == *key {
		return nil
	}
	old := *key
	*key = *replacement
	if err := addRemovals(tx, filesDue(old)); err != nil {
		return err
	}
	return strikeReservations(tx, *key)
}

// strikeReservations takes back the removals of files that a row refers to from now on.
func strikeReservations(tx *gorm.DB, keys ...string) error {
	return tx.Where("file_key IN ? AND file_key <> ''", keys).Delete(&removal{}).Error
}

// stragglers is how long a like or comment may still arrive that was on its way when its video, or its author, was
// deleted: longer than any request may take. What is held elsewhere is removed at once and again after that time.
const stragglers = 3 * time.Minute

// removalsOf returns the removals of a deleted video.
func removalsOf(v video) []removal {
	return append(filesDue(v.PlayKey, v.CoverKey), twice(removal{VideoID: v.ID})...)
}

// twice returns the removal for now and for when no straggler can arrive any more.
func twice(r removal) []removal {
	again := r
	r.DueAt, again.DueAt = now(), now()+stragglers.Milliseconds()
	return []removal{r, again}
}

// filesDue returns removals of files that no row refers to any more; an empty key is no file.
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
