package interaction_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"gorm.io/gorm"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/interaction/interactionservice"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services"
	likes "minidouyin/services/interaction"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/servicetest"
	"minidouyin/services/mysqltest"
	"minidouyin/services/redistest"
)

// world is a database with a Redis, which processes share.
type world struct {
	service
	redis *redistest.Server
}

func newWorld(t *testing.T, ack string) *world { return newWorldOn(t, redistest.Start(t), ack) }

func newWorldOn(t *testing.T, server *redistest.Server, ack string) *world {
	return &world{service{backend: servicetest.Backend{DSN: mysqltest.Database(t), Redis: servicetest.Redis(t, server.URL), LikeAck: ack}}, server}
}

// process is an instance of the service that a test may end, in good order or not.
type process struct {
	service
	close func()
}

// process starts an instance. What crash ends with its context fails in the middle of whatever it does.
func (w *world) process(t *testing.T) *process {
	t.Helper()
	statements := &servicetest.Statements{}
	opened, err := services.Open(t.Context(), services.Interaction, services.Config{
		DSN: w.backend.DSN, Redis: servicetest.Redis(t, w.redis.URL), LikeAck: w.backend.LikeAck,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &process{close: sync.OnceFunc(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})}
	p.service = service{interactionservice.MustNewClient(services.Interaction, servicetest.Local(t, opened.Server)), statements, w.backend}
	t.Cleanup(p.close)
	return p
}

// promised is the last state of each pair that was acknowledged. What was refused may hold or not, until it is
// acknowledged again.
type promised struct {
	mu     sync.Mutex
	states map[[2]int64]bool
}

// storm has workers like and take back the videos of users of their own, so that each knows the order, and returns what
// they were promised. An operation that fails is repeated until it is acknowledged.
func storm(t *testing.T, processes []*process, workers, operations int) *promised {
	t.Helper()
	all := &promised{states: map[[2]int64]bool{}}
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
				if code := codes.Of(err); code != codes.UpstreamUnavailable || try == 300 {
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

// check waits until the database has everything, and compares each pair, as rows and as answers, and all counts.
func (s *service) check(t *testing.T, all *promised) {
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
			t.Errorf("user %d and video %d: %t in the database, promised %t", pair[0], pair[1], found[pair], liked)
		}
		if got := s.video(t, pair[1], pair[0]); strings.HasSuffix(got, "true") != liked {
			t.Errorf("user %d and video %d: answered %s, promised %t", pair[0], pair[1], got, liked)
		}
	}
	for pair := range maps.Keys(found) {
		if _, known := all.states[pair]; !known {
			t.Errorf("nobody has touched %v", pair)
		}
	}
	s.checkCounts(t)
}

func eachAck(t *testing.T, test func(t *testing.T, ack string)) {
	for _, ack := range []string{services.AckStored, services.AckLogged} {
		t.Run(ack, func(t *testing.T) { test(t, ack) })
	}
}

// Many who change their minds about few videos, through two processes that flush the same streams, leave what each was
// promised last.
func TestStorm(t *testing.T) {
	eachAck(t, func(t *testing.T, ack string) {
		w := newWorld(t, ack)
		processes := []*process{w.process(t), w.process(t)}
		processes[0].check(t, storm(t, processes, 16, 60))
	})
}

// A Redis that is killed and comes back in the middle of the load loses and reorders nothing.
func TestRedisKilledUnderLoad(t *testing.T) {
	eachAck(t, func(t *testing.T, ack string) {
		w := newWorld(t, ack)
		processes := []*process{w.process(t), w.process(t)}
		ended := make(chan struct{})
		var killer sync.WaitGroup
		killer.Go(func() {
			for {
				select {
				case <-ended:
					return
				case <-time.After(200 * time.Millisecond):
				}
				w.redis.Kill(t)
				time.Sleep(100 * time.Millisecond)
				w.redis.Restart(t)
			}
		})
		all := storm(t, processes, 8, 40)
		close(ended)
		killer.Wait()
		// Both must have noticed that it is back, and made it forget what they wrote without it.
		for _, p := range processes {
			p.recovered(t)
		}
		processes[0].check(t, all)
	})
}

// A cluster that is wiped, and one of whose servers is killed and comes back in the middle of the load, loses and
// reorders nothing that was promised.
func TestCluster(t *testing.T) {
	eachAck(t, func(t *testing.T, ack string) {
		t.Parallel()
		server := redistest.StartCluster(t)
		w := newWorldOn(t, server, ack)
		processes := []*process{w.process(t), w.process(t)}
		ended := make(chan struct{})
		var killer sync.WaitGroup
		killer.Go(func() {
			for i := 0; ; i++ {
				time.Sleep(100 * time.Millisecond)
				server.Node(i % 3).Kill(t)
				time.Sleep(100 * time.Millisecond)
				server.Node(i % 3).Restart(t)
				select {
				case <-ended:
					return
				case <-time.After(time.Second):
				}
			}
		})
		all := storm(t, processes, 8, 20)
		close(ended)
		killer.Wait()
		for _, p := range processes {
			p.recovered(t)
		}
		processes[0].check(t, all)
		servicetest.Wipe(t, w.backend.Redis)
		processes[1].check(t, all)
		for pair, liked := range all.states {
			if err := processes[0].set(t.Context(), pair, !liked); err != nil {
				t.Fatal(err)
			}
			all.states[pair] = !liked
		}
		processes[1].check(t, all)
	})
}

// Every server of a cluster has to keep the likes that it has taken; one that does not is an error in the log.
func TestClusterRisks(t *testing.T) {
	server := redistest.StartCluster(t)
	w := newWorldOn(t, server, services.AckLogged)
	for i := range 3 {
		node := servicetest.Redis(t, server.Node(i).URL)
		if err := node.ConfigSet(t.Context(), "appendfsync", "everysec").Err(); err != nil {
			t.Fatal(err)
		}
		lines := &lines{}
		w.tuned(t, likes.Config{Log: slog.New(slog.NewTextHandler(lines, nil))})
		lines.wait(t, "level=ERROR", "likes that were acknowledged can be lost", "setting=appendfsync is=everysec")
		if n := strings.Count(lines.String(), "level=ERROR"); n != 1 {
			t.Errorf("%d errors in %s", n, lines)
		}
		if err := node.ConfigSet(t.Context(), "appendfsync", "always").Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// recovered waits until the process uses Redis again: then a like is in the hash.
func (p *process) recovered(t *testing.T) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); ; {
		probe := rand.Int64N(1<<40) + 1000
		err := p.set(t.Context(), [2]int64{probe, 9}, false)
		if err == nil && p.backend.Redis.HExists(t.Context(), fmt.Sprintf("fav:{%d}:%d", probe%64, probe), "9").Val() {
			p.settle(t)
			err := servicetest.Database(t, p.backend.DSN).Write(t.Context(), func(tx *gorm.DB) error {
				return tx.Exec("DELETE FROM likes WHERE user_id >= 1000 AND liked = 0").Error
			})
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		if time.Now().After(until) {
			t.Fatal("Redis is not used again: ", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Each of these is a moment in which a process can die, or a state it can leave behind; the next one puts it right.
func TestCrashPoints(t *testing.T) {
	like := func(user, video int64, liked bool) string {
		state := map[bool]int{true: 1, false: 0}[liked]
		return fmt.Sprintf("%d %d %d %d %d", state, user, video, video+100, time.Now().Add(time.Minute).UnixMilli())
	}
	add := func(t *testing.T, w *world, user int64, id, text string) {
		t.Helper()
		err := w.backend.Redis.XAdd(t.Context(), &redis.XAddArgs{Stream: fmt.Sprintf("likes:{%d}", user%64), ID: id, Values: []string{"like", text}}).Err()
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]func(t *testing.T, w *world){
		// Between the log and the database: the next process carries over what is there.
		"before the flush": func(t *testing.T, w *world) {
			add(t, w, 1, "*", like(1, 10, true))
			add(t, w, 65, "*", like(65, 10, true))
			add(t, w, 1, "*", like(1, 10, false))
			s := w.process(t)
			s.check(t, &promised{states: map[[2]int64]bool{{1, 10}: false, {65, 10}: true}})
		},
		// Between the commit and the removal from the log: the second time changes nothing, in whatever order.
		"after the commit": func(t *testing.T, w *world) {
			ms := time.Now().UnixMilli()
			s := w.process(t)
			for range 3 {
				for i, liked := range []bool{true, false, true} {
					key := "likes:{1}"
					w.backend.Redis.Del(t.Context(), key) // so that an old id may come again
					add(t, w, 1, fmt.Sprintf("%d-%d", ms+int64(i), 0), like(1, 10, liked))
					s.settle(t)
				}
			}
			s.check(t, &promised{states: map[[2]int64]bool{{1, 10}: true}})
			is(t, s.video(t, 10, 0), "1 likes 0 comments false")
		},
		// A flusher that died with the lease of a partition holds it up for a few seconds only.
		"with the lease": func(t *testing.T, w *world) {
			w.backend.Redis.Set(t.Context(), "likes:{1}:flusher", "somebody", 2*time.Second)
			add(t, w, 1, "*", like(1, 10, true))
			w.process(t).check(t, &promised{states: map[[2]int64]bool{{1, 10}: true}})
		},
		// An entry that Redis wrote after its sender had given up does not count, nor does the state that came with it.
		"after the deadline": func(t *testing.T, w *world) {
			s := w.process(t)
			s.mustLike(t, 1, 10, 110)
			s.settle(t)
			w.backend.Redis.HSet(t.Context(), "fav:{1}:1", "10", 0)
			add(t, w, 1, "*", fmt.Sprintf("0 1 10 0 %d", time.Now().Add(-time.Second).UnixMilli()))
			s.check(t, &promised{states: map[[2]int64]bool{{1, 10}: true}})
		},
		// A Redis that lost everything, even with a clock that went back, takes likes that are newer than all before.
		"without Redis's data": func(t *testing.T, w *world) {
			s := w.process(t)
			s.mustLike(t, 1, 10, 110)
			s.mustLike(t, 65, 10, 110)
			s.settle(t)
			err := servicetest.Database(t, w.backend.DSN).Write(t.Context(), func(tx *gorm.DB) error {
				ahead := int64(10 * 60 * 1000 << 22) // as if the clock had been ten minutes ahead
				if err := tx.Exec("UPDATE likes SET version = version + ?", ahead).Error; err != nil {
					return err
				}
				return tx.Exec("UPDATE like_versions SET reserved = reserved + ?", ahead).Error
			})
			if err != nil {
				t.Fatal(err)
			}
			w.backend.Redis.FlushAll(t.Context())
			is(t, s.video(t, 10, 1), "2 likes 0 comments true")
			all := &promised{states: map[[2]int64]bool{{65, 10}: true, {1, 10}: false}}
			s.mustUnlike(t, 1, 10)
			s.check(t, all)
			s.mustLike(t, 1, 10, 110)
			all.states[[2]int64{1, 10}] = true
			s.check(t, all)
		},
		// What cannot be stored goes to the dead letters, and holds up nothing else.
		"with poison": func(t *testing.T, w *world) {
			s := w.process(t)
			refuse := "CREATE TRIGGER poison BEFORE INSERT ON likes FOR EACH ROW IF NEW.video_id = 666 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'poison'; END IF"
			if err := servicetest.Database(t, w.backend.DSN).Write(t.Context(), func(tx *gorm.DB) error { return tx.Exec(refuse).Error }); err != nil {
				t.Fatal(err)
			}
			all := &promised{states: map[[2]int64]bool{}}
			add(t, w, 1, "*", "rubbish")
			add(t, w, 1, "*", like(2, 10, true)) // of another partition
			for user := int64(1); user < 100; user++ {
				add(t, w, user, "*", like(user, 10, true))
				all.states[[2]int64{user, 10}] = true
			}
			add(t, w, 1, "*", like(1, 666, true))
			s.check(t, all)
			dead, err := w.backend.Redis.XRange(t.Context(), "likes:{1}:dead", "-", "+").Result()
			if err != nil || len(dead) != 3 || !strings.Contains(fmt.Sprint(dead[2].Values["reason"]), "poison") {
				t.Errorf("dead letters: %v (%v)", dead, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, services.AckLogged))
		})
	}
}

// Without Redis, likes whose promise only Redis could keep are refused, the others go to the database; reads go on.
// When Redis is back, so is everything.
func TestRedisAway(t *testing.T) {
	eachAck(t, func(t *testing.T, ack string) {
		w := newWorld(t, ack)
		s := w.process(t)
		s.mustLike(t, 1, 10, 110)
		all := &promised{states: map[[2]int64]bool{{1, 10}: true}}
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

// A like of a warm service sends no SQL in its request where Redis acknowledges it; nor do warm counts, but one
// statement at most for a viewer.
func TestLoggedStatements(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, servicetest.Backend{DSN: mysqltest.Database(t), Redis: servicetest.Redis(t, server.URL), LikeAck: services.AckLogged})
	s.mustLike(t, 1, 10, 5)
	s.settle(t)
	time.Sleep(6 * time.Second) // until the counts that were changed may be kept again
	ids := []int64{10, 11, 12}
	read := func(viewer int64) {
		servicetest.Must(s.BatchGetVideoStats(t.Context(), &interaction.BatchGetVideoStatsRequest{VideoIds: ids, ViewerID: viewer}))(t)
		servicetest.Must(s.BatchGetUserLikeStats(t.Context(), &interaction.BatchGetUserLikeStatsRequest{UserIds: []int64{1, 5, 9}}))(t)
	}
	for _, viewer := range []int64{0, 1, 2} {
		read(viewer)
		s.statements.Take()
		read(viewer)
		if got := s.statements.Take(); len(got) != 0 {
			t.Errorf("warm counts for viewer %d send %q", viewer, got)
		}
	}
	read(3) // whom Redis does not know
	if got := s.statements.Take(); len(got) != 1 {
		t.Errorf("a new viewer sends %q", got)
	}
	s.backend.Redis.Set(t.Context(), "likes:{7}:flusher", "somebody", time.Minute) // so that nothing is carried over meanwhile
	s.mustLike(t, 7, 100, 5)
	if got := s.statements.Take(); len(got) != 0 {
		t.Errorf("a like sends %q", got)
	}
	s.backend.Redis.Del(t.Context(), "likes:{7}:flusher")
	is(t, s.video(t, 100, 7), "1 likes 0 comments true")
}

// tuned opens the service with another configuration than the product has.
func (w *world) tuned(t *testing.T, cfg likes.Config) *service {
	t.Helper()
	db := servicetest.Database(t, w.backend.DSN)
	cfg.Redis, cfg.Cache, cfg.Ack = w.backend.Redis, cache.NewRedis(w.backend.Redis), w.backend.LikeAck
	handler, err := likes.New(t.Context(), db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(handler.Close)
	return &service{interactionservice.MustNewClient(services.Interaction, servicetest.Local(t, interactionservice.NewServer(handler))), nil, w.backend}
}

// Whoever has just liked something finds it in the own list and in the video's count, at whichever process, though it
// was acknowledged before the database had it.
func TestOwnLikes(t *testing.T) {
	w := newWorld(t, services.AckLogged)
	cfg := likes.Config{Log: slog.New(slog.NewTextHandler(t.Output(), nil)), OwnWait: time.Minute}
	processes := []*service{w.tuned(t, cfg), w.tuned(t, cfg)}
	for i := range 30 {
		video := int64(i%3 + 100)
		liked := i/3%2 == 0
		if err := processes[i%2].set(t.Context(), [2]int64{7, video}, liked); err != nil {
			t.Fatal(err)
		}
		for _, s := range processes {
			stats := servicetest.Must(s.BatchGetVideoStats(t.Context(), &interaction.BatchGetVideoStatsRequest{VideoIds: []int64{video}, ViewerID: 7}))(t).Stats[video]
			if stats.LikedByViewer != liked || stats.LikeCount != map[bool]int64{true: 1, false: 0}[liked] {
				t.Fatalf("change %d to %t: got %v", i, liked, stats)
			}
			list := servicetest.Must(s.ListLikedVideoIDs(t.Context(), &interaction.ListLikedVideoIDsRequest{UserIds: []int64{7}, Page: &page.Page{Limit: 50}}))(t)
			if found := slices.ContainsFunc(list.Pages[7].Likes, func(l *interaction.Like) bool { return l.VideoID == video }); found != liked {
				t.Fatalf("change %d to %t: the list is %v", i, liked, list.Pages[7].Likes)
			}
		}
	}
}

// Likes that wait for the database for too long are an error in the log, once, and so is the end of that a line.
func TestLagAlarm(t *testing.T) {
	w := newWorld(t, services.AckLogged)
	lines := &lines{}
	s := w.tuned(t, likes.Config{Log: slog.New(slog.NewTextHandler(lines, nil)), LagAlarm: time.Millisecond})
	// As if another process were carrying over what is there.
	w.backend.Redis.Set(t.Context(), "likes:{1}:flusher", "somebody", time.Hour)
	s.mustLike(t, 1, 10, 110)
	lines.wait(t, "level=ERROR msg=\"likes are waiting too long for the database\"", "entries=1")
	w.backend.Redis.Del(t.Context(), "likes:{1}:flusher")
	lines.wait(t, "level=INFO msg=\"likes reach the database in time again\"")
	if n := strings.Count(lines.String(), "level=ERROR"); n != 1 {
		t.Errorf("%d errors in %s", n, lines.String())
	}
	is(t, s.video(t, 10, 1), "1 likes 0 comments true")
}

// lines are what was logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// wait waits for a line with all the words.
func (l *lines) wait(t *testing.T, words ...string) {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		for line := range strings.Lines(l.String()) {
			if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) }) {
				return
			}
		}
		if time.Now().After(until) {
			t.Fatalf("no line with %q in\n%s", words, l)
		}
	}
}
