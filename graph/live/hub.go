// Package live passes events about changes to the subscriptions of this process.
//
// An [Event] only names the changed object. A subscriber loads the object itself, with the permissions of its viewer.
// So events may be repeated or merged, and a listener needs no queue: [Listener.Take] returns each event since the last
// call once. It reports if events may have been lost; the subscriber then reads what it missed.
package live

import (
	"context"
	"sync"

	"minidouyin/idl/codes"
)

// Kind is the kind of a change. Processes send kinds to each other, so a number never changes its meaning.
type Kind uint8

// The kinds, with the IDs of their topic and events.
const (
	Inbox   Kind = 1 // a user received a message; ID: the user, Object: the message
	Videos  Kind = 2 // a video was published; ID: 0, Object: the video, By: its author
	Video   Kind = 3 // the counts of a video changed, or it was deleted; ID: the video
	Follows Kind = 4 // a user followed or unfollowed another; ID: the user, Object: the other user
)

// Topic selects the events that a listener gets.
type Topic struct {
	Kind Kind
	ID   int64
}

// Event is a change of one object.
type Event struct {
	Topic
	Object, By int64 // see the kinds
}

// maxPending is the number of events that wait for a listener at most. With more, all of them count as lost.
const maxPending = 1000

// Hub passes events to the listeners of this process. Create it with [NewHub].
type Hub struct {
	mu        sync.Mutex
	listeners map[Topic]map[*Listener]struct{}
	open      int
	relay     func(Event)
	closing   bool
	closed    chan struct{} // closed when the hub is closing and has no listeners
}

// NewHub returns a hub. relay sends the events to other processes; it must not block and may be nil.
func NewHub(relay func(Event)) *Hub {
	return &Hub{listeners: map[Topic]map[*Listener]struct{}{}, relay: relay, closed: make(chan struct{})}
}

// Publish passes an event to the listeners of all processes. Call it after the change is stored. It never blocks. On a
// nil hub it does nothing.
func (h *Hub) Publish(event Event) {
	if h == nil {
		return
	}
	h.Deliver(event)
	if h.relay != nil {
		h.relay(event)
	}
}

// Deliver passes an event to the listeners of this process.
func (h *Hub) Deliver(event Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners[event.Topic] {
		l.add(event)
	}
}

// Lost marks events as lost for all listeners of this process.
func (h *Hub) Lost() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, listeners := range h.listeners {
		for l := range listeners {
			l.setLost()
		}
	}
}

// Listen returns a listener that gets all events of these topics from now on. It must be closed. If the hub is closing,
// the error is UpstreamUnavailable.
func (h *Hub) Listen(topics ...Topic) (*Listener, error) {
	l := &Listener{hub: h, topics: topics, ready: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return nil, errClosing
	}
	h.open++
	for _, topic := range topics {
		if h.listeners[topic] == nil {
			h.listeners[topic] = map[*Listener]struct{}{}
		}
		h.listeners[topic][l] = struct{}{}
	}
	return l, nil
}

var errClosing = codes.Errorf(codes.UpstreamUnavailable, "the server is stopping, please connect again")

// Close stops all listeners and waits until they are closed. It returns the error of ctx if that ends first. It may be
// repeated.
func (h *Hub) Close(ctx context.Context) error {
	h.mu.Lock()
	if !h.closing {
		h.closing = true
		for _, listeners := range h.listeners {
			for l := range listeners {
				l.stop()
			}
		}
		if h.open == 0 {
			close(h.closed)
		}
	}
	h.mu.Unlock()
	select {
	case <-h.closed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Open returns the number of open listeners.
func (h *Hub) Open() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.open
}

// Listener collects the events of some topics.
type Listener struct {
	hub    *Hub
	topics []Topic
	ready  chan struct{}

	mu      sync.Mutex
	pending map[Event]struct{}
	order   []Event
	lost    bool
	stopped bool
	closed  bool
}

func (l *Listener) add(event Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.pending[event]; known || l.lost {
		return
	}
	if len(l.order) == maxPending {
		l.pending, l.order, l.lost = nil, nil, true
	} else {
		if l.pending == nil {
			l.pending = map[Event]struct{}{}
		}
		l.pending[event] = struct{}{}
		l.order = append(l.order, event)
	}
	l.wake()
}

func (l *Listener) setLost() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending, l.order, l.lost = nil, nil, true
	l.wake()
}

func (l *Listener) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	l.wake()
}

func (l *Listener) wake() {
	select {
	case l.ready <- struct{}{}:
	default: // Take will return anyway
	}
}

// Take waits for events and returns those since the last call, each once. lost reports whether events may have been
// lost. It returns an error if ctx ends or the hub closes.
func (l *Listener) Take(ctx context.Context) (events []Event, lost bool, err error) {
	select {
	case <-l.ready:
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		l.wake()
		return nil, false, errClosing
	}
	events, lost = l.order, l.lost
	l.pending, l.order, l.lost = nil, nil, false
	return events, lost, nil
}

// Close closes the listener. It may be repeated.
func (l *Listener) Close() {
	h := l.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	for _, topic := range l.topics {
		delete(h.listeners[topic], l)
		if len(h.listeners[topic]) == 0 {
			delete(h.listeners, topic)
		}
	}
	if h.open--; h.open == 0 && h.closing {
		close(h.closed)
	}
}
