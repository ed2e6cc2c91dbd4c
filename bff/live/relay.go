// Package live sends the events of subscriptions to other processes.
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
	relayPause   = time.Second      // between two attempts while Redis is unavailable
	relaySilence = 10 * time.Second // until Redis is pinged
	relayQueue   = 10_000           // events that wait to be sent
	relayBatch   = 500              // events in one message
)

// Relay sends events to other processes and receives theirs over one Redis channel. A process with thousands of sockets
// has one subscription there; its hub knows who listens. A write neither waits for the relay nor fails with it. Events
// are lost while Redis is unavailable. After that, subscribers are told that events were lost and read again.
type Relay struct {
	client redis.UniversalClient
	log    *slog.Logger
	origin string // of the messages of this process, which it ignores
	hub    *graphlive.Hub

	stop   context.CancelFunc
	loops  sync.WaitGroup
	closed chan struct{}
	wake   chan struct{}

	mu      sync.Mutex
	pending map[graphlive.Event]struct{}
	queue   []graphlive.Event
	lost    bool // events were lost, which the other processes must know
	down    bool // Redis is unavailable, and the log says so
}

// message is a message between processes.
type message struct {
	Origin string     `json:"origin"`
	Lost   bool       `json:"lost,omitempty"`
	Events [][4]int64 `json:"events,omitempty"`
}

// New returns a relay with its hub. It sends and receives after Start.
func New(client redis.UniversalClient, log *slog.Logger) *Relay {
	r := &Relay{client: client, log: log, origin: rand.Text(), closed: make(chan struct{}), wake: make(chan struct{}, 1),
		pending: map[graphlive.Event]struct{}{}}
	r.hub = graphlive.NewHub(r.put)
	return r
}

// Hub returns the hub of this process.
func (r *Relay) Hub() *graphlive.Hub { return r.hub }

// Start starts to send and receive. The relay must be closed then.
func (r *Relay) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	r.loops.Go(func() { panics.KeepRunning(ctx, r.log, "send events", r.send) })
	r.loops.Go(func() { panics.KeepRunning(ctx, r.log, "receive events", r.receive) })
	go func() { // ends with the loops
		r.loops.Wait()
		close(r.closed)
	}()
}

// Close sends the queued events and ends the relay. It returns the error of ctx if that ends first.
func (r *Relay) Close(ctx context.Context) error {
	r.stop()
	select {
	case <-r.closed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// put queues an event, unless an equal one is queued.
func (r *Relay) put(event graphlive.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, queued := r.pending[event]; queued {
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
	default: // the sender is awake
	}
}

// take returns the next message to send, nil if there is none.
func (r *Relay) take() *message {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 && !r.lost {
		return nil
	}
	m := &message{Origin: r.origin, Lost: r.lost}
	n := min(len(r.queue), relayBatch)
	for _, event := range r.queue[:n] {
		m.Events = append(m.Events, [4]int64{int64(event.Kind), event.ID, event.Object, event.By})
		delete(r.pending, event)
	}
	r.queue = r.queue[n:]
	r.lost = false
	return m
}

// send sends queued events until ctx ends, and then the rest unless Redis fails.
func (r *Relay) send(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-r.wake:
		case <-ctx.Done():
		}
		for m := r.take(); m != nil; m = r.take() {
			err := r.publish(m)
			r.logState(err)
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

func (r *Relay) publish(m *message) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), relayTimeout)
	defer cancel()
	return r.client.Publish(ctx, relayChannel, text).Err()
}

// receive receives what other processes send until ctx ends.
func (r *Relay) receive(ctx context.Context) {
	channel := r.client.Subscribe(ctx, relayChannel)
	stop := context.AfterFunc(ctx, func() { _ = channel.Close() }) // so that ReceiveTimeout returns
	defer stop()
	defer func() { _ = channel.Close() }()
	pinged := false
	for ctx.Err() == nil {
		received, err := channel.ReceiveTimeout(ctx, relaySilence)
		var silence net.Error
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			pinged = false
			r.deliver(received)
			continue
		case errors.As(err, &silence) && silence.Timeout() && !pinged:
			pinged = true
			if channel.Ping(ctx) == nil {
				continue
			}
		}
		r.logState(err)
		select { // the next attempt connects and subscribes anew
		case <-time.After(relayPause):
		case <-ctx.Done():
		}
	}
}

// deliver passes what was received to the hub.
func (r *Relay) deliver(received any) {
	switch received := received.(type) {
	case *redis.Subscription: // also after an outage, in which events may have been lost
		r.logState(nil)
		r.hub.Lost()
	case *redis.Message:
		var m message
		if err := json.Unmarshal([]byte(received.Payload), &m); err != nil || m.Origin == r.origin {
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

// logState logs once that Redis is unavailable, or is available again.
func (r *Relay) logState(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil && !r.down:
		r.down = true
		r.log.Warn("redis unavailable, events do not reach other processes", "error", err)
	case err == nil && r.down:
		r.down = false
		r.log.Info("redis available, events reach other processes again")
	}
}
