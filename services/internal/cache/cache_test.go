package cache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/servicetest"
	"minidouyin/services/testenv/redistest"
)

// patience bounds the wait for a condition.
const patience = 20 * time.Second

// table is the database: users by id, whose VideoCount only rises.
type table struct {
	mu    sync.Mutex
	rows  map[int64]int64
	loads []string
	delay func() // of every load, after it has read the rows
}

func newTable() *table { return &table{rows: map[int64]int64{}, delay: func() {}} }

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
	defer t.delay()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.loads = append(t.loads, fmt.Sprint(slices.Sorted(slices.Values(ids))))
	found := map[int64]*basics.User{}
	for _, id := range ids {
		if n, ok := t.rows[id]; ok {
			found[id] = &basics.User{ID: id, Name: "ann", VideoCount: n}
		}
	}
	return found, nil
}

// take returns the ids of the loads since the last call: "[1 2] [3]".
func (t *table) take() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.Join(t.loads, " ")
	t.loads = nil
	return text
}

// process is one of several that share a store and a table.
type process struct {
	*table
	store cache.Store
	users *cache.Cache[int64, *basics.User]
}

func open(store cache.Store, rows *table, ttl time.Duration) *process {
	return &process{rows, store, cache.New(store, cache.Config[int64, *basics.User]{
		Name: "test:u1", Key: cache.ID, New: basics.NewUser, TTL: ttl, AbsentTTL: ttl})}
}

// get returns the numbers of the users that exist.
func (p *process) get(t *testing.T, ids ...int64) map[int64]int64 {
	t.Helper()
	found, err := p.users.Get(t.Context(), ids, p.load)
	require.NoError(t, err)
	numbers := map[int64]int64{}
	for id, u := range found {
		require.Equal(t, id, u.ID)
		require.Equal(t, "ann", u.Name)
		numbers[id] = u.VideoCount
	}
	return numbers
}

// change sets the number of a user with a write.
func (p *process) change(t *testing.T, id, n int64) {
	t.Helper()
	require.NoError(t, cache.Change(t.Context(), p.store, func(cache.Also) error {
		p.set(id, n)
		return nil
	}, p.users.Key(id)))
}

// eachStore runs the test with a map, a Redis and a cluster. newStore returns the store of another process; all share one
// map.
func eachStore(t *testing.T, test func(t *testing.T, newStore func() cache.Store)) {
	t.Run("map", func(t *testing.T) {
		store := cache.NewMap()
		test(t, func() cache.Store { return store })
	})
	eachRedis(t, func(t *testing.T, newClient func() redis.UniversalClient) {
		test(t, func() cache.Store { return cache.NewRedis(newClient()) })
	})
}

func eachRedis(t *testing.T, test func(t *testing.T, newClient func() redis.UniversalClient)) {
	t.Run("redis", func(t *testing.T) {
		server := redistest.Start(t)
		test(t, func() redis.UniversalClient { return servicetest.Redis(t, server.URL) })
	})
	t.Run("cluster", func(t *testing.T) {
		url := redistest.SharedCluster(t)
		servicetest.Wipe(t, servicetest.Redis(t, url))
		test(t, func() redis.UniversalClient { return servicetest.Redis(t, url) })
	})
}

// One call loads the missing values. They are cached until a write, absences too.
func TestGet(t *testing.T) {
	eachStore(t, func(t *testing.T, newStore func() cache.Store) {
		rows := newTable()
		p, other := open(newStore(), rows, cache.MaxTTL), open(newStore(), rows, cache.MaxTTL)
		for id := range int64(4) {
			rows.set(id, id*10)
		}
		for _, step := range []struct {
			name  string
			p     *process
			ids   []int64
			want  map[int64]int64
			loads string
		}{
			{"no keys", p, nil, map[int64]int64{}, ""},
			{"missing", p, []int64{2, 1}, map[int64]int64{1: 10, 2: 20}, "[1 2]"},
			{"some missing, one absent", p, []int64{3, 1, 9, 2}, map[int64]int64{1: 10, 2: 20, 3: 30}, "[3 9]"},
			{"kept, for another process too", other, []int64{1, 2, 2, 3, 9}, map[int64]int64{1: 10, 2: 20, 3: 30}, ""},
		} {
			require.Equal(t, step.want, step.p.get(t, step.ids...), step.name)
			require.Equal(t, step.loads, rows.take(), step.name)
		}
		rows.set(5, 50)
		require.Equal(t, map[int64]int64{5: 50}, p.get(t, 5, 5, 5), "the same key again and again")
		rows.take()
		require.Len(t, p.users.Peek(t.Context(), 1, 7), 1)
		require.Empty(t, rows.take(), "a peek loads nothing")
		require.Equal(t, map[int64]int64{}, p.get(t, 7))
		require.Equal(t, "[7]", rows.take(), "and takes no lease")

		other.change(t, 1, 11)
		other.change(t, 9, 90)
		require.Equal(t, map[int64]int64{1: 11, 2: 20, 9: 90}, p.get(t, 1, 2, 9))
		require.Equal(t, "[1 9]", rows.take())
		require.Equal(t, map[int64]int64{1: 11, 9: 90}, other.get(t, 1, 9))
		require.Empty(t, rows.take())
		user, exists, err := p.users.One(t.Context(), 1, func(context.Context) (*basics.User, bool, error) { panic("it is kept") })
		require.NoError(t, err)
		require.True(t, exists)
		require.Equal(t, int64(11), user.VideoCount)
	})
}

// Without a store every value is loaded, and Change only runs the write.
func TestNoStore(t *testing.T) {
	p := open(nil, newTable(), cache.MaxTTL)
	p.change(t, 1, 1)
	for range 2 {
		require.Equal(t, map[int64]int64{1: 1}, p.get(t, 1, 2))
		require.Equal(t, "[1 2]", p.take())
		require.Empty(t, p.users.Peek(t.Context(), 1))
		require.Empty(t, p.get(t))
	}
	require.Empty(t, p.take())
}

// The stored value and the result of a read that overlaps with a write.
func TestOverlap(t *testing.T) {
	eachStore(t, func(t *testing.T, newStore func() cache.Store) {
		rows := newTable()
		reader, writer := open(newStore(), rows, cache.MaxTTL), open(newStore(), rows, cache.MaxTTL)
		id := int64(0)
		for _, c := range []struct {
			name                                              string
			writeWithinLoad, readWithinWrite, readAfterCommit bool
			before                                            bool // the old value is kept
		}{
			{name: "a write after a read", before: true},
			{name: "a write while a reader has the old row", writeWithinLoad: true},
			{name: "a read before the commit", readWithinWrite: true},
			{name: "a read before the commit of what is kept", readWithinWrite: true, before: true},
			{name: "a read after the commit", readAfterCommit: true},
			{name: "a read after the commit of what is kept", readAfterCommit: true, before: true},
		} {
			t.Run(c.name, func(t *testing.T) {
				id++
				rows.set(id, 1)
				if c.before {
					require.Equal(t, map[int64]int64{id: 1}, reader.get(t, id))
				}
				if c.writeWithinLoad {
					_, err := reader.users.Get(t.Context(), []int64{id}, func(ctx context.Context, ids []int64) (map[int64]*basics.User, error) {
						old, err := rows.load(ctx, ids)
						writer.change(t, id, 2)
						return old, err
					})
					require.NoError(t, err)
				} else {
					require.NoError(t, cache.Change(t.Context(), writer.store, func(cache.Also) error {
						if c.readWithinWrite {
							require.Equal(t, map[int64]int64{id: 1}, reader.get(t, id))
						}
						rows.set(id, 2)
						if c.readAfterCommit {
							require.Equal(t, map[int64]int64{id: 2}, reader.get(t, id))
						}
						return nil
					}, writer.users.Key(id)))
				}
				for range 2 {
					require.Equal(t, map[int64]int64{id: 2}, reader.get(t, id))
					require.Equal(t, map[int64]int64{id: 2}, writer.get(t, id))
				}
			})
		}
	})
}

// A key that became known within a write is deleted after it, and so are all keys of a write that failed.
func TestAlso(t *testing.T) {
	eachStore(t, func(t *testing.T, newStore func() cache.Store) {
		p := open(newStore(), newTable(), cache.MaxTTL)
		require.Empty(t, p.get(t, 1, 2))
		refused := codes.Errorf(codes.NotFound, "no")
		err := cache.Change(t.Context(), p.store, func(also cache.Also) error {
			p.set(1, 1)
			p.set(2, 2)
			also(p.users.Key(2))
			return refused
		}, p.users.Key(1))
		require.ErrorIs(t, err, refused)
		require.Equal(t, map[int64]int64{1: 1, 2: 2}, p.get(t, 1, 2))
	})
}

// Readers that miss the same key share one load. A failed load, or one whose caller leaves, returns its lease.
func TestOneLoad(t *testing.T) {
	eachStore(t, func(t *testing.T, newStore func() cache.Store) {
		rows := newTable()
		processes := []*process{open(newStore(), rows, cache.MaxTTL), open(newStore(), rows, cache.MaxTTL)}
		rows.set(1, 1)
		rows.delay = func() { time.Sleep(10 * time.Millisecond) } // all others come within that, and wait for longer
		servicetest.AtOnce(16, func(i int) {
			if got := processes[i%2].get(t, 1)[1]; got != 1 {
				t.Errorf("got %d", got)
			}
		})
		require.LessOrEqual(t, strings.Count(rows.take(), "[1]"), 4, "one, unless the machine is slow")

		broken := errors.New("broken")
		for _, fail := range []func(ctx context.Context) error{
			func(context.Context) error { return broken },
			func(context.Context) error { panic(broken) },
		} {
			processes[0].change(t, 1, 2)
			func() {
				defer func() { _ = recover() }()
				_, err := processes[0].users.Get(t.Context(), []int64{1}, func(ctx context.Context, _ []int64) (map[int64]*basics.User, error) {
					return nil, fail(ctx)
				})
				require.ErrorIs(t, err, broken)
			}()
			require.Equal(t, map[int64]int64{1: 2}, processes[1].get(t, 1))
			require.Equal(t, map[int64]int64{1: 2}, processes[0].get(t, 1))
			require.Equal(t, "[1]", rows.take(), "it is kept again")
		}
	})
}

// A reader waits for the lease of another only for a moment, and not at all when its caller has left.
func TestBusyLease(t *testing.T) {
	eachStore(t, func(t *testing.T, newStore func() cache.Store) {
		rows := newTable()
		p, other := open(newStore(), rows, cache.MaxTTL), open(newStore(), rows, cache.MaxTTL)
		rows.set(1, 1)
		began, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			_, _ = p.users.Get(t.Context(), []int64{1}, func(ctx context.Context, ids []int64) (map[int64]*basics.User, error) {
				close(began)
				<-release
				return rows.load(ctx, ids)
			})
		}()
		<-began
		for range 2 {
			require.Equal(t, map[int64]int64{1: 1}, other.get(t, 1))
			require.Equal(t, "[1]", rows.take(), "it is loaded without storing")
		}
		left, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := other.users.Get(left, []int64{1}, func(ctx context.Context, _ []int64) (map[int64]*basics.User, error) { return nil, ctx.Err() })
		require.ErrorIs(t, err, context.Canceled)
		close(release)
		<-done
		rows.take()
		require.Equal(t, map[int64]int64{1: 1}, other.get(t, 1))
		require.Empty(t, rows.take(), "its holder has stored it")
	})
}

// Values expire, and no key in Redis lives longer than MaxTTL, whatever the Config says.
func TestExpiry(t *testing.T) {
	eachStore(t, func(t *testing.T, newStore func() cache.Store) {
		p := open(newStore(), newTable(), 700*time.Millisecond)
		p.set(1, 1)
		require.Equal(t, map[int64]int64{1: 1}, p.get(t, 1, 2))
		p.set(1, 2) // nobody invalidates it
		p.set(2, 2)
		require.Eventually(t, func() bool { n := p.get(t, 1, 2); return n[1] == 2 && n[2] == 2 }, patience, 20*time.Millisecond)
	})
	eachRedis(t, func(t *testing.T, newClient func() redis.UniversalClient) {
		client := newClient()
		p := open(cache.NewRedis(client), newTable(), time.Hour)
		p.set(1, 1)
		p.get(t, 1, 2)
		for id := range int64(2) {
			left := client.PTTL(t.Context(), p.users.Key(id+1)).Val()
			require.Greater(t, left, cache.MaxTTL/2)
			require.LessOrEqual(t, left, cache.MaxTTL)
		}
	})
}

// Thousands of concurrent reads and writes in two processes: a read that begins after a write has returned gets its value or
// a later one.
func TestRace(t *testing.T) {
	eachStore(t, func(t *testing.T, newStore func() cache.Store) {
		const workers, rounds, together = 8, 600, 50
		rows := newTable()
		rows.delay = func() { time.Sleep(rand.N(time.Millisecond)) }
		processes := []*process{open(newStore(), rows, cache.MaxTTL), open(newStore(), rows, cache.MaxTTL)}
		var written [rounds / together * 2]atomic.Int64 // acknowledged
		servicetest.AtOnce(workers, func(worker int) {
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			for round := range rounds {
				id := int64(round/together*2 + random.IntN(2)) // all workers meet at a few keys, and then at new ones
				p := processes[random.IntN(2)]
				if random.IntN(4) > 0 {
					want := written[id].Load()
					if got := p.get(t, id)[id]; got < want {
						t.Errorf("read %d after %d was written", got, want)
					}
					continue
				}
				var n int64
				if err := cache.Change(t.Context(), p.store, func(cache.Also) error {
					time.Sleep(rand.N(time.Millisecond))
					n = rows.add(id)
					time.Sleep(rand.N(time.Millisecond))
					return nil
				}, p.users.Key(id)); err != nil {
					t.Error(err)
				}
				for last := written[id].Load(); last < n && !written[id].CompareAndSwap(last, n); last = written[id].Load() {
				}
			}
		})
		for id := range int64(len(written)) {
			for _, p := range processes {
				require.Equal(t, rows.rows[id], p.get(t, id)[id])
			}
		}
	})
}

// A value that this version cannot decode is loaded and replaced.
func TestUnreadable(t *testing.T) {
	eachRedis(t, func(t *testing.T, newClient func() redis.UniversalClient) {
		client := newClient()
		p := open(cache.NewRedis(client), newTable(), cache.MaxTTL)
		for id, text := range []string{"", "v\x08", "x1", "v\xff\xff\xff\xff"} {
			id := int64(id + 1)
			p.set(id, id)
			require.NoError(t, client.Set(t.Context(), p.users.Key(id), text, time.Minute).Err())
			for range 3 {
				require.Equal(t, map[int64]int64{id: id}, p.get(t, id), "%q", text)
			}
			require.Equal(t, fmt.Sprintf("[%d] [%d]", id, id), p.take(), "%q", text)
		}
	})
}

// A map evicts the least recently used values and stays within mapBytes.
func TestMapIsBounded(t *testing.T) {
	store := cache.NewMap()
	pages := cache.New(store, cache.Config[int64, *basics.User]{Name: "big", Key: cache.ID, New: basics.NewUser, TTL: cache.MaxTTL})
	big := strings.Repeat("x", 1<<20)
	loads := 0
	get := func(id int64) {
		found, err := pages.Get(t.Context(), []int64{id}, func(context.Context, []int64) (map[int64]*basics.User, error) {
			loads++
			return map[int64]*basics.User{id: {ID: id, Signature: big}}, nil
		})
		require.NoError(t, err)
		require.Equal(t, id, found[id].ID)
	}
	for id := range int64(200) {
		get(id)
		get(0) // which so is always used
	}
	require.Equal(t, 200, loads)
	kept := 0
	for id := range int64(200) {
		kept += len(pages.Peek(t.Context(), id))
	}
	require.Equal(t, 63, kept, "MiB, of 64")
	require.Len(t, pages.Peek(t.Context(), 0), 1)
}

func BenchmarkGet(b *testing.B) {
	for name, newStore := range map[string]func() cache.Store{
		"map":   func() cache.Store { return cache.NewMap() },
		"redis": func() cache.Store { return cache.NewRedis(servicetest.Redis(b, redistest.Start(b).URL)) },
	} {
		b.Run(name, func(b *testing.B) {
			users := cache.New(newStore(), cache.Config[int64, *basics.User]{Name: "test:u1", Key: cache.ID, New: basics.NewUser, TTL: cache.MaxTTL})
			ids := make([]int64, 30)
			for i := range ids {
				ids[i] = int64(i + 1_000_000)
			}
			load := func(_ context.Context, ids []int64) (map[int64]*basics.User, error) {
				found := map[int64]*basics.User{}
				for _, id := range ids {
					found[id] = &basics.User{ID: id, Name: "somebody", Signature: "hello, this is what I say about myself", VideoCount: 17}
				}
				return found, nil
			}
			b.ReportAllocs()
			for b.Loop() {
				if found, err := users.Get(b.Context(), ids, load); err != nil || len(found) != len(ids) {
					b.Fatal(found, err)
				}
			}
		})
	}
}
