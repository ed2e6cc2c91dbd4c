package interaction

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"minidouyin/services/interaction/likelog"
	"minidouyin/services/internal/database"
)

// likeLog has one row while a log is in use, which may hold acknowledged likes that are not in the database.
//
// Reserved is an upper bound of the versions in the database. The log starts above it, also when Redis has lost
// everything or its clock went back. The row is created with the highest version, before the log takes its first like,
// and each transaction that stores versions of the log raises Reserved first. Stored likes do not: their versions are
// the clocks of the instances, but none is written while a log is in use.
type likeLog struct {
	ID       int64 `gorm:"primaryKey;autoIncrement:false"`
	Reserved int64 `gorm:"not null"`
}

// TableName implements gorm's Tabler.
func (likeLog) TableName() string { return "like_log" }

// reservedAhead is how far Reserved is raised above the versions in use, in milliseconds: far enough that it is rarely
// raised, and near enough that likes after a loss of Redis are not dated far in the future.
const reservedAhead = 2000

// openLog opens the log for AckLogged. For AckStored it drains a log that was in use before. The previous release did
// not record that, so a log is drained whenever there is a Redis.
func (h *Handler) openLog(ctx context.Context, cfg Config) (err error) {
	logConfig := likelog.Config{Redis: cfg.Redis, Store: h.store, Log: cfg.Log, Registry: cfg.Registry, LagAlarm: cfg.LagAlarm, OwnWait: cfg.OwnWait}
	if cfg.Ack == AckLogged {
		if cfg.Redis == nil {
			return errors.New("--like-ack=logged needs --redis")
		}
		if _, err := h.store.Reserved(ctx); err != nil {
			return err
		}
		h.log, err = likelog.Open(ctx, logConfig)
		return err
	}
	var records []likeLog
	if err := h.store.db.Read(ctx).Find(&records).Error; err != nil {
		return fmt.Errorf("read the record of logged likes: %w", err)
	}
	if cfg.Redis != nil {
		err = likelog.Drain(ctx, logConfig)
	} else if len(records) > 0 {
		err = errors.New("name its Redis by --redis")
	}
	switch {
	case err == nil && cfg.Redis != nil: // draining may have created the record
		return h.store.db.Write(ctx, func(tx *gorm.DB) error { return tx.Where("id = 1").Delete(&likeLog{}).Error })
	case len(records) > 0:
		return fmt.Errorf("likes were acknowledged by --like-ack=logged and may not be in the database yet: %w", err)
	case err != nil:
		cfg.Log.Warn("cannot read likes that an older release left in redis, starting without them", "error", err)
	}
	return nil
}

// Reserved implements [likelog.Store].
func (s *store) Reserved(ctx context.Context) (reserved int64, err error) {
	err = s.db.Write(ctx, func(tx *gorm.DB) error {
		var records []likeLog
		if err := tx.Find(&records).Error; err != nil {
			return err
		}
		if len(records) > 0 {
			reserved = records[0].Reserved
			return nil
		}
		// This scans the table, once when a log comes into use.
		if err := tx.Raw("SELECT COALESCE(MAX(version), 0) FROM likes").Scan(&reserved).Error; err != nil {
			return err
		}
		return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&likeLog{ID: 1, Reserved: reserved}).Error
	})
	if err != nil {
		return 0, fmt.Errorf("record that likes are logged: %w", err)
	}
	return reserved, nil
}

// Flush implements [likelog.Store].
func (s *store) Flush(ctx context.Context, changes []likelog.Change) (refused []error, err error) {
	for part := range slices.Chunk(changes, maxBatch) {
		rows := make([]like, len(part))
		for i, c := range part {
			rows[i] = like{UserID: c.UserID, VideoID: c.VideoID, AuthorID: c.AuthorID, Liked: c.Liked, Version: c.Version}
		}
		errs := s.changeLikes(ctx, rows, byVersion)
		failed := 0
		for _, err := range errs {
			if err != nil && (ctx.Err() != nil || database.Unavailable(err)) {
				return nil, err
			}
			if err != nil {
				failed++
			}
		}
		if failed > 1 && failed == len(errs) { // the cause is not a single change
			return nil, errs[0]
		}
		refused = append(refused, errs...)
	}
	return refused, nil
}

// reserve raises Reserved above the changes, and returns its value after the commit.
func (s *store) reserve(tx *gorm.DB, changes []like) (int64, error) {
	top := slices.MaxFunc(changes, func(a, b like) int { return cmp.Compare(a.Version, b.Version) }).Version
	if known := s.reserved.Load(); top <= known {
		return known, nil
	}
	top += reservedAhead << likelog.VersionShift
	given := database.Excluded(tx, "reserved")
	higher := gorm.Expr("CASE WHEN " + given + " > like_log.reserved THEN " + given + " ELSE like_log.reserved END")
	conflict := clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.Assignments(map[string]any{"reserved": higher})}
	return top, tx.Clauses(conflict).Create(&likeLog{ID: 1, Reserved: top}).Error
}
