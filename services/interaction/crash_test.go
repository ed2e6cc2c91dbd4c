package interaction_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
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
	"minidouyin/services/testenv/daemon"
	"minidouyin/services/testenv/mysqltest"
	"minidouyin/services/testenv/redistest"
	"minidouyin/services/testenv/testserver"
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

// database is a MariaDB that a test may kill and restart.
type database struct {
	testserver.Server
	dsn string
}

func startDatabase(t *testing.T) *database {
	t.Helper()
	testserver.SkipIfShort(t)
	folder, err := os.MkdirTemp("", "mariadb") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	command, socket, err := daemon.MySQL(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	address := "root@unix(" + socket + ")/"
	d := &database{dsn: "mysql://" + address + "likes"}
	d.Command = command
	d.Ready = func(ctx context.Context) error {
		conns, err := sql.Open("mysql", address)
		if err != nil {
			return err
		}
		defer conns.Close()
		_, err = conns.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS likes")
		return err
	}
	d.Start(t)
	return d
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

// staleTime is how long caches may show an old value after a server of Redis was unavailable.
const staleTime = 40 * time.Second

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
		got := ""
		eventually(t, staleTime, func() bool {
			got = s.video(t, pair[1], pair[0])
			return strings.HasSuffix(got, "true") == liked
		}, func() string {
			return fmt.Sprintf("user %d and video %d: answered %s, promised %t", pair[0], pair[1], got, liked)
		})
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

// eventually waits until done, and fails the test with what is wrong when that takes too long.
func eventually(t *testing.T, most time.Duration, done func() bool, wrong func() string) {
	t.Helper()
	for end := time.Now().Add(most); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(wrong())
		}
	}
}

// during kills and restarts something again and again while do runs.
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

// A Redis that is killed and comes back in the middle of the load loses and reorders nothing.
func TestRedisKilledUnderLoad(t *testing.T) {
	eachAck(t, func(t *testing.T, ack string) {
		w := newWorld(t, ack)
		processes := []*process{w.process(t), w.process(t)}
		var all *promised
		during(func() { w.redis.Kill(t) }, func() { w.redis.Restart(t) }, func() { all = storm(t, processes, 8, 40) })
		for _, p := range processes {
			p.recovered(t)
		}
		processes[0].check(t, all)
	})
}

// A database that is killed and comes back in the middle of the load loses and reorders nothing.
func TestDatabaseKilledUnderLoad(t *testing.T) {
	eachAck(t, func(t *testing.T, ack string) {
		d := startDatabase(t)
		w := newWorld(t, ack)
		w.backend.DSN = d.dsn
		processes := []*process{w.process(t), w.process(t)}
		var all *promised
		during(func() { d.Kill(t) }, func() { d.Restart(t) }, func() { all = storm(t, processes, 8, 100) })
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
		var all *promised
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

// mustSet repeats a change until it is promised.
func (s *service) mustSet(t *testing.T, pair [2]int64, liked bool) {
	t.Helper()
	var err error
	eventually(t, 20*time.Second, func() bool {
		err = s.set(t.Context(), pair, liked)
		return err == nil
	}, func() string { return err.Error() })
}

// Redis, or every server of a cluster, has to keep the likes that it has acknowledged: a setting that is wrong ends the
// start, and one that cannot be read is a warning.
func TestSettings(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		w := newWorldOn(t, server, services.AckLogged)
		for name, value := range map[string]string{"appendonly": "no", "appendfsync": "everysec", "maxmemory-policy": "allkeys-lru"} {
			node := servicetest.Redis(t, lastNode(server))
			right := servicetest.Must(node.ConfigGet(t.Context(), name).Result())(t)[name]
			if err := node.ConfigSet(t.Context(), name, value).Err(); err != nil {
				t.Fatal(err)
			}
			_, err := services.Open(t.Context(), services.Interaction, services.Config{DSN: w.backend.DSN, Redis: w.backend.Redis, LikeAck: w.backend.LikeAck})
			if err == nil || !strings.Contains(err.Error(), "its "+name+" is "+value+", --like-ack=logged needs "+right) {
				t.Errorf("%s %s: got %v", name, value, err)
			}
			if err := node.ConfigSet(t.Context(), name, right).Err(); err != nil {
				t.Fatal(err)
			}
		}
		w.process(t).mustLike(t, 1, 10, 110)
	})
	t.Run("unreadable", func(t *testing.T) {
		w := newWorldOn(t, redistest.Start(t, "--rename-command", "CONFIG", ""), services.AckLogged)
		lines := &lines{}
		s := w.tuned(t, likes.Config{Log: slog.New(slog.NewTextHandler(lines, nil))})
		lines.wait(t, "level=WARN", "a setting of redis cannot be read", "setting=appendfsync want=always")
		s.mustLike(t, 1, 10, 110)
	})
}

// lastNode returns the URL of the only server, or of the last of a cluster.
func lastNode(server *redistest.Server) string {
	if strings.Contains(server.URL, "cluster") {
		return server.Node(2).URL
	}
	return server.URL
}

// A Redis that is unavailable at the start is waited for, and checked when it comes: until then likes are refused.
func TestRedisDownAtStart(t *testing.T) {
	for name, args := range map[string][]string{"right": nil, "wrong": {"--appendfsync", "everysec"}} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, redistest.Start(t, args...), services.AckLogged)
			w.redis.Kill(t)
			lines := &lines{}
			s := w.tuned(t, likes.Config{Log: slog.New(slog.NewTextHandler(lines, nil))})
			if err := s.set(t.Context(), [2]int64{1, 10}, true); codes.Of(err) != codes.UpstreamUnavailable {
				t.Errorf("got %v", err)
			}
			w.redis.Restart(t)
			if args == nil {
				s.mustSet(t, [2]int64{1, 10}, true)
				return
			}
			lines.wait(t, "level=ERROR", "refusing them", "its appendfsync is everysec")
			if err := s.set(t.Context(), [2]int64{1, 10}, true); codes.Of(err) != codes.UpstreamUnavailable {
				t.Errorf("got %v", err)
			}
		})
	}
}

// recovered waits until the process takes likes again, and takes its probe back.
func (p *process) recovered(t *testing.T) {
	t.Helper()
	p.mustSet(t, [2]int64{rand.Int64N(1<<40) + 1000, 9}, false)
	p.settle(t)
	err := servicetest.Database(t, p.backend.DSN).Write(t.Context(), func(tx *gorm.DB) error {
		return tx.Exec("DELETE FROM likes WHERE user_id >= 1000 AND liked = 0").Error
	})
	if err != nil {
		t.Fatal(err)
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
		// Between the log and the database: the next process stores what is there.
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
		// A process that died with entries it had read: another claims them.
		"while it flushes": func(t *testing.T, w *world) {
			s := w.process(t)
			group := &redis.XReadGroupArgs{Group: "flushers", Consumer: "dead", Streams: []string{"likes:{1}", ">"}, Block: -1}
			eventually(t, 10*time.Second, func() bool {
				add(t, w, 1, "*", like(1, 10, true))
				return w.backend.Redis.XReadGroup(t.Context(), group).Err() == nil
			}, func() string { return "the process reads each entry first" })
			s.check(t, &promised{states: map[[2]int64]bool{{1, 10}: true}})
		},
		// A group that is lost is created again, and begins with the first entry.
		"with the group": func(t *testing.T, w *world) {
			s := w.process(t)
			release := w.hold(t)
			s.mustLike(t, 1, 10, 110)
			w.backend.Redis.XGroupDestroy(t.Context(), "likes:{1}", "flushers")
			release()
			s.check(t, &promised{states: map[[2]int64]bool{{1, 10}: true}})
		},
		// An entry that Redis wrote after its sender had given up does not count, nor does the state that came with it.
		"after the deadline": func(t *testing.T, w *world) {
			s := w.process(t)
			s.mustLike(t, 1, 10, 110)
			s.settle(t)
			deadline := time.Now().Add(-time.Second).UnixMilli()
			w.backend.Redis.HSet(t.Context(), "fav:{1}:1", "10", fmt.Sprintf("0 %d", deadline))
			add(t, w, 1, "*", fmt.Sprintf("0 1 10 0 %d", deadline))
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
				return tx.Exec("UPDATE like_log SET reserved = reserved + ?", ahead).Error
			})
			if err != nil {
				t.Fatal(err)
			}
			w.backend.Redis.FlushAll(t.Context())
			is(t, s.video(t, 10, 1), "2 likes 0 comments true")
			all := &promised{states: map[[2]int64]bool{{65, 10}: true, {1, 10}: false}}
			s.mustSet(t, [2]int64{1, 10}, false)
			s.check(t, all)
			s.mustSet(t, [2]int64{1, 10}, true)
			all.states[[2]int64{1, 10}] = true
			s.check(t, all)
		},
		// What cannot be stored goes to the dead letters, and holds up nothing else.
		"with poison": func(t *testing.T, w *world) {
			s := w.process(t)
			s.poison(t)
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

// hold keeps likes out of the database until the test calls what it returns.
func (w *world) hold(t *testing.T) (release func()) {
	t.Helper()
	conns, err := sql.Open("mysql", strings.TrimPrefix(w.backend.DSN, "mysql://"))
	if err != nil {
		t.Fatal(err)
	}
	conns.SetMaxOpenConns(1)
	if _, err := conns.ExecContext(t.Context(), "LOCK TABLES likes WRITE, like_log WRITE"); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() { _ = conns.Close() })
	t.Cleanup(release)
	return release
}

// While Redis is unavailable, logged likes are refused, stored ones do not notice; reads go on. When Redis is back, so is
// everything.
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

// A like sends no SQL in its request where Redis acknowledges it; nor do warm counts, nor what a viewer likes.
func TestLoggedStatements(t *testing.T) {
	w := newWorld(t, services.AckLogged)
	s := open(t, w.backend)
	s.mustLike(t, 1, 10, 5)
	s.settle(t)
	ids := []int64{10, 11, 12}
	read := func(viewer int64) []string {
		s.statements.Take()
		servicetest.Must(s.BatchGetVideoStats(t.Context(), &interaction.BatchGetVideoStatsRequest{VideoIds: ids, ViewerID: viewer}))(t)
		servicetest.Must(s.BatchGetUserLikeStats(t.Context(), &interaction.BatchGetUserLikeStatsRequest{UserIds: []int64{1, 5, 9}}))(t)
		return s.statements.Take()
	}
	for _, viewer := range []int64{0, 1, 2} {
		var got []string
		eventually(t, 20*time.Second, func() bool { // what was changed may be cached again after some seconds
			got = read(viewer)
			return len(got) == 0
		}, func() string { return fmt.Sprintf("warm counts for viewer %d send %q", viewer, got) })
	}
	if got := read(3); len(got) != 1 { // whose likes are not cached
		t.Errorf("a new viewer sends %q", got)
	}
	release := w.hold(t)
	s.mustLike(t, 7, 100, 5)
	if got := s.statements.Take(); len(got) != 0 {
		t.Errorf("a like sends %q", got)
	}
	release()
	is(t, s.video(t, 100, 7), "1 likes 0 comments true")
}

// The latest thousand likes of a viewer are cached; the others are read from the database.
func TestManyLikes(t *testing.T) {
	s := open(t, newWorld(t, services.AckStored).backend)
	const many = 1200
	rows := make([]map[string]any, many)
	for i := range rows {
		rows[i] = map[string]any{"user_id": 1, "video_id": i + 1, "author_id": 5, "created_at": i, "liked": 1, "version": 1, "delta": 1}
	}
	err := servicetest.Database(t, s.backend.DSN).Write(t.Context(), func(tx *gorm.DB) error { return tx.Table("likes").CreateInBatches(rows, 500).Error })
	if err != nil {
		t.Fatal(err)
	}
	for video, liked := range map[int64]bool{1: true, 200: true, 201: true, many: true, many + 1: false} {
		if got := s.video(t, video, 1); strings.HasSuffix(got, "true") != liked {
			t.Errorf("video %d: %s", video, got)
		}
	}
	s.mustUnlike(t, 1, 1)
	s.mustUnlike(t, 1, many)
	s.mustLike(t, 1, many+1, 5)
	for video, liked := range map[int64]bool{1: false, 200: true, many: false, many + 1: true} {
		if got := s.video(t, video, 1); strings.HasSuffix(got, "true") != liked {
			t.Errorf("video %d afterwards: %s", video, got)
		}
	}
}

// A like that the database refuses fails alone.
func TestRefusedLike(t *testing.T) {
	s := open(t, servicetest.Backend{DSN: mysqltest.Database(t)})
	s.poison(t)
	servicetest.AtOnce(64, func(i int) {
		video := int64(10)
		if i%16 == 0 {
			video = 666
		}
		want := map[bool]codes.Code{true: codes.Internal, false: codes.OK}[video == 666]
		_, err := s.LikeVideo(t.Context(), &interaction.LikeVideoRequest{UserID: int64(i + 1), VideoID: video, AuthorID: 5})
		if codes.Of(err) != want {
			t.Errorf("video %d: got %v", video, err)
		}
	})
	is(t, s.video(t, 10, 2), "60 likes 0 comments true")
	s.checkCounts(t)
}

// poison makes the database refuse every like of video 666.
func (s *service) poison(t *testing.T) {
	t.Helper()
	refuse := "CREATE TRIGGER poison BEFORE INSERT ON likes FOR EACH ROW IF NEW.video_id = 666 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'poison'; END IF"
	if err := servicetest.Database(t, s.backend.DSN).Write(t.Context(), func(tx *gorm.DB) error { return tx.Exec(refuse).Error }); err != nil {
		t.Fatal(err)
	}
}

// Whoever logged likes can store them only after the log is drained, and with its Redis; a log of the release before is
// drained as well, though there is no record of it.
func TestModes(t *testing.T) {
	w := newWorld(t, services.AckLogged)
	open := func(redis redis.UniversalClient, ack string) (*services.Service, error) {
		return services.Open(t.Context(), services.Interaction, services.Config{DSN: w.backend.DSN, Redis: redis, LikeAck: ack,
			Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	}
	mustOpen := func(redis redis.UniversalClient, ack string) *service {
		t.Helper()
		opened := servicetest.Must(open(redis, ack))(t)
		t.Cleanup(func() { _ = opened.Close() })
		return &service{interactionservice.MustNewClient(services.Interaction, servicetest.Local(t, opened.Server)), nil, w.backend}
	}
	if _, err := open(nil, services.AckLogged); err == nil || !strings.Contains(err.Error(), "--redis") {
		t.Errorf("logged without a Redis: got %v", err)
	}
	logged := servicetest.Must(open(w.backend.Redis, services.AckLogged))(t)
	client := &service{interactionservice.MustNewClient(services.Interaction, servicetest.Local(t, logged.Server)), nil, w.backend}
	client.mustLike(t, 1, 10, 110)
	if _, err := open(w.backend.Redis, services.AckStored); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("stored beside logged: got %v", err)
	}
	if err := logged.Close(); err != nil {
		t.Fatal(err)
	}
	// As if it had been killed.
	late := fmt.Sprintf("1 2 10 110 %d", time.Now().Add(time.Minute).UnixMilli())
	w.backend.Redis.XAdd(t.Context(), &redis.XAddArgs{Stream: "likes:{2}", Values: []string{"like", late}})
	if _, err := open(nil, services.AckStored); err == nil || !strings.Contains(err.Error(), "--redis") {
		t.Errorf("stored without the Redis of the log: got %v", err)
	}
	s := mustOpen(w.backend.Redis, services.AckStored)
	is(t, s.video(t, 10, 2), "2 likes 0 comments true")
	s.mustUnlike(t, 1, 10)
	s = mustOpen(nil, services.AckStored)
	is(t, s.video(t, 10, 2), "1 likes 0 comments true")
	// The release before logged stored likes too, in streams without a group.
	servicetest.Wipe(t, w.backend.Redis)
	w.backend.Redis.XAdd(t.Context(), &redis.XAddArgs{Stream: "likes:{3}", Values: []string{"like", strings.Replace(late, "1 2", "1 3", 1)}})
	s = mustOpen(w.backend.Redis, services.AckStored)
	is(t, s.video(t, 10, 3), "2 likes 0 comments true")
	s.checkCounts(t)
	// Versions that a clock ahead has given to stored likes are below those of a log that begins.
	err := servicetest.Database(t, w.backend.DSN).Write(t.Context(), func(tx *gorm.DB) error {
		return tx.Exec("UPDATE likes SET version = version + ?", int64(10*60*1000<<22)).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	s = mustOpen(w.backend.Redis, services.AckLogged)
	s.mustSet(t, [2]int64{2, 10}, false)
	is(t, s.video(t, 10, 2), "1 likes 0 comments false")
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
	release := w.hold(t)
	s.mustLike(t, 1, 10, 110)
	lines.wait(t, "level=ERROR msg=\"likes are waiting too long for the database\"", "entries=1")
	release()
	lines.wait(t, "level=INFO msg=\"over: likes are waiting too long for the database\"")
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
