// Package redisguard talks to a Redis that others can do without: quickly, or not at all.
package redisguard

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"
)

const (
	patience  = 100 * time.Millisecond // for one round of commands
	tolerance = 3                      // rounds in a row that fail before Redis counts as away
	absence   = time.Second            // until an absent Redis is asked again
)

// Redis is a client that does not wait for a Redis that is away.
type Redis struct {
	client  redis.UniversalClient
	breaker *gobreaker.CircuitBreaker[struct{}]
}

// New returns a guard of the client, which stays its owner's and should heed the deadlines of contexts
// (ContextTimeoutEnabled). It logs one line when Redis goes away and one when it is back.
func New(client redis.UniversalClient, log *slog.Logger) *Redis {
	return &Redis{client: client, breaker: gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:      absence,
		ReadyToTrip:  func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= tolerance },
		IsSuccessful: func(err error) bool { return err == nil || errors.Is(err, redis.Nil) },
		IsExcluded:   func(err error) bool { return errors.Is(err, context.Canceled) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			switch {
			case from == gobreaker.StateClosed:
				log.Warn("redis does not answer: this process goes on by itself")
			case to == gobreaker.StateClosed:
				log.Info("redis answers again")
			}
		},
	})}
}

// Do runs commands and returns their error. While Redis is away it fails at once.
func (r *Redis) Do(ctx context.Context, commands func(context.Context, redis.UniversalClient) error) error {
	_, err := r.breaker.Execute(func() (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return struct{}{}, commands(ctx, r.client)
	})
	return err
}
