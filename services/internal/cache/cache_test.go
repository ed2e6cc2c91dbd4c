package cache_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/servicetest"
	"minidouyin/services/redistest"
)

// table stands for the database: users by id, whose VideoCount is a number that only rises.
type table struct {
	mu    sync.Mutex
	rows  map[int64]int64
	loads [][]int64
}

func newTable() *table { return &table{rows: map[int64]int64{}} }

func (t *table) set(id, n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows[id] = n
}

func (t *table) add(id int64) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows[id]++
	return t.rows[id]
}

func (t *table) load(_ context.Context, ids []int64) (map[int64]*basics.User, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.loads = append(t.loads, slices.Sorted(slices.Values(ids)))
	found := map[int64]*basics.User{}
	for _, id := range ids {
		if n, ok := t.rows[id]; ok {
			found[id] = &basics.User{ID: id, Name: "ann", VideoCount: n}
		}
	}
	return found, nil
}

// take returns the keys of the loads since the last call: "[1 2] [3]".
func (t *table) take() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var text []string
	for _, ids := range t.loads {
		text = append(text, fmt.Sprint(ids))
	}
	t.loads = nil
	return strings.Join(text, " ")
}

// process is one of several that share a Redis and a table.
type process struct {
	*table
	redis *cache.Redis
	users *cache.Cache[int64, *basics.User]
	log   *lines
}

func open(t *testing.T, client redis.UniversalClient, rows *table, configure ...func(*cache.Config[int64, *basics.User])) *process {
	t.Helper()
	p := &process{table: rows, log: &lines{}}
	p.redis = cache.Open(client, "test", slog.New(slog.NewTextHandler(p.log, nil)))
	t.Cleanup(p.redis.Close)
	cfg := cache.Config[int64, *basics.User]{Name: "u1", Key: cache.ID, New: basics.NewUser, TTL: time.Minute, AbsentTTL: time.Minute}
	for _, set := range configure {
		set(&cfg)
	}
	p.users = cache.New(p.redis, cfg)
	return p
}

type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(b))
	return len(b), nil
}

func (l *lines) count(part string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.all {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}

// get returns the numbers of the users that exist.
func (p *process) get(t *testing.T, ids ...int64) map[int64]int64 {
	t.Helper()
	found, err := p.users.Get(t.Context(), ids, p.load)
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[int64]int64{}
	for id, u := range found {
		if u.ID != id || u.Name != "ann" {
			t.Errorf("%d is %v", id, u)
		}
		numbers[id] = u.VideoCount
	}
	return numbers
}

// change sets a user's number as a write does.
func (p *process) change(t *testing.T, id, n int64) {
	t.Helper()
	err := p.redis.Change(t.Context(), func(*cache.Change) error {
		p.set(id, n)
		return nil
	}, p.users.Key(id))
	if err != nil {
		t.Fatal(err)
	}
}

func (p *process) wants(t *testing.T, id, n int64) {
	t.Helper()
	if got := p.get(t, id)[id]; got != n {
		t.Errorf("got %d, want %d", got, n)
	}
}

func (p *process) wantsLoads(t *testing.T, want string) {
	t.Helper()
	if got := p.take(); got != want {
		t.Errorf("loaded %q, want %q", got, want)
	}
}

// eachRedis runs the test with the Redis inside the process, with a real one and with a cluster.
func eachRedis(t *testing.T, test func(t *testing.T, client redis.UniversalClient)) {
	t.Run("embedded", func(t *testing.T) { test(t, servicetest.EmbeddedRedis(t)) })
	t.Run("real", func(t *testing.T) { test(t, servicetest.Redis(t, redistest.Start(t).URL)) })
	t.Run("cluster", func(t *testing.T) {
		client := servicetest.Redis(t, redistest.SharedCluster(t))
		servicetest.Wipe(t, client)
		test(t, client)
	})
}

// What is missing is loaded at once, and then kept, also that it does not exist; every key ends by itself.
func TestGet(t *testing.T) {
	eachRedis(t, func(t *testing.T, client redis.UniversalClient) {
		rows := newTable()
		p := open(t, client, rows)
		for id := range int64(4) {
			rows.set(id, id*10)
		}
		if got := p.get(t); len(got) != 0 {
			t.Errorf("no keys give %v", got)
		}
		p.wantsLoads(t, "")
		p.get(t, 1, 2)
		p.wantsLoads(t, "[1 2]")
		if got := p.get(t, 3, 1, 9, 3, 2); !maps.Equal(got, map[int64]int64{1: 10, 2: 20, 3: 30}) {
			t.Errorf("got %v", got)
		}
		p.wantsLoads(t, "[3 9]")
		other := open(t, client, rows)
		if got := other.get(t, 1, 2, 3, 9); !maps.Equal(got, map[int64]int64{1: 10, 2: 20, 3: 30}) {
			t.Errorf("got %v", got)
		}
		p.wantsLoads(t, "")
		if got := p.users.Peek(t.Context(), 1, 7); len(got) != 1 || got[1].VideoCount != 10 {
			t.Errorf("got %v", got)
		}
		p.wantsLoads(t, "")
		p.change(t, 1, 11)
		p.wants(t, 1, 11)
		p.wantsLoads(t, "[1]")
		p.wants(t, 1, 11)
		p.wantsLoads(t, "")
		refused := codes.Errorf(codes.NotFound, "no")
		err := p.redis.Change(t.Context(), func(*cache.Change) error { return fmt.Errorf("change: %w", refused) }, p.users.Key(1))
		if !errors.Is(err, refused) {
			t.Errorf("got %v", err)
		}
		p.wants(t, 1, 11)
		p.wantsLoads(t, "")
		p.change(t, 1, 11)
		for _, key := range client.Keys(t.Context(), "*").Val() {
			if ttl := client.TTL(t.Context(), key).Val(); ttl <= 0 || ttl > 70*time.Second {
				t.Errorf("%s lives for %s", key, ttl)
			}
		}
		servicetest.Wipe(t, client)
		p.wants(t, 1, 11)
		p.wantsLoads(t, "[1]")
		p.wants(t, 1, 11)
		p.wantsLoads(t, "")
	})
}

// What a read returns that began before, within or after a write, and what is kept then. Between the steps of a load
// and of a write, the other one does its own.
func TestChange(t *testing.T) {
	eachRedis(t, func(t *testing.T, client redis.UniversalClient) {
		rows := newTable()
		reader, writer := open(t, client, rows), open(t, client, rows)
		id := int64(0)
		for _, c := range []struct {
			name string
			// The write happens when the reader has loaded the row; or the reader loads when the write is not
			// committed, or not marked again yet.
			writeWithinLoad, readWithinWrite, readAfterCommit bool
			before                                            bool // Redis has the old value
			after                                             bool // Redis has the mark of an earlier write
		}{
			{name: "a write after a read", before: true},
			{name: "a write while a read has the old row", writeWithinLoad: true},
			{name: "a read before the commit", readWithinWrite: true},
			{name: "a read before the commit of what is kept", readWithinWrite: true, before: true},
			{name: "a read between commit and mark", readAfterCommit: true},
			{name: "a read between commit and mark of what is kept", readAfterCommit: true, before: true},
			{name: "a write while a read has the old row that an earlier write left", writeWithinLoad: true, after: true},
		} {
			t.Run(c.name, func(t *testing.T) {
				id++
				rows.set(id, 1)
				if c.before {
					reader.wants(t, id, 1)
				}
				if c.after {
					writer.change(t, id, 1)
				}
				if c.writeWithinLoad {
					_, err := reader.users.Get(t.Context(), []int64{id}, func(ctx context.Context, ids []int64) (map[int64]*basics.User, error) {
						old, err := rows.load(ctx, ids)
						writer.change(t, id, 2)
						return old, err
					})
					if err != nil {
						t.Fatal(err)
					}
				} else {
					err := writer.redis.Change(t.Context(), func(*cache.Change) error {
						if c.readWithinWrite {
							reader.wants(t, id, 1)
						}
						rows.set(id, 2)
						if c.readAfterCommit {
							reader.wants(t, id, 2)
						}
						return nil
					}, writer.users.Key(id))
					if err != nil {
						t.Fatal(err)
					}
				}
				for range 3 {
					reader.wants(t, id, 2)
					writer.wants(t, id, 2)
				}
			})
		}
	})
}

// A read that follows a write never gets what a load brings that began before it, in this process or another; reads
// that wait for the same share one load.
func TestFlights(t *testing.T) {
	client := servicetest.EmbeddedRedis(t)
	rows := newTable()
	p, other := open(t, client, rows), open(t, client, rows)
	for i, writer := range []*process{p, other} {
		id := int64(i + 1)
		rows.set(id, 1)
		loaded, release := make(chan struct{}), make(chan struct{})
		slow := make(chan int64)
		go func() {
			found, _ := p.users.Get(t.Context(), []int64{id}, func(ctx context.Context, ids []int64) (map[int64]*basics.User, error) {
				old, err := rows.load(ctx, ids)
				close(loaded)
				<-release
				return old, err
			})
			slow <- found[id].VideoCount
		}()
		<-loaded
		writer.change(t, id, 2)
		after := make(chan int64)
		go func() { after <- p.get(t, id)[id] }()
		if writer == p { // it knows of the change, and does not wait for the load
			if got := <-after; got != 2 {
				t.Errorf("a read after the write got %d", got)
			}
			close(release)
		} else {
			time.Sleep(10 * time.Millisecond)
			close(release)
			if got := <-after; got != 2 {
				t.Errorf("a read after the write got %d", got)
			}
		}
		if got := <-slow; got != 1 {
			t.Errorf("the slow read got %d", got)
		}
		p.wants(t, id, 2)
	}

	rows.set(3, 1)
	rows.take()
	began, release := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := p.users.Get(ctx, []int64{3}, func(ctx context.Context, ids []int64) (map[int64]*basics.User, error) {
			close(began)
			<-release
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			return rows.load(ctx, ids)
		})
		first <- err
	}()
	<-began
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { p.wants(t, 3, 1) })
	}
	time.Sleep(20 * time.Millisecond) // all wait now
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the first ended with %v", err)
	}
	close(release)
	group.Wait()
	p.wantsLoads(t, "[3]")
}

// A load that fails, or panics, fails those who wait for it, and the next read loads again.
func TestLoadFails(t *testing.T) {
	p := open(t, servicetest.EmbeddedRedis(t), newTable())
	p.set(1, 1)
	broken := errors.New("broken")
	if _, err := p.users.Get(t.Context(), []int64{1}, func(context.Context, []int64) (map[int64]*basics.User, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := p.users.Get(t.Context(), []int64{1}, func(context.Context, []int64) (map[int64]*basics.User, error) { panic("oh") }); err == nil || !strings.Contains(err.Error(), "oh") {
		t.Errorf("got %v", err)
	}
	p.wants(t, 1, 1)
}

// A load that took long is not kept: a mark could have come and gone meanwhile.
func TestSlowLoad(t *testing.T) {
	p := open(t, servicetest.EmbeddedRedis(t), newTable())
	p.set(1, 1)
	if _, err := p.users.Get(t.Context(), []int64{1}, func(ctx context.Context, ids []int64) (map[int64]*basics.User, error) {
		time.Sleep(1100 * time.Millisecond)
		return p.load(ctx, ids)
	}); err != nil {
		t.Fatal(err)
	}
	p.wantsLoads(t, "[1]")
	p.wants(t, 1, 1)
	p.wantsLoads(t, "[1]")
}

// An edited value is kept without a load; where others interfere, it is dropped.
func TestEdit(t *testing.T) {
	eachRedis(t, func(t *testing.T, client redis.UniversalClient) {
		rows := newTable()
		p, other := open(t, client, rows), open(t, client, rows)
		add := func(p *process, id int64, within func()) error {
			return p.redis.Change(t.Context(), func(c *cache.Change) error {
				rows.add(id)
				p.users.Edit(c, id, increment)
				if within != nil {
					within()
				}
				return nil
			}, p.users.Key(id))
		}
		for i, c := range []struct {
			name   string
			before bool // Redis has the value
			within func(id int64)
			loads  string // of a read afterwards
		}{
			{"what is kept", true, nil, ""},
			{"what is not kept", false, nil, "[2]"},
			{"read within", true, func(id int64) { other.get(t, id); rows.take() }, ""},
			{"edited by another within", true, func(id int64) { _ = add(other, id, nil) }, "[4]"},
			{"wiped and filled within", true, func(id int64) {
				servicetest.Wipe(t, client)
				other.get(t, id)
				rows.take()
			}, "[5]"},
		} {
			t.Run(c.name, func(t *testing.T) {
				id := int64(i + 1)
				rows.set(id, 1)
				if c.before {
					p.get(t, id)
				}
				rows.take()
				var within func()
				if c.within != nil {
					within = func() { c.within(id) }
				}
				if err := add(p, id, within); err != nil {
					t.Fatal(err)
				}
				want := rows.rows[id]
				p.wants(t, id, want)
				p.wantsLoads(t, c.loads)
				other.wants(t, id, want)
			})
		}
	})
}

// Many who read and write at once, in two processes: whoever reads after a write has returned sees it or a later one.
func TestStorm(t *testing.T) {
	eachRedis(t, func(t *testing.T, client redis.UniversalClient) {
		const workers, rounds, together = 12, 400, 10
		rows := newTable()
		processes := []*process{open(t, client, rows), open(t, client, rows)}
		var written [2 * rounds]atomic.Int64 // acknowledged
		servicetest.AtOnce(workers, func(worker int) {
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			for round := range rounds {
				id := int64(round/together*2 + random.IntN(2)) // all workers meet at new ids, of which Redis has nothing
				p := processes[random.IntN(2)]
				if random.IntN(4) > 0 {
					want := written[id].Load()
					if got := p.get(t, id)[id]; got < want {
						t.Errorf("read %d after %d was written", got, want)
					}
					continue
				}
				var n int64
				err := p.redis.Change(t.Context(), func(c *cache.Change) error {
					if random.IntN(2) == 0 {
						p.users.Edit(c, id, increment)
					}
					n = rows.add(id)
					return nil
				}, p.users.Key(id))
				if err != nil {
					t.Error(err)
				}
				for last := written[id].Load(); last < n && !written[id].CompareAndSwap(last, n); last = written[id].Load() {
				}
			}
		})
		for id := range int64(rounds / together * 2) {
			for _, p := range processes {
				p.wants(t, id, rows.rows[id])
			}
		}
	})
}

func increment(old *basics.User) (*basics.User, bool) {
	edited := *old
	edited.VideoCount++
	return &edited, true
}
