//go:build unix

package cluster_test

import (
	"context"
	"database/sql"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"minidouyin/bff/cluster"
)

const (
	// chaosTime is how long the parts are killed in the tests that always run.
	chaosTime = 20 * time.Second
	// drainTimeout is how long the likes of the log may take to get into the database when everything runs.
	drainTimeout = 2 * patience
	// patience is how long a test waits for what must come: it bounds a test that fails.
	patience = time.Minute
	// cacheTime is how long a cached value lives.
	cacheTime = 30 * time.Second
)

// While everything is killed and started again, at random, people like, comment, follow, chat and register. Then
// everything that was acknowledged is there, once, what was refused in vain or whose answer was lost may be, and every
// counter is right. It is done for both moments at which likes are acknowledged. CHAOS_SEED repeats what is killed and
// tried, CHAOS_TIME makes each longer, and CHAOS_KILLS is how many kills each needs at least.
func TestChaos(t *testing.T) {
	seed, duration, kills := rand.Uint64(), chaosTime, 1
	var err error
	if text := os.Getenv("CHAOS_SEED"); text != "" {
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	if text := os.Getenv("CHAOS_TIME"); text != "" {
		duration, err = time.ParseDuration(text)
		require.NoError(t, err)
	}
	if text := os.Getenv("CHAOS_KILLS"); text != "" {
		kills, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	for _, ack := range []string{"stored", "logged"} {
		t.Run(ack, func(t *testing.T) {
			t.Logf("CHAOS_SEED=%d CHAOS_TIME=%s", seed, duration)
			chaos(t, ack, seed, duration, kills)
		})
	}
}

func chaos(t *testing.T, ack string, seed uint64, duration time.Duration, kills int) {
	t.Helper()
	c := start(t, map[string][]string{"interaction": {"--like-ack=" + ack}})
	people, videos := crowd(t, c.URL(), 8)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var workers []*worker
	var group sync.WaitGroup
	for i, p := range people {
		w := newWorker(p, seed, i, people, videos)
		workers = append(workers, w)
		group.Go(func() {
			for ctx.Err() == nil {
				w.act(t.Context()) // an answer that was waited for is not given up at the end
			}
		})
	}
	m := &monkey{t: t, cluster: c, random: rand.New(rand.NewPCG(seed, 1<<32)), did: map[string]int{}}
	// On a slow machine the time is longer: until each target had its turn and each kind of write was acknowledged.
	begin := time.Now()
	m.run(func() bool {
		elapsed := time.Since(begin)
		return elapsed > duration && (len(m.did) == len(m.targets()) && everyKind(workers) || elapsed > duration+5*patience)
	})
	cancel()
	group.Wait()

	drain(t, c)
	acknowledged, lost := map[string]int{}, map[string]int{}
	for _, w := range workers {
		for kind, n := range w.acknowledged {
			acknowledged[kind] += n
		}
		for kind, n := range w.lost {
			lost[kind] += n
		}
	}
	t.Logf("acknowledged: %v", acknowledged)
	t.Logf("answers lost: %v", lost)
	t.Logf("%d kills: %v", m.kills, m.did)
	wrong := audit(t, c, workers)
	require.Empty(t, wrong, "CHAOS_SEED=%d: %d differences", seed, len(wrong))
	reconcile(t, c)

	require.GreaterOrEqual(t, m.kills, kills, "too few kills in %s", duration)
	for _, kind := range kinds {
		require.Positive(t, acknowledged[kind], "too little was done to prove anything: %s", kind)
	}
	for kind := range lost {
		_, code, _ := strings.Cut(kind, " ")
		require.Contains(t, []string{"transport", "UPSTREAM_UNAVAILABLE", "INTERNAL", "REST 9", "REST 1"}, code,
			"whatever is away, nobody is told that they did something wrong")
	}
	for _, name := range m.targets() {
		require.Positive(t, m.did[name], "%s was left alone", name)
	}
}

// kinds are the kinds of writes.
var kinds = []string{"like", "follow", "comment", "deleteComment", "message", "register"}

// everyKind reports whether a write of each kind was acknowledged.
func everyKind(workers []*worker) bool {
	for _, kind := range kinds {
		if !slices.ContainsFunc(workers, func(w *worker) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.acknowledged[kind] > 0
		}) {
			return false
		}
	}
	return true
}

// monkey kills parts and starts them again.
type monkey struct {
	t       *testing.T
	cluster *cluster.Cluster
	random  *rand.Rand
	did     map[string]int
	kills   int
	healing sync.WaitGroup
}

// holdLikes is what the monkey does besides killing: it keeps likes from getting into the database, so that many are in
// Redis alone.
const holdLikes = "likes held"

// targets returns what is done in every round, each once and in another order.
func (m *monkey) targets() []string {
	targets := []string{holdLikes, "mariadb", "redis", "etcd"}
	for _, name := range m.cluster.Parts() {
		switch cluster.Kind(name) {
		case "basics", "interaction", "social", "bff":
			targets = append(targets, name)
		}
	}
	slices.Sort(targets)
	return targets
}

// run works until enough was done, and starts everything at the end.
func (m *monkey) run(enough func() bool) {
	m.t.Helper()
	var round []string
	for !enough() {
		if len(round) == 0 {
			round = m.targets()
			m.random.Shuffle(len(round), func(i, j int) { round[i], round[j] = round[j], round[i] })
		}
		away, pause := time.Duration(m.random.IntN(600))*time.Millisecond, time.Duration(150+m.random.IntN(500))*time.Millisecond
		m.do(round[0], away)
		round = round[1:]
		time.Sleep(pause)
	}
	m.healing.Wait()
	for _, name := range m.cluster.Parts() {
		require.True(m.t, m.cluster.Alive(name), "%s ended by itself", name)
	}
}

func (m *monkey) do(target string, away time.Duration) {
	m.t.Helper()
	if target == holdLikes {
		m.did[target]++
		m.healing.Go(func() { m.hold(away) })
		return
	}
	if !m.cluster.Alive(target) { // it is being started
		return
	}
	m.did[target]++
	m.kills++
	require.NoError(m.t, m.cluster.Kill(target))
	m.healing.Go(func() {
		time.Sleep(away)
		ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
		defer cancel()
		for {
			err := m.cluster.Start(ctx, target)
			if err == nil {
				return
			}
			if ctx.Err() != nil {
				m.t.Errorf("%s does not start: %v", target, err)
				return
			}
			time.Sleep(50 * time.Millisecond) // what it needs may be away
		}
	})
}

// hold keeps the table of likes locked for a time. That the database is away does not matter.
func (m *monkey) hold(d time.Duration) {
	db, err := sql.Open("mysql", strings.TrimPrefix(m.cluster.DSN("interaction"), "mysql://"))
	if err != nil {
		m.t.Error(err)
		return
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := db.Conn(ctx)
	if err != nil {
		return
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "LOCK TABLES likes WRITE"); err == nil {
		time.Sleep(d)
		_, _ = conn.ExecContext(ctx, "UNLOCK TABLES") // as the end of the connection does
	}
}

// drain waits until all likes of the log are in the database.
func drain(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	require.Eventually(t, func() bool {
		n, err := c.WaitingLikes(t.Context())
		return err == nil && n == 0
	}, drainTimeout, 50*time.Millisecond, "likes do not get into the database")
}

// reconcile has the product check its counters.
func reconcile(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	program, err := douyin()
	require.NoError(t, err)
	cmd := exec.Command(program, "reconcile")
	cmd.Env = append(os.Environ(), "DOUYIN_DSN="+strings.Replace(c.DSN("basics"), "/basics", "/{service}", 1))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("reconcile: %s", out)
}

// Logged likes that are acknowledged while the database takes none survive that Redis and the services are killed.
// Without Redis' log on disk they do not, and the audit says so: that is how we know that it would see a loss.
func TestLossOfLogged(t *testing.T) {
	for name, durable := range map[string]bool{"with the log on disk": true, "control without": false} {
		t.Run(name, func(t *testing.T) {
			c := start(t, map[string][]string{"interaction": {"--like-ack=logged"}})
			people, videos := crowd(t, c.URL(), 4)
			if !durable { // the services have checked the setting already
				options, err := redis.ParseURL(c.RedisURL())
				require.NoError(t, err)
				client := redis.NewClient(options)
				defer client.Close()
				require.NoError(t, client.ConfigSet(t.Context(), "appendonly", "no").Err())
			}
			db, err := sql.Open("mysql", strings.TrimPrefix(c.DSN("interaction"), "mysql://"))
			require.NoError(t, err)
			defer db.Close()
			conn, err := db.Conn(t.Context())
			require.NoError(t, err)
			defer conn.Close()
			_, err = conn.ExecContext(t.Context(), "LOCK TABLES likes WRITE")
			require.NoError(t, err)
			workers, likes := likeAll(t, people, videos, true)
			killed := []string{"redis", "interaction-1", "interaction-2"}
			for _, name := range killed {
				require.NoError(t, c.Kill(name))
			}
			_, err = conn.ExecContext(t.Context(), "UNLOCK TABLES")
			require.NoError(t, err)
			startAgain(t, c, killed...)
			drain(t, c)
			lost := lostLikes(audit(t, c, workers))
			if durable {
				require.Empty(t, lost)
				return
			}
			require.NotEmpty(t, lost, "nothing was lost, so this proves nothing")
			t.Logf("%d of %d acknowledged likes were lost, as they should be", len(lost), likes)
		})
	}
}

// Stored likes survive that the database is killed. When it does not write each commit to the disk they do not, and the
// audit says so.
func TestLossOfStored(t *testing.T) {
	for name, flags := range map[string][]string{"with commits on disk": nil, "control without": {"--innodb-flush-log-at-trx-commit=0"}} {
		t.Run(name, func(t *testing.T) {
			c := start(t, map[string][]string{"interaction": {"--like-ack=stored"}, "mariadb": flags})
			people, videos := crowd(t, c.URL(), 4)
			time.Sleep(2 * time.Second) // without flushes at commits there is one every second: what crowd did must be on disk
			lost, likes := []string{}, 0
			for try := 0; try < 10 && len(lost) == 0 && (try == 0 || flags != nil); try++ {
				workers, n := likeAll(t, people, videos, try%2 == 0)
				likes += n
				require.NoError(t, c.Kill("mariadb"))
				startAgain(t, c, "mariadb")
				drain(t, c)
				lost = lostLikes(audit(t, c, workers))
			}
			if flags == nil {
				require.Empty(t, lost)
				return
			}
			require.NotEmpty(t, lost, "nothing was lost, so this proves nothing")
			t.Logf("%d of %d acknowledged likes were lost, as they should be", len(lost), likes)
		})
	}
}

// likeAll has everybody like all videos, or take that back, each acknowledged, and returns who remembers it.
func likeAll(t *testing.T, people []*person, videos []int64, on bool) (workers []*worker, likes int) {
	t.Helper()
	for i, p := range people {
		w := newWorker(p, 1, i, people, videos)
		for _, video := range slices.Sorted(maps.Keys(w.likes)) {
			err := w.rest(t.Context(), "POST", "/douyin/favorite/action/", nil, "video_id", text(video), "action_type", action(on))
			require.NoError(t, err)
			w.note("like", w.likes[video], on, err)
			likes++
		}
		workers = append(workers, w)
	}
	return workers, likes
}

// lostLikes returns the lines of an audit that name likes which were acknowledged and are not there.
func lostLikes(wrong []string) []string {
	return slices.DeleteFunc(wrong, func(line string) bool { return !strings.HasPrefix(line, "like of ") })
}

func startAgain(t *testing.T, c *cluster.Cluster, parts ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	for _, name := range parts {
		require.NoError(t, c.Start(ctx, name))
	}
}
