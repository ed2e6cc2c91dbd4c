//go:build unix

package cache_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/servicetest"
	"minidouyin/services/redistest"
)

// kept waits until reads of the user are answered without a load.
func (p *process) kept(t *testing.T, id, n int64) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		p.take()
		p.wants(t, id, n)
		if p.take() == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatal("nothing is kept")
		}
	}
}

// While Redis is away, reads and writes go on; when it comes back with old values, nobody gets those, and it is used
// again. The log has one line for each.
func TestRedisAway(t *testing.T) {
	server := redistest.Start(t)
	rows := newTable()
	p := open(t, servicetest.Redis(t, server.URL), rows)
	for id := range int64(10) {
		rows.set(id, 1)
		p.kept(t, id, 1)
	}
	server.Kill(t)
	for id := range int64(10) {
		p.wants(t, id, 1)
		p.change(t, id, 2)
		p.wants(t, id, 2)
	}
	other := open(t, servicetest.Redis(t, server.URL), rows)
	for range 3 { // notices, too
		other.wants(t, 1, 2)
	}
	server.Restart(t)
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
		for id := range int64(10) {
			p.wants(t, id, 2)
			other.wants(t, id, 2)
		}
	}
	for id := range int64(10) {
		p.kept(t, id, 2)
		other.wants(t, id, 2)
	}
	for _, part := range []string{"redis is away", "redis is back"} {
		if n := p.log.count(part); n != 1 {
			t.Errorf("%d lines %q, want 1", n, part)
		}
	}
}

// While one server of a cluster is away and the others answer, reads and writes go on, those of its keys too; when it
// comes back with old values, nobody gets those, and all is kept again.
func TestNodeAway(t *testing.T) {
	server := redistest.StartCluster(t)
	rows := newTable()
	p, other := open(t, servicetest.Redis(t, server.URL), rows), open(t, servicetest.Redis(t, server.URL), rows)
	const users = 20
	for id := range int64(users) {
		rows.set(id, 1)
		p.kept(t, id, 1)
	}
	server.Node(0).Kill(t) // which does not have the epoch
	ended := make(chan struct{})
	var reads sync.WaitGroup
	for id := range int64(users) { // those of the others bring answers all the time
		reads.Go(func() {
			for {
				select {
				case <-ended:
					return
				case <-time.After(20 * time.Millisecond):
					_, _ = p.users.Get(context.WithoutCancel(t.Context()), []int64{id}, p.load)
				}
			}
		})
	}
	for n := int64(2); n < 4; n++ {
		for id := range int64(users) {
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
			err := p.redis.Change(ctx, func(*cache.Change) error { rows.set(id, n); return nil }, p.users.Key(id), p.users.Key(id+1))
			if err != nil || ctx.Err() != nil {
				t.Errorf("write %d of %d took all of its time (%v)", n, id, err)
			}
			cancel()
			p.wants(t, id, n)
			other.wants(t, id, n)
		}
	}
	server.Node(0).Restart(t)
	for range 100 {
		for id := range int64(users) {
			p.wants(t, id, 3)
			other.wants(t, id, 3)
		}
		time.Sleep(20 * time.Millisecond)
	}
	close(ended)
	reads.Wait()
	for id := range int64(users) {
		p.kept(t, id, 3)
		other.kept(t, id, 3)
	}
}

// When too many keys could not be marked, all that Redis has is old, for other processes too.
func TestTooMuchToMark(t *testing.T) {
	server := redistest.Start(t)
	rows := newTable()
	p, other := open(t, servicetest.Redis(t, server.URL), rows), open(t, servicetest.Redis(t, server.URL), rows)
	rows.set(1, 1)
	p.kept(t, 1, 1)
	p.kept(t, 1, 1)
	server.Kill(t)
	keys := []string{p.users.Key(1)}
	for id := range int64(20_000) {
		keys = append(keys, p.users.Key(id))
	}
	for range 3 {
		if err := p.redis.Change(t.Context(), func(*cache.Change) error { rows.set(1, 2); return nil }, keys...); err != nil {
			t.Fatal(err)
		}
	}
	server.Restart(t)
	for range 100 {
		p.wants(t, 1, 2)
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(time.Second) // others learn of the new epoch
	other.wants(t, 1, 2)
	p.kept(t, 1, 2)
	other.kept(t, 1, 2)
}

// A Redis that lost everything is filled again.
func TestRedisWiped(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "no")
	p := open(t, servicetest.Redis(t, server.URL), newTable())
	p.set(1, 1)
	p.kept(t, 1, 1)
	server.Kill(t)
	server.Restart(t)
	p.kept(t, 1, 1)
	p.change(t, 1, 2)
	p.wants(t, 1, 2)
	p.kept(t, 1, 2)
}

// A Redis that does not answer costs a moment, and then none.
func TestRedisHangs(t *testing.T) {
	server := redistest.Start(t)
	p := open(t, servicetest.Redis(t, server.URL), newTable())
	p.set(1, 1)
	p.kept(t, 1, 1)
	server.Pause(t)
	begin := time.Now()
	for n := range int64(200) {
		p.change(t, 1, n)
		p.wants(t, 1, n)
	}
	if took := time.Since(begin); took > 10*time.Second { // without the breaker: 200 times 250 ms at least
		t.Errorf("200 writes and reads took %s", took)
	}
	server.Continue(t)
	p.wants(t, 1, 199)
	p.kept(t, 1, 199)
}

// What is kept in the process is gone with its own writes, and after a second with those of others.
func TestNear(t *testing.T) {
	client := servicetest.EmbeddedRedis(t)
	rows := newTable()
	near := func(c *cache.Config[int64, *basics.User]) { c.Near = true }
	p, other := open(t, client, rows, near), open(t, client, rows)
	rows.set(1, 1)
	p.wants(t, 1, 1)
	client.FlushAll(t.Context())
	p.wants(t, 1, 1)
	p.wantsLoads(t, "[1]")
	p.change(t, 1, 2)
	p.wants(t, 1, 2)
	other.change(t, 1, 3)
	other.wants(t, 1, 3)
	time.Sleep(1100 * time.Millisecond)
	p.wants(t, 1, 3)
	var many []int64
	for id := range int64(12_000) { // more than are kept
		rows.set(id+100, id)
		many = append(many, id+100)
	}
	for range 2 {
		if got := p.get(t, many...); len(got) != len(many) || got[111] != 11 {
			t.Errorf("got %d", len(got))
		}
	}
}
