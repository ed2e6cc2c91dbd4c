package social_test

import (
	"fmt"
	"testing"

	"gorm.io/gorm"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/idl/kitex_gen/social/socialservice"
	"minidouyin/services"
	"minidouyin/services/internal/servicetest"
)

// suite runs a test on every database, with and without caches.
func suite(t *testing.T, test func(t *testing.T, s *service)) {
	servicetest.EachBackend(t, func(t *testing.T, b servicetest.Backend) {
		s := &service{backend: b, dsn: b.DSN}
		s.open(t)
		test(t, s)
	})
}

type service struct {
	socialservice.Client
	statements *servicetest.Statements
	backend    servicetest.Backend
	dsn        string
}

func (s *service) open(t *testing.T) {
	t.Helper()
	option, statements := servicetest.Open(t, services.Social, s.backend)
	s.Client, s.statements = socialservice.MustNewClient(services.Social, option), statements
}

// forgetCaches makes the next reads miss.
func (s *service) forgetCaches(t *testing.T) {
	t.Helper()
	if s.backend.Redis != nil {
		servicetest.Wipe(t, s.backend.Redis)
	}
	if s.backend.Alone { // the caches go with the process
		s.open(t)
	}
}

func (s *service) mustFollow(t *testing.T, from, to int64) {
	t.Helper()
	servicetest.Must(s.Follow(t.Context(), &social.FollowRequest{FromUserID: from, ToUserID: to}))(t)
}

func (s *service) mustUnfollow(t *testing.T, from, to int64) {
	t.Helper()
	servicetest.Must(s.Unfollow(t.Context(), &social.UnfollowRequest{FromUserID: from, ToUserID: to}))(t)
}

// stats returns a user's stats for a viewer as text: "2 following 1 followers true".
func (s *service) stats(t *testing.T, id, viewer int64) string {
	t.Helper()
	got := servicetest.Must(s.BatchGetRelationStats(t.Context(), &social.BatchGetRelationStatsRequest{UserIds: []int64{id}, ViewerID: viewer}))(t).Stats[id]
	return fmt.Sprintf("%d following %d followers %t", got.FollowingCount, got.FollowerCount, got.FollowedByViewer)
}

func is(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// checkCounts fails the test unless every count equals the rows it counts.
func (s *service) checkCounts(t *testing.T) {
	t.Helper()
	wrong := -1
	err := servicetest.Database(t, s.dsn).Read(t.Context()).Raw(`SELECT
		(SELECT COUNT(*) FROM relation_stats AS s WHERE following_count <> (SELECT COUNT(*) FROM follows AS f WHERE f.from_id = s.user_id)
			OR follower_count <> (SELECT COUNT(*) FROM follows AS f WHERE f.to_id = s.user_id))
		+ (SELECT COUNT(*) FROM follows WHERE from_id NOT IN (SELECT user_id FROM relation_stats) OR to_id NOT IN (SELECT user_id FROM relation_stats))`).Scan(&wrong).Error
	if err != nil || wrong != 0 {
		t.Errorf("%d counts are wrong (%v)", wrong, err)
	}
}

// sameTime gives all follows one time.
func (s *service) sameTime(t *testing.T) {
	t.Helper()
	err := servicetest.Database(t, s.dsn).Write(t.Context(), func(tx *gorm.DB) error {
		return tx.Exec("UPDATE follows SET created_at = 1700000000000").Error
	})
	if err != nil {
		t.Fatal(err)
	}
	s.forgetCaches(t)
}

// Follows and unfollows are idempotent. Users cannot follow themselves.
func TestFollows(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		is(t, s.stats(t, 2, 1), "0 following 0 followers false")
		for range 3 {
			s.mustFollow(t, 1, 2)
		}
		s.mustFollow(t, 3, 2)
		s.mustFollow(t, 2, 1)
		is(t, s.stats(t, 2, 1), "1 following 2 followers true")
		is(t, s.stats(t, 2, 4), "1 following 2 followers false")
		is(t, s.stats(t, 2, 0), "1 following 2 followers false")
		is(t, s.stats(t, 1, 2), "1 following 1 followers true")
		for range 3 {
			s.mustUnfollow(t, 1, 2)
		}
		s.mustUnfollow(t, 1, 99)
		is(t, s.stats(t, 2, 1), "1 following 1 followers false")
		is(t, s.stats(t, 1, 2), "0 following 1 followers true")
		s.mustFollow(t, 1, 2) // again
		is(t, s.stats(t, 2, 1), "1 following 2 followers true")
		s.checkCounts(t)
		for _, c := range [][2]int64{{1, 1}, {0, 1}, {1, 0}, {-1, 1}} {
			servicetest.Refuses(s.Follow(t.Context(), &social.FollowRequest{FromUserID: c[0], ToUserID: c[1]}))(t, codes.InvalidArgument)
		}
		servicetest.Refuses(s.Unfollow(t.Context(), &social.UnfollowRequest{FromUserID: 1}))(t, codes.InvalidArgument)
	})
}

// Concurrent follows and unfollows of the same users, also of each other, leave counts that equal the rows.
func TestFollowsAtOnce(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		servicetest.AtOnce(16, func(int) { s.mustFollow(t, 1, 2) })
		is(t, s.stats(t, 2, 1), "0 following 1 followers true")
		servicetest.AtOnce(16, func(int) { s.mustUnfollow(t, 1, 2) })
		is(t, s.stats(t, 2, 1), "0 following 0 followers false")
		servicetest.AtOnce(16, func(i int) {
			for n := range 10 {
				from, to := int64((i+n)%3+1), int64((i+2*n)%3+1)
				switch {
				case from == to:
					s.mustFollow(t, from, to+1)
				case (i+n)%2 == 0:
					s.mustFollow(t, from, to)
				default:
					s.mustUnfollow(t, from, to)
				}
			}
		})
		s.checkCounts(t)
	})
}

// One response has the lists of several users, latest first. Pages lose and repeat none, even of the same time.
func TestFollowLists(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		for other := int64(2); other <= 21; other++ {
			s.mustFollow(t, 1, other)
			s.mustFollow(t, other, 1)
		}
		s.mustFollow(t, 2, 3)
		s.sameTime(t)
		for name, list := range map[string]func(p *page.Page, users ...int64) (map[int64]*social.FollowPage, error){
			"following": func(p *page.Page, users ...int64) (map[int64]*social.FollowPage, error) {
				answer, err := s.ListFollowing(t.Context(), &social.ListFollowingRequest{UserIds: users, Page: p})
				if err != nil {
					return nil, err
				}
				return answer.Pages, nil
			},
			"followers": func(p *page.Page, users ...int64) (map[int64]*social.FollowPage, error) {
				answer, err := s.ListFollowers(t.Context(), &social.ListFollowersRequest{UserIds: users, Page: p})
				if err != nil {
					return nil, err
				}
				return answer.Pages, nil
			},
		} {
			for _, users := range [][]int64{{1}, {99, 1, 2}} {
				next := int64(21)
				p := &page.Page{Limit: 3}
				for more := true; more; {
					pages := servicetest.Must(list(p, users...))(t)
					if len(pages) != len(users) {
						t.Fatalf("%s of %v: %v", name, users, pages)
					}
					for _, e := range pages[1].Edges {
						if e.UserID != next {
							t.Errorf("%s of %v: got %v, want %d", name, users, e, next)
						}
						next--
						p = &page.Page{Limit: 3, After: &page.Cursor{CreatedAt: e.CreatedAt, ID: e.ID}}
					}
					more = pages[1].HasMore
				}
				if next != 1 {
					t.Errorf("%s of %v end at %d", name, users, next)
				}
			}
			pages := servicetest.Must(list(&page.Page{Limit: 20}, 1, 99))(t)
			if len(pages[1].Edges) != 20 || pages[1].HasMore || pages[99].Edges == nil || len(pages[99].Edges) != 0 {
				t.Errorf("%s: got %v", name, pages)
			}
			if pages := servicetest.Must(list(&page.Page{Limit: 1}))(t); pages == nil || len(pages) != 0 {
				t.Errorf("%s: no ids give %v", name, pages)
			}
			servicetest.Refuses(list(nil, 1))(t, codes.InvalidArgument)
			servicetest.Refuses(list(&page.Page{Limit: 1}, 0))(t, codes.InvalidArgument)
		}
	})
}

// Friends follow each other. Each has the latest message between the two, in either direction.
func TestFriends(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		for other := int64(1); other <= 9; other++ {
			if other != 5 {
				s.mustFollow(t, 5, other)
			}
		}
		for _, other := range []int64{1, 3, 6, 7, 8, 20} {
			s.mustFollow(t, other, 5)
		}
		s.sameTime(t)
		s.mustSend(t, 5, 3, "old")
		third := s.mustSend(t, 3, 5, "to me")
		seventh := s.mustSend(t, 5, 7, "from me")
		s.mustSend(t, 3, 7, "not mine")
		s.mustSend(t, 2, 5, "no friend")
		var got []*social.FriendEdge
		p := &page.Page{Limit: 2}
		for more := true; more; {
			answer := servicetest.Must(s.ListFriends(t.Context(), &social.ListFriendsRequest{UserID: 5, Page: p}))(t).Page
			got, more = append(got, answer.Edges...), answer.HasMore
			last := got[len(got)-1]
			p = &page.Page{Limit: 2, After: &page.Cursor{CreatedAt: last.CreatedAt, ID: last.ID}}
		}
		want := map[int64]*social.Message{8: nil, 7: seventh, 6: nil, 3: third, 1: nil}
		var order []int64
		for _, e := range got {
			order = append(order, e.UserID)
			if m, ok := want[e.UserID]; !ok || (m == nil) != (e.LatestMessage == nil) || m != nil && *m != *e.LatestMessage {
				t.Errorf("got %v, want %v", e, m)
			}
		}
		is(t, fmt.Sprint(order), "[8 7 6 3 1]")
		if got := servicetest.Must(s.ListFriends(t.Context(), &social.ListFriendsRequest{UserID: 99, Page: p}))(t).Page; got.Edges == nil || len(got.Edges) != 0 || got.HasMore {
			t.Errorf("got %v", got)
		}
		servicetest.Refuses(s.ListFriends(t.Context(), &social.ListFriendsRequest{Page: p}))(t, codes.InvalidArgument)
		servicetest.Refuses(s.ListFriends(t.Context(), &social.ListFriendsRequest{UserID: 5}))(t, codes.InvalidArgument)
	})
}

// Stats have an entry for every requested id.
func TestRelationStats(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		s.mustFollow(t, 1, 2)
		get := func(viewer int64, ids ...int64) (*social.BatchGetRelationStatsResponse, error) {
			return s.BatchGetRelationStats(t.Context(), &social.BatchGetRelationStatsRequest{UserIds: ids, ViewerID: viewer})
		}
		if got := servicetest.Must(get(1, 2, 1, 999, 2))(t).Stats; len(got) != 3 || !got[2].FollowedByViewer || got[1].FollowedByViewer || got[999].FollowerCount != 0 {
			t.Errorf("got %v", got)
		}
		if got := servicetest.Must(get(1))(t).Stats; got == nil || len(got) != 0 {
			t.Errorf("no ids give %v", got)
		}
		servicetest.Refuses(get(-1, 2))(t, codes.InvalidArgument)
		servicetest.Refuses(get(1, 0))(t, codes.InvalidArgument)
		servicetest.Refuses(get(1, make([]int64, 1001)...))(t, codes.InvalidArgument)
	})
}
