//go:build unix

package cluster_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/bff/cluster"
)

// loseWindow is how long a killed instance may be noticed by its clients.
const loseWindow = 12 * time.Second

// load is what people do all the time: reads, which nginx and the BFFs may repeat, and writes, which they may not.
type load struct {
	mu     sync.Mutex
	reads  int
	failed []failure // of reads
	stop   context.CancelFunc
	group  sync.WaitGroup

	workers []*worker
}

type failure struct {
	at  time.Time
	err error
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
				w.act(t.Context())
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
		l.failed = append(l.failed, failure{time.Now(), err})
	}
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
	require.Greater(t, l.reads, 200)
	require.Greater(t, acknowledged, 50)
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

// Every part is stopped and started again, one after the other, under load: nobody who reads notices, and nothing that
// was acknowledged is lost.
func TestRollingRestart(t *testing.T) {
	c := start(t, nil)
	l := put(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, name := range ours(c) {
		time.Sleep(300 * time.Millisecond)
		require.NoError(t, c.Stop(ctx, name))
		require.NoError(t, c.Start(ctx, name))
	}
	l.end(t)
	for _, f := range l.failed {
		t.Errorf("a read failed: %v", f.err)
	}
	drain(t, c)
	require.Empty(t, audit(t, c, l.workers))
}

// One instance of everything is killed under load: after a moment nobody who reads notices, and nothing that was
// acknowledged is lost.
func TestKilledInstances(t *testing.T) {
	c := start(t, nil)
	l := put(t, c)
	time.Sleep(time.Second)
	killed := time.Now()
	for _, kind := range []string{"bff", "basics", "interaction", "social"} {
		require.NoError(t, c.Kill(kind+"-1"))
	}
	time.Sleep(loseWindow + 3*time.Second)
	l.end(t)
	early := 0
	for _, f := range l.failed {
		if f.at.Sub(killed) < loseWindow {
			early++
			continue
		}
		t.Errorf("a read failed %s after the instances were killed: %v", f.at.Sub(killed), f.err)
	}
	t.Logf("%d reads failed in the first moment", early)
	drain(t, c)
	require.Empty(t, audit(t, c, l.workers))
}
