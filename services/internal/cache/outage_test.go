//go:build unix

package cache_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/servicetest"
	"minidouyin/services/testenv/redistest"
)

// kept waits until reads of the users need no load.
func (p *process) kept(t *testing.T, ids ...int64) {
	t.Helper()
	require.Eventually(t, func() bool {
		p.take()
		p.get(t, ids...)
		return p.take() == ""
	}, patience, 50*time.Millisecond, "nothing is kept")
}

// While Redis is unavailable, reads come from the database and writes continue: each read gets the last value. Old values
// stay in Redis; when it is back, reads get them until they expire, the writer's too.
func TestRedisKilled(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		const ttl = 10 * time.Second
		rows := newTable()
		p, other := open(cache.NewRedis(servicetest.Redis(t, server.URL)), rows, ttl), open(cache.NewRedis(servicetest.Redis(t, server.URL)), rows, ttl)
		ids := make([]int64, 20)
		for i := range ids {
			ids[i] = int64(i)
			rows.set(ids[i], 1)
		}
		p.kept(t, ids...)
		server.Kill(t)
		written := time.Now()
		for _, id := range ids {
			p.change(t, id, 2)
			require.Equal(t, map[int64]int64{id: 2}, p.get(t, id))
		}
		server.Restart(t)
		old := 0
		require.Eventually(t, func() bool {
			begin := time.Now()
			for _, q := range []*process{p, other} {
				for _, n := range q.get(t, ids...) {
					if n == 1 {
						old++
						require.Less(t, begin.Sub(written), ttl)
					}
				}
			}
			return begin.Sub(written) > ttl
		}, patience, 10*time.Millisecond)
		require.NotZero(t, old, "the old values expire, and nothing else")
		p.kept(t, ids...)
		p.change(t, 1, 3)
		require.Equal(t, map[int64]int64{1: 3}, other.get(t, 1))
	})
}

// A write deletes its keys before its transaction too: if Redis fails during the write, no old value stays.
func TestRedisKilledWithinWrite(t *testing.T) {
	server := redistest.Start(t)
	p := open(cache.NewRedis(servicetest.Redis(t, server.URL)), newTable(), cache.MaxTTL)
	p.set(1, 1)
	p.kept(t, 1)
	require.NoError(t, cache.Change(t.Context(), p.store, func(cache.Also) error {
		p.set(1, 2)
		server.Kill(t)
		return nil
	}, p.users.Key(1)))
	server.Restart(t)
	p.kept(t, 1)
	require.Equal(t, map[int64]int64{1: 2}, p.get(t, 1))
}

// While one server of a cluster is unavailable, the keys of the others are still cached.
func TestNodeKilled(t *testing.T) {
	server := redistest.StartCluster(t)
	rows := newTable()
	p := open(cache.NewRedis(servicetest.Redis(t, server.URL)), rows, cache.MaxTTL)
	ids := make([]int64, 20)
	for i := range ids {
		ids[i] = int64(i)
		rows.set(ids[i], 1)
	}
	p.kept(t, ids...)
	server.Node(0).Kill(t)
	kept := 0
	for _, id := range ids {
		p.take()
		require.Equal(t, map[int64]int64{id: 1}, p.get(t, id))
		if p.take() == "" {
			kept++
		}
	}
	require.NotZero(t, kept)
	require.Less(t, kept, len(ids))
	begin := time.Now()
	for range 50 {
		require.Len(t, p.get(t, ids...), len(ids))
	}
	require.Less(t, time.Since(begin), patience, "nobody waits for it")
	server.Node(0).Restart(t)
	p.kept(t, ids...)
}

// With a Redis that is killed repeatedly, no read gets a value that was overwritten longer than its TTL ago.
func TestValuesStayYoung(t *testing.T) {
	const ttl, keys = 2 * time.Second, 3
	server := redistest.Start(t)
	rows := newTable()
	rows.delay = func() { time.Sleep(rand.N(time.Millisecond)) }
	type version struct {
		at time.Time // when the write was acknowledged
		n  int64
	}
	var mu sync.Mutex
	var history [keys][]version
	// atLeast returns the oldest number that a read which begins now may get.
	atLeast := func(id int64) (n int64) {
		mu.Lock()
		defer mu.Unlock()
		limit := time.Now().Add(-ttl)
		for _, v := range history[id] {
			if v.at.Before(limit) {
				n = max(n, v.n)
			}
		}
		return n
	}
	stop := make(chan struct{})
	var workers sync.WaitGroup
	reads, writes := 0, 0
	for range 6 {
		p := open(cache.NewRedis(servicetest.Redis(t, server.URL)), rows, ttl)
		workers.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(rand.N(5 * time.Millisecond)):
				}
				id := rand.Int64N(keys)
				if rand.IntN(8) > 0 {
					want := atLeast(id)
					found, err := p.users.Get(t.Context(), []int64{id}, p.load)
					switch {
					case err != nil:
						t.Error(err)
					case len(found) > 0 && found[id].VideoCount < want, len(found) == 0 && want > 0:
						t.Errorf("read %v, want at least %d", found[id], want)
					}
					mu.Lock()
					reads++
					mu.Unlock()
					continue
				}
				var n int64
				if err := cache.Change(t.Context(), p.store, func(cache.Also) error { n = rows.add(id); return nil }, p.users.Key(id)); err != nil {
					t.Error(err)
				}
				mu.Lock()
				history[id] = append(history[id], version{time.Now(), n})
				writes++
				mu.Unlock()
			}
		})
	}
	for range 4 {
		time.Sleep(time.Second) // of load on a Redis that is there
		server.Kill(t)
		time.Sleep(300 * time.Millisecond)
		server.Restart(t)
	}
	time.Sleep(ttl) // of load, in which everything old expires
	close(stop)
	workers.Wait()
	t.Logf("%d reads, %d writes", reads, writes)
	p := open(cache.NewRedis(servicetest.Redis(t, server.URL)), rows, ttl)
	require.Eventually(t, func() bool {
		for id, n := range p.get(t, 0, 1, 2) {
			if n != rows.rows[id] {
				return false
			}
		}
		return true
	}, ttl+time.Second, 50*time.Millisecond)
}

// A Redis that hangs delays only the first reads. One that has lost everything, scripts too, is filled again.
func TestRedisHangs(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "no")
	p := open(cache.NewRedis(servicetest.Redis(t, server.URL)), newTable(), cache.MaxTTL)
	p.set(1, 1)
	p.kept(t, 1)
	server.Pause(t)
	begin := time.Now()
	for n := range int64(200) {
		p.change(t, 1, n)
		require.Equal(t, map[int64]int64{1: n}, p.get(t, 1))
	}
	require.Less(t, time.Since(begin), patience) // without the breaker 200 times two seconds
	server.Continue(t)
	server.Kill(t)
	server.Restart(t)
	p.kept(t, 1)
	p.change(t, 1, 300)
	require.Equal(t, map[int64]int64{1: 300}, p.get(t, 1))
}
