//go:build unix

package breaker_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"minidouyin/services"
	"minidouyin/services/internal/breaker"
	"minidouyin/services/testenv/redistest"
)

// patience bounds the wait for a condition.
const patience = 20 * time.Second

// logged is a log that is safe for concurrent use.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// sent counts the round trips that the breaker allowed.
type sent int

func (*sent) DialHook(next redis.DialHook) redis.DialHook { return next }

func (n *sent) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		*n++
		return next(ctx, cmd)
	}
}

func (n *sent) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		*n++
		return next(ctx, cmds)
	}
}

func open(t *testing.T, url string) (redis.UniversalClient, *logged) {
	t.Helper()
	log := &logged{}
	client, err := services.OpenRedis(url, slog.New(slog.NewTextHandler(log, nil)), "reading from the database")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client, log
}

func ping(t *testing.T, client redis.UniversalClient, wait time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	return client.Ping(ctx).Err()
}

// A server that refuses connections is left out, and used again when it is back. Both are logged once.
func TestRefused(t *testing.T) {
	server := redistest.Start(t)
	client, log := open(t, server.URL)
	for range 10 {
		require.ErrorIs(t, client.Get(t.Context(), "missing").Err(), redis.Nil)
		require.ErrorContains(t, client.Do(t.Context(), "nonsense").Err(), "unknown command")
	}
	require.Empty(t, log.String(), "a server that answers is available")

	server.Kill(t)
	rounds := sent(0)
	client.AddHook(&rounds)
	for range 50 {
		require.Error(t, ping(t, client, time.Second))
		_, err := client.Pipelined(t.Context(), func(pipe redis.Pipeliner) error { return pipe.Get(t.Context(), "a").Err() })
		require.Error(t, err)
	}
	require.Less(t, int(rounds), 10)
	get := client.Get(t.Context(), "a")
	require.ErrorIs(t, get.Err(), breaker.ErrOpen)
	server.Restart(t)
	require.Eventually(t, func() bool { return ping(t, client, time.Second) == nil }, patience, 50*time.Millisecond)
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, lines, 2, log.String())
	addr := strings.TrimPrefix(server.URL, "unix://")
	require.Contains(t, lines[0], `level=WARN msg="redis unavailable, reading from the database" addr=`+addr+` err="`)
	require.Contains(t, lines[1], `level=INFO msg="redis available again" addr=`+addr)
}

// A server that hangs costs three time-outs and then nothing. A caller that leaves early does not count.
func TestSilent(t *testing.T) {
	server := redistest.Start(t)
	client, log := open(t, server.URL)
	require.NoError(t, ping(t, client, time.Second))
	server.Pause(t)
	left, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		require.ErrorIs(t, client.Ping(left).Err(), context.Canceled)
		require.Error(t, ping(t, client, time.Millisecond))
	}
	require.Empty(t, log.String())
	begin := time.Now()
	for range 3 {
		require.NotErrorIs(t, ping(t, client, 200*time.Millisecond), breaker.ErrOpen)
	}
	for range 100 {
		require.ErrorIs(t, ping(t, client, time.Minute), breaker.ErrOpen)
	}
	require.Less(t, time.Since(begin), patience)
	server.Continue(t)
	require.Eventually(t, func() bool { return ping(t, client, time.Second) == nil }, patience, 50*time.Millisecond)
	require.Equal(t, 2, strings.Count(log.String(), "\n"), log.String())
}

// A server that hangs from the start does not block callers either.
func TestSilentFromTheStart(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	client, _ := open(t, "redis://"+ln.Addr().String())
	begin := time.Now()
	for range 1000 {
		require.Error(t, ping(t, client, 100*time.Millisecond))
	}
	require.Less(t, time.Since(begin), patience)
}

// Of a cluster, only the server that is unavailable is left out.
func TestNode(t *testing.T) {
	server := redistest.StartCluster(t)
	client, log := open(t, server.URL)
	get := func() (failed, answered int) {
		cmds, _ := client.Pipelined(t.Context(), func(pipe redis.Pipeliner) error {
			for i := range 30 {
				pipe.Exists(t.Context(), fmt.Sprint(i))
			}
			return nil
		})
		for _, cmd := range cmds {
			if cmd.Err() != nil {
				failed++
			} else {
				answered++
			}
		}
		return failed, answered
	}
	failed, _ := get()
	require.Zero(t, failed)
	server.Node(0).Kill(t)
	for range 10 {
		failed, answered := get()
		require.NotZero(t, failed)
		require.NotZero(t, answered)
	}
	server.Node(0).Restart(t)
	require.Eventually(t, func() bool { failed, _ := get(); return failed == 0 }, patience, 50*time.Millisecond)
	require.Equal(t, 1, strings.Count(log.String(), "redis unavailable"), log.String())
	require.Equal(t, 1, strings.Count(log.String(), "redis available again"), log.String())
}
