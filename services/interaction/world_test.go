package interaction_test

import (
	"context"
	"database/sql"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/interaction/interactionservice"
	"minidouyin/services"
	likes "minidouyin/services/interaction"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/servicetest"
	"minidouyin/services/testenv/daemon"
	"minidouyin/services/testenv/mysqltest"
	"minidouyin/services/testenv/redistest"
	"minidouyin/services/testenv/testserver"
)

// world is a database and a Redis that processes share.
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

// process is an instance of the service that a test may close.
type process struct {
	service
	close func()
}

// process starts an instance.
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

// recovered waits until the process takes likes again, and deletes its probe.
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

// tuned opens the service with settings that differ from production.
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

// hold blocks writes of likes to the database until the test calls release.
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

// poison makes the database refuse every like of video 666.
func (s *service) poison(t *testing.T) {
	t.Helper()
	refuse := "CREATE TRIGGER poison BEFORE INSERT ON likes FOR EACH ROW IF NEW.video_id = 666 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'poison'; END IF"
	if err := servicetest.Database(t, s.backend.DSN).Write(t.Context(), func(tx *gorm.DB) error { return tx.Exec(refuse).Error }); err != nil {
		t.Fatal(err)
	}
}

// lastNode returns the URL of the only server or of the last node of a cluster.
func lastNode(server *redistest.Server) string {
	if strings.Contains(server.URL, "cluster") {
		return server.Node(2).URL
	}
	return server.URL
}

func eachAck(t *testing.T, test func(t *testing.T, ack string)) {
	for _, ack := range []string{services.AckStored, services.AckLogged} {
		t.Run(ack, func(t *testing.T) { test(t, ack) })
	}
}

// eventually waits until done. After too long, it fails the test with the text of wrong.
func eventually(t *testing.T, most time.Duration, done func() bool, wrong func() string) {
	t.Helper()
	for end := time.Now().Add(most); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(wrong())
		}
	}
}

// lines are logged lines.
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
