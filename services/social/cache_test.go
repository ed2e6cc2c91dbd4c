package social_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"gorm.io/gorm"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/idl/kitex_gen/social/socialservice"
	"minidouyin/services"
	"minidouyin/services/internal/servicetest"
)

// After each kind of write, two processes that share a cache, and a process with its own cache, return what the database
// has.
func TestCachesAreTrue(t *testing.T) {
	servicetest.EachBackend(t, func(t *testing.T, b servicetest.Backend) {
		if !b.Caches() {
			return
		}
		open := func(b servicetest.Backend) socialservice.Client {
			option, _ := servicetest.Open(t, services.Social, b)
			return socialservice.MustNewClient(services.Social, option)
		}
		two, truth := []socialservice.Client{open(b), nil}, open(servicetest.Backend{DSN: b.DSN})
		if two[1] = two[0]; !b.Alone {
			two[1] = open(b)
		}
		ctx := t.Context()
		users := []int64{1, 2, 3, 4}
		times := []int64{1}
		answers := func(s socialservice.Client, seed uint64) []string {
			random := rand.New(rand.NewPCG(seed, 1)) // the same questions for each
			var got []string
			say := func(answer any, err error) {
				text, _ := json.Marshal(answer) // of maps in the order of their keys
				got = append(got, fmt.Sprint(string(text), codes.Of(err)))
			}
			for _, limit := range []int32{2, 60} {
				at := times[random.IntN(len(times))]
				for _, p := range []*page.Page{{Limit: limit}, {Limit: limit, After: &page.Cursor{CreatedAt: at, ID: 3}}} {
					say(s.ListFollowing(ctx, &social.ListFollowingRequest{UserIds: users, Page: p}))
					say(s.ListFollowers(ctx, &social.ListFollowersRequest{UserIds: users, Page: p}))
					say(s.ListFriends(ctx, &social.ListFriendsRequest{UserID: random.Int64N(4) + 1, Page: p}))
					say(s.ListMessages(ctx, &social.ListMessagesRequest{UserID: 1, PeerID: 2, Limit: limit, Before: p.After}))
				}
				say(s.ListMessages(ctx, &social.ListMessagesRequest{UserID: 1, PeerID: 2, Limit: limit, ReceivedAfter: &at}))
				say(s.ListMessages(ctx, &social.ListMessagesRequest{UserID: 2, PeerID: 1, Limit: limit, ReceivedAfter: new(int64)}))
			}
			for viewer := range int64(3) {
				say(s.BatchGetRelationStats(ctx, &social.BatchGetRelationStatsRequest{UserIds: users, ViewerID: viewer}))
			}
			return got
		}
		random := rand.New(rand.NewPCG(1, 2))
		for range 55 { // more than the caches keep
			servicetest.Must(two[0].SendMessage(ctx, &social.SendMessageRequest{FromUserID: 1, ToUserID: 2, Content: "x"}))(t)
		}
		for step := range 60 {
			s := two[random.IntN(2)]
			from, to := random.Int64N(4)+1, random.Int64N(4)+1
			var err error
			switch n := random.IntN(12); {
			case from == to && n > 0:
				continue
			case n == 0:
				_, err = s.PurgeUser(ctx, &social.PurgeUserRequest{UserID: from})
			case n < 6:
				_, err = s.Follow(ctx, &social.FollowRequest{FromUserID: from, ToUserID: to})
			case n < 8:
				_, err = s.Unfollow(ctx, &social.UnfollowRequest{FromUserID: from, ToUserID: to})
			default:
				var sent *social.SendMessageResponse
				sent, err = s.SendMessage(ctx, &social.SendMessageRequest{FromUserID: (from-1)%2 + 1, ToUserID: from%2 + 1, Content: fmt.Sprint(step)})
				if err == nil {
					times = append(times, sent.Message.CreatedAt)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			seed := random.Uint64()
			want := answers(truth, seed)
			for i, s := range two {
				for n, got := range answers(s, seed) {
					if got != want[n] {
						t.Fatalf("step %d, answer %d of process %d:\n%s\nwant\n%s", step, n, i, got, want[n])
					}
				}
			}
		}
	})
}

// A list that is longer than its cached prefix has all pages, and its user's relations are right.
func TestLongLists(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		const many = 1005
		rows, stats := make([]map[string]any, many), []map[string]any{{"user_id": 1, "following_count": many, "follower_count": 0}}
		for i := range rows {
			rows[i] = map[string]any{"from_id": 1, "to_id": i + 2, "created_at": i + 1}
			stats = append(stats, map[string]any{"user_id": i + 2, "following_count": 0, "follower_count": 1})
		}
		if err := servicetest.Database(t, s.dsn).Write(t.Context(), func(tx *gorm.DB) error {
			return errors.Join(tx.Table("follows").CreateInBatches(rows, 500).Error, tx.Table("relation_stats").CreateInBatches(stats, 500).Error)
		}); err != nil {
			t.Fatal(err)
		}
		s.mustUnfollow(t, 1, 500)
		for range 2 {
			got, p := []int64{}, &page.Page{Limit: 300}
			for more := true; more; {
				answer := servicetest.Must(s.ListFollowing(t.Context(), &social.ListFollowingRequest{UserIds: []int64{1}, Page: p}))(t).Pages[1]
				for _, e := range answer.Edges {
					got = append(got, e.UserID)
					p = &page.Page{Limit: 300, After: &page.Cursor{CreatedAt: e.CreatedAt, ID: e.ID}}
				}
				more = answer.HasMore
			}
			if len(got) != many-1 || got[0] != many+1 || got[len(got)-1] != 2 {
				t.Errorf("got %d, from %d to %d", len(got), got[0], got[len(got)-1])
			}
			is(t, s.stats(t, 2, 1), "0 following 1 followers true")
			is(t, s.stats(t, 500, 1), "0 following 0 followers false")
			is(t, s.stats(t, 900, 1), "0 following 1 followers true")
		}
	})
}
