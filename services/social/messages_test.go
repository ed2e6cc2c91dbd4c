package social_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/services/internal/servicetest"
)

func (s *service) mustSend(t *testing.T, from, to int64, content string) *social.Message {
	t.Helper()
	return servicetest.Must(s.SendMessage(t.Context(), &social.SendMessageRequest{FromUserID: from, ToUserID: to, Content: content}))(t).Message
}

func (s *service) messages(t *testing.T, user, peer int64) []*social.Message {
	t.Helper()
	return servicetest.Must(s.ListMessages(t.Context(), &social.ListMessagesRequest{UserID: user, PeerID: peer, Limit: 1000}))(t).Messages
}

func texts(messages []*social.Message) string {
	var all []string
	for _, m := range messages {
		all = append(all, m.Content)
	}
	return strings.Join(all, " ")
}

// A message keeps its text unchanged, if that has 1 to 256 characters, and both users get the same.
func TestSendMessage(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		for _, content := range []string{"hi", "two\nlines ", strings.Repeat("信", 256), "\U0001F600'; --\\ %_\"`"} {
			start := time.Now().UnixMilli()
			sent := s.mustSend(t, 2, 1, content)
			if sent.ID <= 0 || sent.FromUserID != 2 || sent.ToUserID != 1 || sent.Content != content || sent.CreatedAt < start {
				t.Errorf("got %v", sent)
			}
			for _, pair := range [][2]int64{{1, 2}, {2, 1}} {
				if all := s.messages(t, pair[0], pair[1]); *all[len(all)-1] != *sent {
					t.Errorf("got %v, want %v", all, sent)
				}
			}
		}
		send := func(from, to int64, content string) (*social.SendMessageResponse, error) {
			return s.SendMessage(t.Context(), &social.SendMessageRequest{FromUserID: from, ToUserID: to, Content: content})
		}
		for _, content := range []string{"", " \n", "a\x00b", "\xff", strings.Repeat("x", 257)} {
			servicetest.Refuses(send(1, 2, content))(t, codes.InvalidArgument)
		}
		servicetest.Refuses(send(1, 1, "x"))(t, codes.InvalidArgument)
		servicetest.Refuses(send(0, 1, "x"))(t, codes.InvalidArgument)
		servicetest.Refuses(send(1, -1, "x"))(t, codes.InvalidArgument)
		if got := s.messages(t, 1, 2); len(got) != 4 {
			t.Errorf("got %v", got)
		}
	})
}

// Without a time, the latest messages of two users are returned, oldest first, and earlier ones before a cursor.
func TestListMessages(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		for i := range 10 {
			s.mustSend(t, int64(i%2+1), int64((i+1)%2+1), fmt.Sprint(i))
		}
		s.mustSend(t, 1, 3, "other")
		list := func(limit int32, before *page.Cursor, after *int64) (*social.ListMessagesResponse, error) {
			return s.ListMessages(t.Context(), &social.ListMessagesRequest{UserID: 1, PeerID: 2, Limit: limit, Before: before, ReceivedAfter: after})
		}
		latest := servicetest.Must(list(4, nil, nil))(t)
		is(t, texts(latest.Messages), "6 7 8 9")
		first := latest.Messages[0]
		cursor := &page.Cursor{CreatedAt: first.CreatedAt, ID: first.ID}
		before := servicetest.Must(list(4, cursor, nil))(t)
		is(t, texts(before.Messages), "2 3 4 5")
		if !latest.HasMore || !before.HasMore {
			t.Error("has_more is missing")
		}
		first = before.Messages[0]
		before = servicetest.Must(list(4, &page.Cursor{CreatedAt: first.CreatedAt, ID: first.ID}, nil))(t)
		is(t, texts(before.Messages), "0 1")
		if before.HasMore {
			t.Error("has_more at the end")
		}
		if none := s.messages(t, 1, 99); none == nil || len(none) != 0 {
			t.Errorf("got %v", none)
		}
		servicetest.Refuses(list(0, nil, nil))(t, codes.InvalidArgument)
		servicetest.Refuses(list(1001, nil, nil))(t, codes.InvalidArgument)
		servicetest.Refuses(list(1, cursor, new(int64)))(t, codes.InvalidArgument)
		servicetest.Refuses(s.ListMessages(t.Context(), &social.ListMessagesRequest{UserID: 1, Limit: 1}))(t, codes.InvalidArgument)
	})
}

// With a time, only messages of the peer after it are returned, oldest first.
func TestReceivedMessages(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		var sent []*social.Message
		for i := range 10 {
			sent = append(sent, s.mustSend(t, int64(i%2+1), int64((i+1)%2+1), fmt.Sprint(i))) // user 2 sends the odd ones
		}
		received := func(user, peer, after int64, limit int32) *social.ListMessagesResponse {
			return servicetest.Must(s.ListMessages(t.Context(), &social.ListMessagesRequest{UserID: user, PeerID: peer, Limit: limit, ReceivedAfter: &after}))(t)
		}
		got := received(1, 2, sent[1].CreatedAt, 3)
		is(t, texts(got.Messages), "3 5 7")
		if !got.HasMore {
			t.Error("has_more is missing")
		}
		is(t, texts(received(1, 2, sent[7].CreatedAt, 3).Messages), "9")
		is(t, texts(received(2, 1, 0, 50).Messages), "0 2 4 6 8")
		is(t, texts(received(1, 2, sent[9].CreatedAt, 3).Messages), "")
	})
}

// ListReceivedMessages returns messages from all users, oldest first: the latest, or those after a cursor, also of the same
// time.
func TestListReceivedMessages(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		var sent []*social.Message
		for i := range 6 {
			sent = append(sent, s.mustSend(t, int64(i%3+2), 1, fmt.Sprint(i)))
			s.mustSend(t, 1, int64(i%3+2), "back")
		}
		list := func(limit int32, after *page.Cursor) *social.ListReceivedMessagesResponse {
			return servicetest.Must(s.ListReceivedMessages(t.Context(), &social.ListReceivedMessagesRequest{UserID: 1, Limit: limit, After: after}))(t)
		}
		latest := list(2, nil)
		is(t, texts(latest.Messages), "4 5")
		if !latest.HasMore {
			t.Error("has_more is missing")
		}
		var all []string
		after := &page.Cursor{CreatedAt: sent[0].CreatedAt - 1}
		for more := true; more; {
			got := list(1, after)
			all, more = append(all, texts(got.Messages)), got.HasMore
			last := got.Messages[len(got.Messages)-1]
			after = &page.Cursor{CreatedAt: last.CreatedAt, ID: last.ID}
		}
		is(t, strings.Join(all, " "), "0 1 2 3 4 5")
		is(t, texts(list(9, after).Messages), "")
		servicetest.Refuses(s.ListReceivedMessages(t.Context(), &social.ListReceivedMessagesRequest{UserID: 0, Limit: 1}))(t, codes.InvalidArgument)
		servicetest.Refuses(s.ListReceivedMessages(t.Context(), &social.ListReceivedMessagesRequest{UserID: 1, Limit: 1001}))(t, codes.InvalidArgument)
	})
}

// Two users send concurrently while one polls by time. Times are unique and rise, and polling returns every message once,
// in order.
func TestPolling(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		const senders, each = 8, 10
		var polled []*social.Message
		var done atomic.Bool
		servicetest.AtOnce(2, func(i int) {
			if i == 0 {
				servicetest.AtOnce(senders, func(i int) {
					for n := range each {
						if i%2 == 0 {
							s.mustSend(t, 2, 1, fmt.Sprint(i, ".", n))
						} else {
							s.mustSend(t, 1, 2, fmt.Sprint(i, ".", n))
						}
					}
				})
				done.Store(true)
				return
			}
			var after int64
			for last := false; ; last = done.Load() {
				got := servicetest.Must(s.ListMessages(t.Context(), &social.ListMessagesRequest{UserID: 1, PeerID: 2, Limit: 5, ReceivedAfter: &after}))(t)
				polled = append(polled, got.Messages...)
				if n := len(got.Messages); n > 0 {
					after = got.Messages[n-1].CreatedAt
				} else if last {
					return
				}
			}
		})
		seen := map[string]bool{}
		for i, m := range polled {
			seen[m.Content] = true
			if i > 0 && m.CreatedAt <= polled[i-1].CreatedAt {
				t.Errorf("%v comes after %v", m, polled[i-1])
			}
		}
		if len(polled) != senders/2*each || len(seen) != len(polled) {
			t.Errorf("polled %d, %d of them different, want %d", len(polled), len(seen), senders/2*each)
		}
		times := map[int64]bool{}
		for _, m := range s.messages(t, 1, 2) {
			times[m.CreatedAt] = true
		}
		if len(times) != senders*each {
			t.Errorf("%d messages have %d times", senders*each, len(times))
		}
	})
}
