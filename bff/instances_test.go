package bff_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/services/discovery"
	"minidouyin/services/testenv/daemon"
	"minidouyin/services/testenv/etcdtest"
	"minidouyin/services/testenv/mysqltest"
	"minidouyin/services/testenv/redistest"
)

// fleet is two instances of each service and an HTTP server that finds them in etcd.
type fleet struct {
	*product
	etcd       *etcdtest.Server
	dsn, redis string
	addrs      []string // of the instances, in the order of the processes
}

func newFleet(t *testing.T) *fleet {
	f := &fleet{
		product: &product{site: &site{data: t.TempDir()}, services: map[string]string{}},
		etcd:    etcdtest.Start(t), dsn: mysqltest.Database(t), redis: redistest.Start(t).URL,
	}
	t.Cleanup(func() { f.kill(t) })
	f.start = func(tb testing.TB, _ *product) {
		// All begin at once on an empty database.
		var waits []func(testing.TB) string
		for _, service := range []string{"basics", "interaction", "social"} {
			waits = append(waits, f.begin(tb, f.args(service, 1)...), f.begin(tb, f.args(service, 2)...))
		}
		f.url = "http://" + f.launch(tb, "bff", "--addr=127.0.0.1:0", "--data="+f.data, "--etcd="+f.etcd.Addr, "--rate-limit=0", "--sign-in-limit=0")
		for _, wait := range waits {
			f.addrs = append(f.addrs, wait(tb))
		}
	}
	f.startAll(t)
	f.used(t)
	return f
}

func (f *fleet) args(service string, n int) []string {
	return []string{service, "--listen=127.0.0.1:0", "--data=" + filepath.Join(f.data, fmt.Sprint(service, n)),
		"--dsn=" + f.dsn, "--redis=" + f.redis, "--etcd=" + f.etcd.Addr}
}

// again replaces an instance, by its place among the processes, after it was ended by end.
func (f *fleet) again(t *testing.T, place int, end func(process *exec.Cmd)) {
	t.Helper()
	old := f.processes[place]
	end(old)
	f.addrs[place] = f.launch(t, old.Args[1:]...)
	f.processes[place] = f.processes[len(f.processes)-1]
	f.processes = f.processes[:len(f.processes)-1]
	f.used(t)
}

// used waits until the HTTP server calls every instance.
func (f *fleet) used(t *testing.T) {
	t.Helper()
	server := f.processes[len(f.addrs)].Process.Pid
	require.Eventually(t, func() bool {
		f.rest(t, "GET", "/readyz") // calls each service
		for _, addr := range f.addrs {
			if pids, err := daemon.Clients(addr); err != nil || !slices.Contains(pids, server) {
				return false
			}
		}
		return true
	}, patience, 20*time.Millisecond)
}

// load is what clients do at the same time, and what was acknowledged.
type load struct {
	stop          chan struct{}
	group         sync.WaitGroup
	reads, writes atomic.Int64
	mu            sync.Mutex
	readFailures  []string
	writeFailures []string
}

// startLoad starts two clients that read and two that write. acknowledged holds what their writes left.
func (f *fleet) startLoad(t *testing.T, acknowledged []*written) *load {
	l := &load{stop: make(chan struct{})}
	fail := func(to *[]string, what string, a answer) {
		if a.status == http.StatusOK && strings.Contains(a.text, `"status_code":0`) {
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		*to = append(*to, fmt.Sprintf("%s: %d %s", what, a.status, a.text))
	}
	loop := func(do func()) {
		l.group.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
					do()
					time.Sleep(2 * time.Millisecond)
				}
			}
		})
	}
	for _, w := range acknowledged {
		loop(func() {
			l.reads.Add(3)
			fail(&l.readFailures, "feed", f.rest(t, "GET", "/douyin/feed/", "token", w.token))
			fail(&l.readFailures, "friends", f.rest(t, "GET", "/douyin/relation/follow/list/", "user_id", w.id, "token", w.token))
			fail(&l.readFailures, "sign in", f.rest(t, "GET", "/douyin/user/", "user_id", w.id, "token", w.token))
		})
		loop(func() {
			l.writes.Add(3)
			text := fmt.Sprintf("comment %d", w.next)
			w.next++
			if a := f.rest(t, "POST", "/douyin/comment/action/", "token", w.token, "video_id", w.video, "action_type", "1", "comment_text", text); a.status == http.StatusOK {
				w.comments = append(w.comments, text)
			} else {
				fail(&l.writeFailures, "comment", a)
			}
			action := []string{"1", "2"}[w.next%2]
			if a := f.rest(t, "POST", "/douyin/favorite/action/", "token", w.token, "video_id", w.video, "action_type", action); a.status == http.StatusOK {
				w.likes = action
			} else {
				w.likes = "" // it may have happened
				fail(&l.writeFailures, "like", a)
			}
			fail(&l.writeFailures, "message", f.rest(t, "POST", "/douyin/message/action/", "token", w.token, "to_user_id", w.peer, "action_type", "1", "content", text))
		})
	}
	return l
}

// goOn waits until the clients have read and written more.
func (l *load) goOn(t *testing.T) {
	t.Helper()
	reads, writes := l.reads.Load(), l.writes.Load()
	require.Eventually(t, func() bool { return l.reads.Load() > reads+30 && l.writes.Load() > writes+30 }, patience, time.Millisecond)
}

func (l *load) end() {
	close(l.stop)
	l.group.Wait()
}

// written is what one client was told to be stored.
type written struct {
	id, token, video, peer string
	next                   int
	comments               []string
	likes                  string // the last action: 1, 2, or unknown
}

// Two instances of each service share the calls. Nothing that reads fails while one is killed, nothing at all while one
// stops in order, etcd is away, or etcd has forgotten everything; and all that was acknowledged is there in the end.
func TestServiceInstances(t *testing.T) {
	f := newFleet(t)
	clients := []*written{{}, {}}
	for i, w := range clients {
		w.id, w.token = f.register(t, fmt.Sprint("user", i))
		w.video = f.publish(t, w.token, fmt.Sprint("video", i))
	}
	clients[0].peer, clients[1].peer = clients[1].id, clients[0].id
	services := []int{0, 1, 2, 3, 4, 5} // the last process is the HTTP server

	during := func(name string, writesMayFail bool, happen func(t *testing.T, l *load)) {
		t.Run(name, func(t *testing.T) {
			l := f.startLoad(t, clients)
			l.goOn(t)
			happen(t, l)
			l.goOn(t)
			l.end()
			t.Logf("%d reads and %d writes, of which %d failed", l.reads.Load(), l.writes.Load(), len(l.writeFailures))
			require.Empty(t, l.readFailures)
			for _, failure := range l.writeFailures {
				require.True(t, writesMayFail && strings.Contains(failure, ": 503 "), failure)
			}
		})
	}
	during("killed", true, func(t *testing.T, l *load) {
		for _, place := range services {
			f.again(t, place, func(process *exec.Cmd) {
				require.NoError(t, process.Process.Kill())
				_ = process.Wait()
				l.goOn(t)
			})
		}
	})
	during("stopped in order", false, func(t *testing.T, _ *load) {
		for _, place := range services {
			f.again(t, place, func(process *exec.Cmd) {
				require.NoError(t, process.Process.Signal(syscall.SIGTERM))
				require.NoError(t, process.Wait())
			})
		}
	})
	during("etcd away", false, func(t *testing.T, l *load) {
		f.etcd.Kill(t)
		l.goOn(t)
		f.etcd.Restart(t)
	})
	during("etcd wiped", false, func(t *testing.T, _ *load) {
		f.etcd.Kill(t)
		f.etcd.Wipe(t)
		f.etcd.Restart(t)
		registered(t, f)
	})
	for _, w := range clients {
		var stored []string
		for _, c := range f.ok(t, "GET", "/douyin/comment/list/", "video_id", w.video)["comment_list"].([]any) {
			stored = append(stored, c.(map[string]any)["content"].(string))
		}
		for _, text := range w.comments {
			require.Contains(t, stored, text)
		}
		slices.Sort(stored)
		require.Equal(t, len(stored), len(slices.Compact(stored)), "nothing is stored twice")
		for _, v := range f.ok(t, "GET", "/douyin/feed/", "token", w.token)["video_list"].([]any) {
			if video := v.(map[string]any); w.likes != "" && fmt.Sprint(video["id"]) == w.video {
				require.Equal(t, w.likes == "1", video["is_favorite"])
			}
		}
	}
	f.stop(t)
}

// registered waits until two instances of each service are in etcd.
func registered(t *testing.T, f *fleet) {
	t.Helper()
	directory, err := discovery.Open([]string{f.etcd.Addr}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer directory.Close()
	resolver := directory.Watch("basics", "interaction", "social")
	require.Eventually(t, func() bool {
		for _, service := range []string{"basics", "interaction", "social"} {
			found, err := resolver.Resolve(t.Context(), service)
			if err != nil || len(found.Instances) < 2 {
				return false
			}
		}
		return true
	}, patience, 20*time.Millisecond)
}
