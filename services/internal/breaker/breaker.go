// Package breaker is the circuit breaker of Redis: commands do not wait for a server that is unavailable. Only this package
// detects and logs that Redis is unavailable.
//
// [Install] adds it to a client. Each server, of a cluster too, has its own state: after three failures in a row, which are
// refused connections and time-outs, its commands fail with [ErrOpen] for a second without being sent. Then one command is
// sent as a probe.
package breaker

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"
)

const (
	maxFailures = 3
	openTime    = time.Second
	// A time-out after less than shortWait is not the fault of the server.
	shortWait = 50 * time.Millisecond
)

// ErrOpen is the error of a command that was not sent because the breaker of its server is open.
var ErrOpen = errors.New("redis: server left out by the circuit breaker")

// errIgnored is the outcome of a command that neither succeeded nor failed because of the server.
var errIgnored = errors.New("ignored")

// Install adds a circuit breaker for each server to an unused client. It logs a line when a server becomes unavailable,
// with what happens without it, and one when the server is available again.
func Install(client redis.UniversalClient, log *slog.Logger, without string) {
	switch c := client.(type) {
	case *redis.ClusterClient:
		c.OnNewNode(func(node *redis.Client) { node.AddHook(newServer(node.Options().Addr, log, without)) })
	case *redis.Client:
		c.AddHook(newServer(c.Options().Addr, log, without))
	}
}

// server is the breaker of one server.
type server struct {
	breaker *gobreaker.CircuitBreaker[struct{}]
	failure atomic.Value // text of the last one
}

var _ redis.Hook = (*server)(nil)

func newServer(addr string, log *slog.Logger, without string) *server {
	s := &server{}
	s.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:     openTime,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= maxFailures },
		IsExcluded:  func(err error) bool { return errors.Is(err, errIgnored) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			switch {
			case from == gobreaker.StateClosed:
				log.Warn("redis unavailable, "+without, "addr", addr, "err", s.failure.Load())
			case to == gobreaker.StateClosed:
				log.Info("redis available again", "addr", addr)
			}
		},
	})
	return s
}

// DialHook implements [redis.Hook].
func (*server) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements [redis.Hook].
func (s *server) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return s.send(ctx, []redis.Cmder{cmd}, func(ctx context.Context) error { return next(ctx, cmd) })
	}
}

// ProcessPipelineHook implements [redis.Hook].
func (s *server) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return s.send(ctx, cmds, func(ctx context.Context) error { return next(ctx, cmds) })
	}
}

// sendingKey marks the context of commands that are being sent. It reaches the handshake of their connection, which
// runs through the hooks too.
type sendingKey struct{}

// send sends commands unless the breaker is open.
func (s *server) send(ctx context.Context, cmds []redis.Cmder, next func(context.Context) error) (err error) {
	if ctx.Value(sendingKey{}) != nil {
		return next(ctx)
	}
	begin, sent := time.Now(), false
	_, _ = s.breaker.Execute(func() (struct{}, error) {
		sent = true
		err = next(context.WithValue(ctx, sendingKey{}, true))
		return struct{}{}, s.outcome(err, cmds, time.Since(begin))
	})
	if sent {
		return err
	}
	for _, cmd := range cmds {
		cmd.SetErr(ErrOpen)
	}
	return ErrOpen
}

// outcome returns nil if the server answered, [errIgnored] if the caller left or had too little time, else the error of
// the server.
func (s *server) outcome(err error, cmds []redis.Cmder, took time.Duration) error {
	for i := 0; i < len(cmds) && !unavailable(err); i++ {
		err = cmds[i].Err()
	}
	switch {
	case !unavailable(err):
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, redis.ErrClosed), timedOut(err) && took < shortWait:
		return errIgnored
	}
	s.failure.Store(err.Error())
	return err
}

func timedOut(err error) bool {
	network, ok := errors.AsType[net.Error](err) // a context's error is one too
	return ok && network.Timeout()
}

// unavailable reports whether err means that the server is unreachable or cannot serve.
func unavailable(err error) bool {
	if err == nil {
		return false
	}
	reply, answered := errors.AsType[redis.Error](err) // redis.Nil is one too
	if !answered {
		return true
	}
	for _, prefix := range []string{"LOADING", "READONLY", "CLUSTERDOWN", "MASTERDOWN", "NOAUTH", "WRONGPASS"} {
		if strings.HasPrefix(reply.Error(), prefix) {
			return true
		}
	}
	return false
}
