package interaction_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/services/internal/servicetest"
	"minidouyin/services/testenv/redistest"
)

// acknowledged is the last acknowledged state of each pair. A refused change may be stored or not, until the next
// acknowledged one.
type acknowledged struct {
	mu     sync.Mutex
	states map[[2]int64]bool
}

// storm runs workers that like and unlike videos, each as users of its own, so that each knows the order of its
// changes. It returns their last states. A failed change is repeated until it is acknowledged.
func storm(t *testing.T, processes []*process, workers, operations int) *acknowledged {
	t.Helper()
	all := &acknowledged{states: map[[2]int64]bool{}}
	seed := rand.Uint64()
	t.Log("seed", seed)
	servicetest.AtOnce(workers, func(i int) {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		for range operations {
			pair := [2]int64{int64(i + 1), random.Int64N(4) + 10}
			liked := random.IntN(2) == 0
			for try := 0; ; try++ {
				err := processes[random.IntN(len(processes))].set(t.Context(), pair, liked)
				if err == nil {
					break
				}
				if code := codes.Of(err); code != codes.UpstreamUnavailable || try == 600 {
					t.Error(err)
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
			all.mu.Lock()
			all.states[pair] = liked
			all.mu.Unlock()
		}
	})
	return all
}

func (s *service) set(ctx context.Context, pair [2]int64, liked bool) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if liked {
		_, err = s.LikeVideo(ctx, &interaction.LikeVideoRequest{UserID: pair[0], VideoID: pair[1], AuthorID: pair[1] + 100})
	} else {
		_, err = s.UnlikeVideo(ctx, &interaction.UnlikeVideoRequest{UserID: pair[0], VideoID: pair[1]})
	}
	return err
}

// mustSet repeats a change until it is acknowledged.
func (s *service) mustSet(t *testing.T, pair [2]int64, liked bool) {
	t.Helper()
	var err error
	eventually(t, 20*time.Second, func() bool {
		err = s.set(t.Context(), pair, liked)
		return err == nil
	}, func() string { return err.Error() })
}

// staleTime is longer than caches may have an old value after a server of Redis was unavailable.
const staleTime = 40 * time.Second

// check waits until the database has everything, and compares each pair, in rows and in responses, and all counts.
func (s *service) check(t *testing.T, all *acknowledged) {
	t.Helper()
	s.settle(t)
	var rows []struct{ UserID, VideoID, Liked int64 }
	if err := servicetest.Database(t, s.backend.DSN).Read(t.Context()).Raw("SELECT user_id, video_id, liked FROM likes").Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	found := map[[2]int64]bool{}
	for _, row := range rows {
		found[[2]int64{row.UserID, row.VideoID}] = row.Liked == 1
	}
	for pair, liked := range all.states {
		if found[pair] != liked {
			t.Errorf("user %d and video %d: %t in the database, acknowledged %t", pair[0], pair[1], found[pair], liked)
		}
		got := ""
		eventually(t, staleTime, func() bool {
			got = s.video(t, pair[1], pair[0])
			return strings.HasSuffix(got, "true") == liked
		}, func() string {
			return fmt.Sprintf("user %d and video %d: answered %s, acknowledged %t", pair[0], pair[1], got, liked)
		})
	}
	for pair := range maps.Keys(found) {
		if _, known := all.states[pair]; !known {
			t.Errorf("unexpected row of %v", pair)
		}
	}
	s.checkCounts(t)
}

// Users who change their minds about few videos, through two processes that flush the same streams, end with their last
// acknowledged states.
func TestStorm(t *testing.T) {
	eachAck(t, func(t *testing.T, ack string) {
		w := newWorld(t, ack)
		processes := []*process{w.process(t), w.process(t)}
		processes[0].check(t, storm(t, processes, 16, 60))
	})
}

// during kills and restarts something repeatedly while do runs.
func during(kill, restart func(), do func()) {
	ended := make(chan struct{})
	var killer sync.WaitGroup
	killer.Go(func() {
		for {
			select {
			case <-ended:
				return
			case <-time.After(200 * time.Millisecond):
			}
			kill()
			time.Sleep(100 * time.Millisecond)
			restart()
		}
	})
	do()
	close(ended)
	killer.Wait()
}

// A Redis that is killed and restarted under load loses and reorders nothing.
func TestRedisKilledUnderLoad(t *testing.T) {
	eachAck(t, func(t *testing.T, ack string) {
		w := newWorld(t, ack)
		processes := []*process{w.process(t), w.process(t)}
		var all *acknowledged
		during(func() { w.redis.Kill(t) }, func() { w.redis.Restart(t) }, func() { all = storm(t, processes, 8, 40) })
		for _, p := range processes {
			p.recovered(t)
		}
		processes[0].check(t, all)
	})
}

// A database that is killed and restarted under load loses and reorders nothing.
func TestDatabaseKilledUnderLoad(t *testing.T) {
	eachAck(t, func(t *testing.T, ack string) {
		d := startDatabase(t)
		w := newWorld(t, ack)
		w.backend.DSN = d.dsn
		processes := []*process{w.process(t), w.process(t)}
		var all *acknowledged
		during(func() { d.Kill(t) }, func() { d.Restart(t) }, func() { all = storm(t, processes, 8, 100) })
		processes[0].check(t, all)
	})
}

// A cluster whose nodes are killed and restarted under load, and which is wiped, loses and reorders nothing
// acknowledged.
func TestCluster(t *testing.T) {
	eachAck(t, func(t *testing.T, ack string) {
		t.Parallel()
		server := redistest.StartCluster(t)
		w := newWorldOn(t, server, ack)
		processes := []*process{w.process(t), w.process(t)}
		var all *acknowledged
		i := 0
		during(func() { server.Node(i % 3).Kill(t) }, func() { server.Node(i % 3).Restart(t); i++ }, func() { all = storm(t, processes, 8, 20) })
		for _, p := range processes {
			p.recovered(t)
		}
		processes[0].check(t, all)
		servicetest.Wipe(t, w.backend.Redis)
		processes[1].check(t, all)
		for pair, liked := range all.states {
			processes[0].mustSet(t, pair, !liked)
			all.states[pair] = !liked
		}
		processes[1].check(t, all)
	})
}
