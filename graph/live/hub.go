// Package live tells those who listen that something has changed.
//
// An [Event] names what has changed and says no more: who hears of it loads the thing anew, with his own permissions.
// So events may be told twice or merged, and a listener needs no queue: [Listener.Take] returns each event that came
// since the last call once. Where events may have been lost, it says so, and the listener reads what it missed.
package live

import (
	"context"
	"sync"

	"minidouyin/idl/codes"
)

// Kind says what kind of thing has changed. Kinds travel between processes: new ones are appended, none is renumbered.
type Kind uint8

// The kinds, with what the id of their topic and the other ids of their events are.
const (
	Inbox   Kind = 1 // of a user who has received a message: the message
	Videos  Kind = 2 // topic 0; a video was published: the video and its author
	Video   Kind = 3 // whose counts have changed, or that was deleted
	Follows Kind = 4 // of a user who has followed or left somebody: whom
)

// Topic is what one can listen to.
type Topic struct {
	Kind Kind
	ID   int64
}

// Event says that something has changed.
type Event struct {
	Topic
	Object, By int64 // further ids, as its kind has them
}

// maxPending is how many events wait for a listener before it is told to read everything anew.
const maxPending = 1000

// Hub passes the events of this process on to its listeners. The zero value is not ready: see [NewHub].
type Hub struct {
	mu        sync.Mutex
	listeners map[Topic]map[*Listener]struct{}
	open      int
	relay     func(Event)
	closing   bool
	closed    chan struct{} // closed when closing and nobody listens any more
}

// NewHub returns a hub. relay, which may be nil, hands the events on to other processes; it must not wait.
func NewHub(relay func(Event)) *Hub {
	return &Hub{listeners: map[Topic]map[*Listener]struct{}{}, relay: relay, closed: make(chan struct{})}
}

// Publish tells an event to everybody, after what it speaks of was stored. It neither waits nor fails. A nil hub has
// nobody to tell.
func (h *Hub) Publish(event Event) {
	if h == nil {
		return
	}
	h.Deliver(event)
	if h.relay != nil {
		h.relay(event)
	}
}

// Deliver tells an event to the listeners of this process.
func (h *Hub) Deliver(event Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners[event.Topic] {
		l.put(event)
	}
}

// Lost tells all listeners of this process that events may have been lost.
func (h *Hub) Lost() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, listeners := range h.listeners {
		for l := range listeners {
			l.lose()
		}
	}
}

// Listen returns a listener that hears from now on of these topics. It must be closed. A hub that is closing takes no
// more of them: UpstreamUnavailable.
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

// Close makes all listeners stop and waits for them until ctx ends, whose error it returns then. It may be repeated.
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

// Open returns how many listeners there are.
func (h *Hub) Open() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.open
}

// Listener hears of the events of some topics.
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

func (l *Listener) put(event Event) {
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

func (l *Listener) lose() {
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
	default: // is awake
	}
}

// Take waits for events and returns those that came since the last call, each once. lost says that others may have
// been lost. It returns an error when ctx ends and when the hub closes.
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

// Close ends the listening. It may be repeated.
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
