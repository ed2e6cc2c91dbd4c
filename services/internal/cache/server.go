package cache

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"
)

// server is one server of Redis, as one process sees it: the only one, or one of a cluster, of which each may be away
// while the others answer.
type server struct {
	addr    string // of one of a cluster
	breaker *gobreaker.CircuitBreaker[struct{}]

	// The Redis's mutex guards these.
	away       bool
	answeredAt time.Time // when it last answered
	settledAt  time.Time // until then nothing is read
}

func (r *Redis) newServer(addr string) *server {
	s := &server{addr: addr}
	s.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:       openTime,
		ReadyToTrip:   func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= failures },
		IsSuccessful:  func(err error) bool { return !away(err) },
		IsExcluded:    func(err error) bool { return errors.Is(err, context.Canceled) },
		OnStateChange: func(_ string, from, to gobreaker.State) { r.stateChanged(s, from, to) },
	})
	return s
}

func (r *Redis) stateChanged(s *server, from, to gobreaker.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case from == gobreaker.StateClosed:
		s.away = true
		r.logOf(s).Warn("redis is away: the caches are not used")
	case to == gobreaker.StateClosed:
		r.back(s)
	}
}

// back notes that a server is back. The caller holds the mutex.
func (r *Redis) back(s *server) {
	s.away, s.settledAt = false, time.Now().Add(settleTime)
	clear(r.near)
	r.logOf(s).Info("redis is back: the caches are used again")
}

func (r *Redis) logOf(s *server) *slog.Logger {
	if s.addr != "" {
		return r.log.With("service", r.service, "server", s.addr)
	}
	return r.log.With("service", r.service)
}

// serverOf returns the server that has the key. As long as nothing is known of a cluster, it is like one server.
func (r *Redis) serverOf(ctx context.Context, key string) *server {
	cluster, ok := r.client.(*redis.ClusterClient)
	if !ok || r.whole.breaker.State() == gobreaker.StateOpen {
		return r.whole
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	master, err := cluster.MasterForKey(ctx, key)
	if err != nil {
		return r.whole
	}
	addr := master.Options().Addr
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.servers[addr]
	if s == nil {
		if r.whole.away { // until now nothing was known of the cluster
			r.back(r.whole)
		}
		s = r.newServer(addr)
		s.settledAt = r.whole.settledAt
		for _, other := range r.servers {
			if other.away { // whose place it may take
				s.settledAt = time.Now().Add(settleTime)
			}
		}
		r.servers[addr] = s
	}
	return s
}

// serversOf returns the servers that have the keys, in their order.
func (r *Redis) serversOf(ctx context.Context, keys []string) []*server {
	servers := make([]*server, len(keys))
	for i, key := range keys {
		servers[i] = r.serverOf(ctx, key)
	}
	return servers
}

// away tells whether err means that Redis is away, rather than an answer of it.
func away(err error) bool {
	if err == nil || errors.Is(err, redis.Nil) {
		return false
	}
	reply, ok := errors.AsType[redis.Error](err)
	if !ok {
		return true
	}
	for _, prefix := range []string{"LOADING", "READONLY", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN"} {
		if strings.HasPrefix(reply.Error(), prefix) {
			return true
		}
	}
	return false
}

// pipeline sends the commands in one round trip to each server. at returns where a command for a key is added. Each
// command then has its own error.
func (r *Redis) pipeline(ctx context.Context, add func(at func(key string) redis.Pipeliner)) {
	pipes := map[*server]redis.Pipeliner{}
	add(func(key string) redis.Pipeliner {
		s := r.serverOf(ctx, key)
		if pipes[s] == nil {
			pipes[s] = r.client.Pipeline()
		}
		return pipes[s]
	})
	var others sync.WaitGroup
	left := len(pipes)
	for s, pipe := range pipes {
		if left--; left == 0 {
			r.send(ctx, s, pipe)
		} else {
			others.Go(func() { r.send(ctx, s, pipe) })
		}
	}
	others.Wait()
}

// send sends the commands of one server.
func (r *Redis) send(ctx context.Context, s *server, pipe redis.Pipeliner) {
	cmds := pipe.Cmds()
	sent := false
	_, err := s.breaker.Execute(func() (struct{}, error) {
		sent = true
		ctx, cancel := context.WithTimeout(ctx, commandTime)
		defer cancel()
		_, _ = pipe.Exec(ctx)
		var worst error
		for _, cmd := range cmds {
			if err := failure(cmd); err != nil && (worst == nil || away(err)) {
				worst = err
			}
		}
		if !away(worst) {
			r.mu.Lock()
			s.answeredAt = time.Now()
			r.mu.Unlock()
		}
		return struct{}{}, worst
	})
	if !sent {
		for _, cmd := range cmds {
			cmd.SetErr(err)
		}
	}
}

// failure returns the error of a command; that a key is not there is none.
func failure(cmd redis.Cmder) error {
	if err := cmd.Err(); !errors.Is(err, redis.Nil) {
		return err
	}
	return nil
}
