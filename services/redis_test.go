package services_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"minidouyin/services"
	"minidouyin/services/internal/servicetest"
	"minidouyin/services/redistest"
)

// A URL that names no Redis is refused without showing its password.
func TestCheckRedisURL(t *testing.T) {
	for url, ok := range map[string]bool{
		"redis://127.0.0.1:6379/0":                            true,
		"redis://:secret@cache:6379":                          true,
		"rediss://u:secret@cache:6379/3":                      true,
		"unix:///run/redis.sock":                              true,
		"redis+cluster://:secret@a:6379?addr=b:6379":          true,
		"rediss+cluster://a:6379":                             true,
		"redis+sentinel://a:26379?addr=b:26379&master_name=m": true,
		"":                                 false,
		"127.0.0.1:6379":                   false,
		"http://:secret@cache":             false,
		"redis+sentinel://:secret@a:26379": false,
		"redis+ring://:secret@a:6379":      false,
		"redis://:secret@cache:6379/first": false,
		"redis://:sec ret\x7f@cache:6379":  false,
		"redis+cluster://:secret@a:6379?addr=b:6379&unknown_option=secret": false,
	} {
		err := services.CheckRedisURL(url)
		if (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// The Redis inside the process does what ours need of a real one.
func TestRedis(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { testRedis(t, servicetest.EmbeddedRedis(t)) })
	t.Run("real", func(t *testing.T) {
		client, err := services.OpenRedis(redistest.Start(t).URL, slog.New(slog.DiscardHandler), "")
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		testRedis(t, client)
	})
}

func testRedis(t *testing.T, client redis.UniversalClient) {
	ctx := t.Context()
	// Large pipelines of many at once: what is sent is large, then what is answered.
	servicetest.AtOnce(8, func(i int) {
		for _, command := range [][]any{{"SET", "big", strings.Repeat("x", 2000)}, {"GET", "big"}} {
			commands, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
				for range 1000 {
					p.Do(ctx, command...)
				}
				return nil
			})
			if err != nil || len(commands) != 1000 {
				t.Errorf("%d: %d commands, %v", i, len(commands), err)
			}
		}
	})
	if err := client.Set(ctx, "short", "x", 200*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	deadline, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for client.Exists(ctx, "short").Val() == 1 {
		if deadline.Err() != nil {
			t.Fatal("a key does not expire")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := client.Exists(ctx, "big").Val(); n != 1 {
		t.Error("a key expired too early")
	}
}
