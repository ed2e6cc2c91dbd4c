package redisguard_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"minidouyin/bff/redisguard"
	"minidouyin/services"
	"minidouyin/services/redistest"
)

func ping(ctx context.Context, client redis.UniversalClient) error { return client.Ping(ctx).Err() }

// A Redis that went away is noticed and left alone, and used again when it is back; either is logged once.
func TestRedisAway(t *testing.T) {
	server := redistest.Start(t)
	client, err := services.OpenRedis(server.URL)
	require.NoError(t, err)
	redistest.IgnoreDeadlines(client)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	var log bytes.Buffer
	guard := redisguard.New(client, slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, guard.Do(t.Context(), ping))
	missing := func(ctx context.Context, client redis.UniversalClient) error { return client.Get(ctx, "nothing").Err() }
	for range 10 {
		require.ErrorIs(t, guard.Do(t.Context(), missing), redis.Nil)
	}
	require.Empty(t, log.String(), "that there is nothing is no failure")

	server.Kill(t)
	asked := 0
	for range 50 {
		require.Error(t, guard.Do(t.Context(), func(ctx context.Context, client redis.UniversalClient) error {
			asked++
			return ping(ctx, client)
		}))
	}
	require.Less(t, asked, 10)
	server.Restart(t)
	require.Eventually(t, func() bool { return guard.Do(t.Context(), ping) == nil }, time.Minute, 50*time.Millisecond)
	require.Equal(t, 1, strings.Count(log.String(), "does not answer"), log.String())
	require.Equal(t, 1, strings.Count(log.String(), "answers again"), log.String())
}

// A Redis that is connected and says nothing holds nobody up.
func TestRedisSilent(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	client, err := services.OpenRedis("redis://" + ln.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	guard := redisguard.New(client, slog.New(slog.DiscardHandler))
	waited := 0
	for range 1000 {
		require.Error(t, guard.Do(t.Context(), func(ctx context.Context, client redis.UniversalClient) error {
			waited++
			return ping(ctx, client)
		}))
	}
	require.Less(t, waited, 100)
}
