package interaction_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"gorm.io/gorm"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services"
	"minidouyin/services/internal/servicetest"
)

// Each case is a moment at which a process can die, or a state that it leaves. The next process repairs it.
func TestCrashPoints(t *testing.T) {
	for name, test := range map[string]func(t *testing.T, w *world){
		"before the flush":     crashBeforeFlush,
		"after the commit":     crashAfterCommit,
		"while it flushes":     crashWhileFlushing,
		"with the group":       loseGroup,
		"after the deadline":   crashAfterDeadline,
		"without Redis's data": loseRedis,
		"with poison":          refuseEntries,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, services.AckLogged))
		})
	}
}

// entryOf returns the text of a log entry.
func entryOf(user, video int64, liked bool) string {
	state := map[bool]int{true: 1, false: 0}[liked]
	return fmt.Sprintf("%d %d %d %d %d", state, user, video, video+100, time.Now().Add(time.Minute).UnixMilli())
}

// addEntry adds an entry to the stream of the user's partition.
func (w *world) addEntry(t *testing.T, user int64, id, text string) {
	t.Helper()
	err := w.backend.Redis.XAdd(t.Context(), &redis.XAddArgs{Stream: fmt.Sprintf("likes:{%d}", user%64), ID: id, Values: []string{"like", text}}).Err()
	if err != nil {
		t.Fatal(err)
	}
}

// Before the flush: the next process stores the entries.
func crashBeforeFlush(t *testing.T, w *world) {
	w.addEntry(t, 1, "*", entryOf(1, 10, true))
	w.addEntry(t, 65, "*", entryOf(65, 10, true))
	w.addEntry(t, 1, "*", entryOf(1, 10, false))
	s := w.process(t)
	s.check(t, &acknowledged{states: map[[2]int64]bool{{1, 10}: false, {65, 10}: true}})
}

// Between the commit and the removal of the entries: storing them again changes nothing, in any order.
func crashAfterCommit(t *testing.T, w *world) {
	ms := time.Now().UnixMilli()
	s := w.process(t)
	for range 3 {
		for i, liked := range []bool{true, false, true} {
			key := "likes:{1}"
			w.backend.Redis.Del(t.Context(), key) // so that an old id may come again
			w.addEntry(t, 1, fmt.Sprintf("%d-%d", ms+int64(i), 0), entryOf(1, 10, liked))
			s.settle(t)
		}
	}
	s.check(t, &acknowledged{states: map[[2]int64]bool{{1, 10}: true}})
	is(t, s.video(t, 10, 0), "1 likes 0 comments false")
}

// After reading entries: another process claims them.
func crashWhileFlushing(t *testing.T, w *world) {
	s := w.process(t)
	group := &redis.XReadGroupArgs{Group: "flushers", Consumer: "dead", Streams: []string{"likes:{1}", ">"}, Block: -1}
	eventually(t, 10*time.Second, func() bool {
		w.addEntry(t, 1, "*", entryOf(1, 10, true))
		return w.backend.Redis.XReadGroup(t.Context(), group).Err() == nil
	}, func() string { return "the process reads each entry first" })
	s.check(t, &acknowledged{states: map[[2]int64]bool{{1, 10}: true}})
}

// A lost group is created again and begins with the first entry.
func loseGroup(t *testing.T, w *world) {
	s := w.process(t)
	release := w.hold(t)
	s.mustLike(t, 1, 10, 110)
	w.backend.Redis.XGroupDestroy(t.Context(), "likes:{1}", "flushers")
	release()
	s.check(t, &acknowledged{states: map[[2]int64]bool{{1, 10}: true}})
}

// An entry that Redis wrote after its deadline does not count, nor does its state.
func crashAfterDeadline(t *testing.T, w *world) {
	s := w.process(t)
	s.mustLike(t, 1, 10, 110)
	s.settle(t)
	deadline := time.Now().Add(-time.Second).UnixMilli()
	w.backend.Redis.HSet(t.Context(), "fav:{1}:1", "10", fmt.Sprintf("0 %d", deadline))
	w.addEntry(t, 1, "*", fmt.Sprintf("0 1 10 0 %d", deadline))
	s.check(t, &acknowledged{states: map[[2]int64]bool{{1, 10}: true}})
}

// A Redis that lost everything, and whose clock went back, gives likes newer versions than all before.
func loseRedis(t *testing.T, w *world) {
	s := w.process(t)
	s.mustLike(t, 1, 10, 110)
	s.mustLike(t, 65, 10, 110)
	s.settle(t)
	err := servicetest.Database(t, w.backend.DSN).Write(t.Context(), func(tx *gorm.DB) error {
		ahead := int64(10 * 60 * 1000 << 22) // as if the clock had been ten minutes ahead
		if err := tx.Exec("UPDATE likes SET version = version + ?", ahead).Error; err != nil {
			return err
		}
		return tx.Exec("UPDATE like_log SET reserved = reserved + ?", ahead).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	w.backend.Redis.FlushAll(t.Context())
	is(t, s.video(t, 10, 1), "2 likes 0 comments true")
	all := &acknowledged{states: map[[2]int64]bool{{65, 10}: true, {1, 10}: false}}
	s.mustSet(t, [2]int64{1, 10}, false)
	s.check(t, all)
	s.mustSet(t, [2]int64{1, 10}, true)
	all.states[[2]int64{1, 10}] = true
	s.check(t, all)
}

// Changes that cannot be stored become dead letters and block nothing.
func refuseEntries(t *testing.T, w *world) {
	s := w.process(t)
	s.poison(t)
	all := &acknowledged{states: map[[2]int64]bool{}}
	w.addEntry(t, 1, "*", "rubbish")
	w.addEntry(t, 1, "*", entryOf(2, 10, true)) // of another partition
	for user := int64(1); user < 100; user++ {
		w.addEntry(t, user, "*", entryOf(user, 10, true))
		all.states[[2]int64{user, 10}] = true
	}
	w.addEntry(t, 1, "*", entryOf(1, 666, true))
	s.check(t, all)
	dead, err := w.backend.Redis.XRange(t.Context(), "likes:{1}:dead", "-", "+").Result()
	if err != nil || len(dead) != 3 || !strings.Contains(fmt.Sprint(dead[2].Values["reason"]), "poison") {
		t.Errorf("dead letters: %v (%v)", dead, err)
	}
}

// While Redis is unavailable, logged likes are refused, stored likes succeed, and reads succeed. When Redis is back,
// everything works.
func TestRedisAway(t *testing.T) {
	eachAck(t, func(t *testing.T, ack string) {
		w := newWorld(t, ack)
		s := w.process(t)
		s.mustLike(t, 1, 10, 110)
		all := &acknowledged{states: map[[2]int64]bool{{1, 10}: true}}
		s.check(t, all)
		w.redis.Kill(t)
		err := s.set(t.Context(), [2]int64{1, 10}, false)
		if ack == services.AckStored {
			if err != nil {
				t.Fatal(err)
			}
			all.states[[2]int64{1, 10}] = false
		} else if codes.Of(err) != codes.UpstreamUnavailable {
			t.Errorf("got %v", err)
		}
		stats := servicetest.Must(s.BatchGetVideoStats(t.Context(), &interaction.BatchGetVideoStatsRequest{VideoIds: []int64{10}, ViewerID: 1}))(t).Stats[10]
		if stats.LikedByViewer != all.states[[2]int64{1, 10}] {
			t.Errorf("got %v", stats)
		}
		servicetest.Must(s.ListLikedVideoIDs(t.Context(), &interaction.ListLikedVideoIDsRequest{UserIds: []int64{1}, Page: &page.Page{Limit: 9}}))(t)
		w.redis.Restart(t)
		s.recovered(t)
		s.check(t, all)
	})
}
