// Package live carries events between processes.
package live

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"minidouyin/bff/panics"
	graphlive "minidouyin/graph/live"
)

const (
	relayChannel = "douyin:live"
	relayTimeout = 2 * time.Second  // of one call to Redis
	relayPause   = time.Second      // between two attempts while Redis is away
	relaySilence = 10 * time.Second // until Redis is asked for a sign of life
	relayQueue   = 10_000           // events that wait to be sent
	relayBatch   = 500              // events in one message
)

// Relay carries events between processes over one Redis channel: a process with thousands of sockets has one
// subscription there, and looks up who listens by itself. A write never waits for it, and never fails for it. While
// Redis is away events get lost; when it is back, everybody is told so and reads what was missed.
type Relay struct {
	client redis.UniversalClient
	log    *slog.Logger
	origin string // of this process's messages, which it has heard already
	hub    *graphlive.Hub

	end    context.CancelFunc
	loops  sync.WaitGroup
	closed chan struct{}
	wake   chan struct{}

	mu      sync.Mutex
	pending map[graphlive.Event]struct{}
	queue   []graphlive.Event
	lost    bool // others have to be told that they missed something
	away    bool // Redis, and the log says so
}

// relayed is a message between processes.
type relayed struct {
	Origin string     `json:"origin"`
	Lost   bool       `json:"lost,omitempty"`
	Events [][4]int64 `json:"events,omitempty"`
}

// New returns a relay with its hub. It relays once it is started.
func New(client redis.UniversalClient, log *slog.Logger) *Relay {
	r := &Relay{client: client, log: log, origin: rand.Text(), closed: make(chan struct{}), wake: make(chan struct{}, 1),
		pending: map[graphlive.Event]struct{}{}}
	r.hub = graphlive.NewHub(r.put)
	return r
}

// Hub returns what the events reach.
func (r *Relay) Hub() *graphlive.Hub { return r.hub }

// Start begins to relay. The relay must be closed then.
func (r *Relay) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	r.end = cancel
	r.loops.Go(func() { panics.KeepRunning(ctx, r.log, "send events", r.send) })
	r.loops.Go(func() { panics.KeepRunning(ctx, r.log, "receive events", r.receive) })
	go func() { // ends with the loops
		r.loops.Wait()
		close(r.closed)
	}()
}

// Close sends what waits and ends the relay. It returns the error of ctx when that ends before.
func (r *Relay) Close(ctx context.Context) error {
	r.end()
	select {
	case <-r.closed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// put queues an event. Equal ones that wait are one.
func (r *Relay) put(event graphlive.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, waits := r.pending[event]; waits {
		return
	}
	if len(r.queue) < relayQueue {
		r.pending[event] = struct{}{}
		r.queue = append(r.queue, event)
	} else {
		r.lost = true
	}
	select {
	case r.wake <- struct{}{}:
	default: // is awake
	}
}

// take returns the next message to send, nil when there is none.
func (r *Relay) take() *relayed {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 && !r.lost {
		return nil
	}
	m := &relayed{Origin: r.origin, Lost: r.lost}
	n := min(len(r.queue), relayBatch)
	for _, event := range r.queue[:n] {
		m.Events = append(m.Events, [4]int64{int64(event.Kind), event.ID, event.Object, event.By})
		delete(r.pending, event)
	}
	r.queue = r.queue[n:]
	r.lost = false
	return m
}

// send sends what is queued until ctx ends, and then the rest, as far as Redis takes it.
func (r *Relay) send(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-r.wake:
		case <-ctx.Done():
		}
		for m := r.take(); m != nil; m = r.take() {
			err := r.publish(m)
			r.note(err)
			if err == nil {
				continue
			}
			r.mu.Lock()
			r.lost = true
			r.mu.Unlock()
			if ctx.Err() != nil {
				return
			}
			select {
			case <-time.After(relayPause):
			case <-ctx.Done():
			}
		}
	}
}

func (r *Relay) publish(m *relayed) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), relayTimeout)
	defer cancel()
	return r.client.Publish(ctx, relayChannel, text).Err()
}

// receive hears what other processes send until ctx ends.
func (r *Relay) receive(ctx context.Context) {
	channel := r.client.Subscribe(ctx, relayChannel)
	stop := context.AfterFunc(ctx, func() { _ = channel.Close() }) // which ends the waiting below
	defer stop()
	defer func() { _ = channel.Close() }()
	asked := false
	for ctx.Err() == nil {
		message, err := channel.ReceiveTimeout(ctx, relaySilence)
		var silence net.Error
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			asked = false
			r.hear(message)
			continue
		case errors.As(err, &silence) && silence.Timeout() && !asked:
			asked = true
			if channel.Ping(ctx) == nil {
				continue
			}
		}
		r.note(err)
		select { // the next attempt connects and subscribes anew
		case <-time.After(relayPause):
		case <-ctx.Done():
		}
	}
}

func (r *Relay) hear(message any) {
	switch message := message.(type) {
	case *redis.Subscription: // also after a break, when events may have been lost
		r.note(nil)
		r.hub.Lost()
	case *redis.Message:
		var m relayed
		if err := json.Unmarshal([]byte(message.Payload), &m); err != nil || m.Origin == r.origin {
			return
		}
		if m.Lost {
			r.hub.Lost()
		}
		for _, e := range m.Events {
			r.hub.Deliver(graphlive.Event{Topic: graphlive.Topic{Kind: graphlive.Kind(e[0]), ID: e[1]}, Object: e[2], By: e[3]})
		}
	}
}

// note logs that Redis has gone, or come back, once.
func (r *Relay) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil && !r.away:
		r.away = true
		r.log.Warn("events do not reach other processes: Redis is away", "error", err)
	case err == nil && r.away:
		r.away = false
		r.log.Info("events reach other processes again")
	}
}
