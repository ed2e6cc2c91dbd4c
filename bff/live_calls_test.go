package bff_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What an event costs, exactly, together with the write that causes it: one read, and one call for each kind of data
// that is selected. Those whom a video does not concern cost nothing.
func TestCallsOfEvents(t *testing.T) {
	w := newWorld(t, 5, nil)
	w.calls.take()
	strangers := make([]*socket, 10)
	for i := range strangers { // they follow nobody
		_, token := w.register(t, "stranger"+strings.Repeat("x", i))
		strangers[i] = w.connect(t, token)
		strangers[i].subscribe("1", `subscription { videoPublished { cursor } }`)
	}
	feeds := 0 // the last that each of them reads at its beginning
	require.Eventually(t, func() bool { feeds += w.calls.take()["ListFeed"]; return feeds == len(strangers) }, patience, time.Millisecond)
	message := asREST("POST", "/douyin/message/action/", "to_user_id", "$ann", "action_type", "1", "content", "hi", "token", "@bob")
	like := asREST("POST", "/douyin/favorite/action/", "video_id", "#0", "action_type", "1", "token", "@bob")
	unlike := asREST("POST", "/douyin/favorite/action/", "video_id", "#0", "action_type", "2", "token", "@bob")
	liked := true
	change := func(tb testing.TB, w *world) answer { // each time something that counts
		liked = !liked
		if liked {
			return like(tb, w)
		}
		return unlike(tb, w)
	}
	for _, c := range []struct {
		name, query string
		first       int // events that come before the write
		write       func(testing.TB, *world) answer
		calls       string
	}{
		{"message", `subscription { messageReceived { message { content } } }`, 0, message,
			"BatchGetUsers 1, ListReceivedMessages 1, SendMessage 1"},
		{"message with its sender", `subscription { messageReceived { cursor message { content } from { name followerCount videos(first: 3) { nodes { title likeCount } } } } }`, 0, message,
			"BatchGetRelationStats 1, BatchGetUsers 2, BatchGetVideoStats 1, ListReceivedMessages 1, ListUserVideos 1, SendMessage 1"},
		{"counts", `subscription { videoStatsChanged(videoIds: ["#0"]) { video { likeCount commentCount } } }`, 1, change,
			"BatchGetVideoStats 1, BatchGetVideos 2, a like 1"},
		{"counts of one of many videos", `subscription { videoStatsChanged(videoIds: ["#0", "2", "3", "4", "5"]) { video { likeCount } } }`, 5, change,
			"BatchGetVideoStats 1, BatchGetVideos 2, a like 1"},
		{"counts of a video that nobody watches", `subscription { videoStatsChanged(videoIds: ["#0"]) { video { likeCount } } }`, 1,
			func(tb testing.TB, w *world) answer {
				return asREST("POST", "/douyin/favorite/action/", "video_id", "2", "action_type", "2", "token", "@bob")(tb, w)
			}, "BatchGetVideos 1, UnlikeVideo 1"},
		{"video", `subscription { videoPublished { video { title author { name } likeCount } } }`, 0,
			func(tb testing.TB, w *world) answer { return w.upload(tb, w.tokens["bob"], "new", sampleVideo(tb)) },
			"BatchGetUsers 1, BatchGetVideoStats 1, BatchGetVideos 1, CreateVideo 1, ReserveFiles 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, procs := range []int{1, 2} {
				func() {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
					socket := w.connect(t, w.tokens["ann"])
					socket.subscribe("1", w.fill(c.query))
					w.listening(t, len(strangers)+1)
					for range c.first {
						socket.event()
					}
					if c.first == 0 { // it says nothing when it is ready: another event comes before the one that counts
						c.write(t, w)
						socket.event()
					}
					// Counts are read once more some time after they were told, which may be within this and only adds to it: then
					// it is done again.
					measure := func() string {
						w.calls.take()
						c.write(t, w)
						if !strings.Contains(c.name, "nobody") {
							socket.event()
						}
						return strings.NewReplacer("UnlikeVideo", "a like", "LikeVideo", "a like").Replace(text(w.calls.take()))
					}
					want := strings.ReplaceAll(c.calls, "UnlikeVideo", "a like")
					calls := measure()
					for again := 0; c.first > 0 && calls != want && again < 20; again++ {
						calls = measure()
					}
					require.Equal(t, want, calls)
					socket.send(frame{ID: "1", Type: "complete"})
					w.listening(t, len(strangers))
				}()
			}
		})
	}
}
