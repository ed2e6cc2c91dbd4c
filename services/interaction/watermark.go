package interaction

import (
	"context"
	"fmt"
	"math/bits"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"minidouyin/services/internal/database"
)

// mark is how far one partition is flushed.
type mark struct {
	mu       sync.Mutex
	version  int64           // all entries up to it are in the database or in dead
	dead     map[int64]error // versions that never get there, while somebody may ask
	moved    chan struct{}   // closed at the next move
	attempts map[string]int  // of entries that failed by themselves
}

func (m *mark) attempt(id string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.attempts[id]++
	return m.attempts[id]
}

func (m *mark) bury(version int64, id string, why error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	const most = 1000
	if len(m.dead) >= most {
		clear(m.dead)
	}
	m.dead[version] = why
	delete(m.attempts, id)
}

// move moves the mark on and wakes those who wait for that.
func (m *mark) move(to int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if to > m.version {
		m.version = to
		close(m.moved)
		m.moved = make(chan struct{})
	}
}

// look tells whether the entry with the version was flushed, the error of one that never will be, and else what to wait
// for.
func (m *mark) look(version int64) (flushed bool, moved <-chan struct{}, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.dead[version]; err != nil {
		return false, nil, err
	}
	return version <= m.version, m.moved, nil
}

// await waits until the entry of the pair is in the database.
func (f *flusher) await(ctx context.Context, p pair, version int64) error {
	// When another process has flushed it, only the database knows.
	const lookInterval = 100 * time.Millisecond
	timer := time.NewTimer(lookInterval)
	defer timer.Stop()
	partition := partitionOf(p.UserID)
	for {
		flushed, moved, err := f.marks[partition].look(version)
		if flushed || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-moved:
			continue
		case <-timer.C:
		}
		timer.Reset(lookInterval)
		id := fmt.Sprintf("%d-%d", version>>versionShift, version&(1<<versionShift-1))
		left, err := f.redis.XRange(ctx, streamKey(partition), id, id).Result()
		if err == nil && len(left) > 0 {
			f.notify(1 << partition)
			continue
		}
		if flushed, _, err := f.marks[partition].look(version); flushed || err != nil { // meanwhile
			return err
		}
		stored, err := f.store.versionOf(ctx, p)
		if err != nil {
			return fmt.Errorf("look for a like: %w", err)
		}
		if stored >= version {
			return nil
		}
		if len(left) == 0 { // Redis has lost it, or another process has buried it
			return unavailable()
		}
	}
}

// settle waits, for a short time at most, until the database has what the log holds of the partitions now.
func (f *flusher) settle(ctx context.Context, work uint64, most time.Duration) {
	if !f.up.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	until := map[int]string{}
	for {
		var firsts, lasts [partitions]*redis.XMessageSliceCmd
		_, err := f.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for left := work; left != 0; left &= left - 1 {
				p := bits.TrailingZeros64(left)
				firsts[p] = pipe.XRangeN(ctx, streamKey(p), "-", "+", 1)
				if _, known := until[p]; !known {
					lasts[p] = pipe.XRevRangeN(ctx, streamKey(p), "+", "-", 1)
				}
			}
			return nil
		})
		if err != nil {
			return
		}
		for left := work; left != 0; left &= left - 1 {
			p := bits.TrailingZeros64(left)
			if lasts[p] != nil && len(lasts[p].Val()) > 0 {
				until[p] = lasts[p].Val()[0].ID
			}
			first := firsts[p].Val()
			if len(first) == 0 || after(first[0].ID, until[p]) {
				work &^= 1 << p
			}
		}
		if work == 0 {
			return
		}
		f.notify(work)
		for i := range flushers {
			if work&ownPartitions(i) != 0 {
				signal(f.hurry[i])
			}
		}
		if database.Pause(ctx, 3*time.Millisecond) != nil {
			return
		}
	}
}

// after tells whether the entry with the first id stands behind the one with the second.
func after(id, other string) bool {
	a, errA := versionOf(id)
	b, errB := versionOf(other)
	return errA == nil && errB == nil && a > b
}
