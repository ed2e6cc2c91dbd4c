package interaction_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
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
	"minidouyin/services/internal/servicetest"
	"minidouyin/services/testenv/redistest"
)

// Redis, or every master of a cluster, must keep acknowledged likes: a wrong setting ends the start, and an unreadable
// one is a warning.
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

// The service starts while Redis is unavailable, and checks its settings later. Until then likes are refused.
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

// After logged likes, stored mode starts only with the Redis of the log, which it drains. It drains a log of the
// previous release too, which has no record.
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
	// As if the process had been killed.
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
	// The previous release logged stored likes too, in streams without a group.
	servicetest.Wipe(t, w.backend.Redis)
	w.backend.Redis.XAdd(t.Context(), &redis.XAddArgs{Stream: "likes:{3}", Values: []string{"like", strings.Replace(late, "1 2", "1 3", 1)}})
	s = mustOpen(w.backend.Redis, services.AckStored)
	is(t, s.video(t, 10, 3), "2 likes 0 comments true")
	s.checkCounts(t)
	// A new log starts above the versions of stored likes, even those from a clock that is ahead.
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

// Users find their latest likes in their lists and in the counts, in all processes, although the database did not have
// them when they were acknowledged.
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

// Likes that wait too long for the database are logged as one error, and so is the end.
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

// A logged like sends no SQL in its request. Cached counts and likes of a viewer send none either.
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
		eventually(t, 20*time.Second, func() bool { // changed values may be cached again after some seconds
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
