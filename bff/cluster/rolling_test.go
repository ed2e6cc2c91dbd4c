//go:build unix

package cluster_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	kitex "github.com/cloudwego/kitex/pkg/discovery"
	"github.com/stretchr/testify/require"

	"minidouyin/bff/cluster"
	"minidouyin/services/discovery"
	"minidouyin/services/testenv/daemon"
)

// load is what people do all the time: reads, which nginx and the BFFs may repeat, and writes, which they may not.
type load struct {
	mu     sync.Mutex
	reads  int
	failed []failure // of reads
	writes int       // acknowledged
	stop   context.CancelFunc
	group  sync.WaitGroup

	workers []*worker
}

type failure struct {
	began int // after how many reads
	err   error
}

// put puts load on a cluster, until end.
func put(t *testing.T, c *cluster.Cluster) *load {
	t.Helper()
	people, videos := crowd(t, c.URL(), 4)
	ctx, stop := context.WithCancel(t.Context())
	l := &load{stop: stop}
	for i, p := range people {
		w := newWorker(p, 1, i, people, videos)
		l.workers = append(l.workers, w)
		l.group.Go(func() {
			for ctx.Err() == nil {
				before := w.done()
				w.act(t.Context())
				l.mu.Lock()
				l.writes += w.done() - before
				l.mu.Unlock()
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	for i := range 4 {
		p := newPerson(c.URL(), fmt.Sprint("reader ", i))
		if i > 0 { // the others are visitors
			p.token = people[i].token
		}
		random := rand.New(rand.NewPCG(1, uint64(i)))
		l.group.Go(func() {
			for ctx.Err() == nil {
				l.read(t.Context(), p, random.IntN(4), people[i].id, videos[i])
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	return l
}

func (l *load) read(ctx context.Context, p *person, what int, user, video int64) {
	began, _ := l.count()
	var err error
	switch what {
	case 0:
		err = p.rest(ctx, http.MethodGet, "/douyin/feed/", nil)
	case 1:
		err = p.rest(ctx, http.MethodGet, "/douyin/comment/list/", nil, "video_id", text(video))
	case 2:
		err = p.query(ctx, `{ feed(first: 10) { nodes { title likeCount author { name followerCount } comments(first: 2) { nodes { content } } } } }`, nil)
	case 3:
		err = p.query(ctx, fmt.Sprintf(`{ user(id: %d) { name followers(first: 10) { nodes { name } } likedVideos(first: 5) { nodes { title } } } }`, user), nil)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	if err != nil {
		l.failed = append(l.failed, failure{began, err})
	}
}

// count returns how many reads there were, and how many writes were acknowledged.
func (l *load) count() (reads, writes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reads, l.writes
}

// goOn waits until there were so many more of each.
func (l *load) goOn(t *testing.T, more int) {
	t.Helper()
	reads, writes := l.count()
	require.Eventually(t, func() bool {
		r, w := l.count()
		return r >= reads+more && w >= writes+more
	}, patience, time.Millisecond)
}

// end ends the load and says what became of it.
func (l *load) end(t *testing.T) {
	t.Helper()
	l.stop()
	l.group.Wait()
	acknowledged, lost := 0, map[string]int{}
	for _, w := range l.workers {
		for _, n := range w.acknowledged {
			acknowledged += n
		}
		for kind, n := range w.lost {
			lost[kind] += n
		}
	}
	t.Logf("%d reads, %d failed; %d writes acknowledged, answers lost: %v", l.reads, len(l.failed), acknowledged, lost)
}

// ours are the parts of the cluster that are ours.
func ours(c *cluster.Cluster) (names []string) {
	for _, name := range c.Parts() {
		switch cluster.Kind(name) {
		case "basics", "interaction", "social", "bff":
			names = append(names, name)
		}
	}
	return names
}

// used waits until a part is called by those that are to call it: a BFF by nginx, a service by both BFFs.
func used(t *testing.T, c *cluster.Cluster, name string) {
	t.Helper()
	callers := []int{c.PID("bff-1"), c.PID("bff-2")}
	require.Eventually(t, func() bool {
		pids, err := daemon.Clients(c.Addr(name))
		if err != nil {
			return false
		}
		if cluster.Kind(name) == "bff" {
			return slices.ContainsFunc(pids, func(pid int) bool { return pid != os.Getpid() })
		}
		return slices.Contains(pids, callers[0]) && slices.Contains(pids, callers[1])
	}, patience, 20*time.Millisecond, name)
}

// forgotten waits until instances of services are no longer in etcd.
func forgotten(t *testing.T, c *cluster.Cluster, names ...string) {
	t.Helper()
	directory, err := discovery.Open([]string{c.Addr("etcd")}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, directory.Close()) }()
	resolver := directory.Watch("basics", "interaction", "social")
	require.Eventually(t, func() bool {
		for _, name := range names {
			found, err := resolver.Resolve(t.Context(), cluster.Kind(name))
			if err != nil || slices.ContainsFunc(found.Instances, func(i kitex.Instance) bool { return i.Address().String() == c.Addr(name) }) {
				return false
			}
		}
		return true
	}, patience, 20*time.Millisecond)
}

// Every part is stopped and started again, one after the other, under load: nobody who reads notices, and nothing that
// was acknowledged is lost.
func TestRollingRestart(t *testing.T) {
	c := start(t, nil)
	l := put(t, c)
	for _, name := range ours(c) {
		used(t, c, name)
		l.goOn(t, 20)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		require.NoError(t, c.Stop(ctx, name))
		require.NoError(t, c.Start(ctx, name))
		cancel()
		used(t, c, name)
	}
	l.goOn(t, 50)
	l.end(t)
	for _, f := range l.failed {
		t.Errorf("a read failed: %v", f.err)
	}
	drain(t, c)
	require.Empty(t, audit(t, c, l.workers))
}

// One instance of everything is killed under load: once it is forgotten nobody who reads notices, and nothing that was
// acknowledged is lost.
func TestKilledInstances(t *testing.T) {
	c := start(t, nil)
	l := put(t, c)
	for _, name := range ours(c) {
		used(t, c, name)
	}
	l.goOn(t, 50)
	for _, kind := range []string{"bff", "basics", "interaction", "social"} {
		require.NoError(t, c.Kill(kind+"-1"))
	}
	forgotten(t, c, "basics-1", "interaction-1", "social-1")
	noticed, _ := l.count()
	l.goOn(t, 200)
	l.end(t)
	early := 0
	for _, f := range l.failed {
		if f.began < noticed {
			early++
			continue
		}
		t.Errorf("a read failed that began after the instances were forgotten: %v", f.err)
	}
	t.Logf("%d reads failed before", early)
	drain(t, c)
	require.Empty(t, audit(t, c, l.workers))
}
