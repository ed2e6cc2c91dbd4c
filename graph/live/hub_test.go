package live_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/graph/live"
)

var (
	one = live.Topic{Kind: live.Video, ID: 1}
	two = live.Topic{Kind: live.Video, ID: 2}
)

func listen(t *testing.T, hub *live.Hub, topics ...live.Topic) *live.Listener {
	t.Helper()
	l, err := hub.Listen(topics...)
	require.NoError(t, err)
	t.Cleanup(l.Close)
	return l
}

// A listener gets the events of its topics only, each event once, however slow it is.
func TestListen(t *testing.T) {
	var relayed []live.Event
	hub := live.NewHub(func(event live.Event) { relayed = append(relayed, event) })
	both, second := listen(t, hub, one, two), listen(t, hub, two)
	for range 3 {
		hub.Publish(live.Event{Topic: one})
	}
	hub.Publish(live.Event{Topic: two, Object: 5})
	require.Len(t, relayed, 4)
	events, lost, err := both.Take(t.Context())
	require.NoError(t, err)
	require.False(t, lost)
	require.Equal(t, []live.Event{{Topic: one}, {Topic: two, Object: 5}}, events)
	events, _, err = second.Take(t.Context())
	require.NoError(t, err)
	require.Equal(t, []live.Event{{Topic: two, Object: 5}}, events)

	second.Close()
	second.Close()
	hub.Publish(live.Event{Topic: two})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, _, err = second.Take(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// A listener that is too slow loses events and is told so; Lost tells all listeners.
func TestLost(t *testing.T) {
	hub := live.NewHub(nil)
	l := listen(t, hub, one)
	for i := range int64(1001) {
		hub.Publish(live.Event{Topic: one, Object: i})
	}
	events, lost, err := l.Take(t.Context())
	require.NoError(t, err)
	require.True(t, lost)
	require.Empty(t, events)
	hub.Publish(live.Event{Topic: one})
	events, lost, err = l.Take(t.Context())
	require.NoError(t, err)
	require.False(t, lost)
	require.Len(t, events, 1)
	hub.Lost()
	_, lost, err = l.Take(t.Context())
	require.NoError(t, err)
	require.True(t, lost)
}

// Close stops the listeners, refuses new ones, and waits no longer than its context.
func TestClose(t *testing.T) {
	hub := live.NewHub(nil)
	l := listen(t, hub, one)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, hub.Close(ctx), context.DeadlineExceeded) // l is not closed
	for range 2 {
		_, _, err := l.Take(t.Context())
		require.ErrorContains(t, err, "stopping")
	}
	_, err := hub.Listen(one)
	require.ErrorContains(t, err, "stopping")
	l.Close()
	require.NoError(t, hub.Close(t.Context()))
	require.Zero(t, hub.Open())
	(*live.Hub)(nil).Publish(live.Event{Topic: one}) // does nothing
}
