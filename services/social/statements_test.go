package social_test

import (
	"testing"

	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
)

// A read sends one statement, or two if it has messages, for any number of ids. With a cache, a read with a viewer sends two,
// and a repeated read none.
func TestStatements(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		thirty := make([]int64, 30)
		for i := range thirty {
			thirty[i] = int64(i + 1)
			if i > 0 {
				s.mustFollow(t, 1, thirty[i])
				s.mustFollow(t, thirty[i], 1)
				s.mustSend(t, thirty[i], 1, "x")
			}
		}
		for name, c := range map[string]struct {
			want int
			read func(ids []int64) error
		}{
			"BatchGetRelationStats": {1, func(ids []int64) error {
				_, err := s.BatchGetRelationStats(t.Context(), &social.BatchGetRelationStatsRequest{UserIds: ids})
				return err
			}},
			"BatchGetRelationStats of a viewer": {1, func(ids []int64) error {
				_, err := s.BatchGetRelationStats(t.Context(), &social.BatchGetRelationStatsRequest{UserIds: ids, ViewerID: 1})
				return err
			}},
			"ListFollowing": {1, func(ids []int64) error {
				_, err := s.ListFollowing(t.Context(), &social.ListFollowingRequest{UserIds: ids, Page: &page.Page{Limit: 30}})
				return err
			}},
			"ListFollowers": {1, func(ids []int64) error {
				_, err := s.ListFollowers(t.Context(), &social.ListFollowersRequest{UserIds: ids, Page: &page.Page{Limit: 30}})
				return err
			}},
			"ListFriends": {2, func(ids []int64) error {
				_, err := s.ListFriends(t.Context(), &social.ListFriendsRequest{UserID: 1, Page: &page.Page{Limit: int32(len(ids))}})
				return err
			}},
			"ListMessages": {1, func(ids []int64) error {
				_, err := s.ListMessages(t.Context(), &social.ListMessagesRequest{UserID: 1, PeerID: 2, Limit: int32(len(ids))})
				return err
			}},
			"ListMessages received": {1, func(ids []int64) error {
				_, err := s.ListMessages(t.Context(), &social.ListMessagesRequest{UserID: 1, PeerID: 2, Limit: int32(len(ids)), ReceivedAfter: new(int64)})
				return err
			}},
		} {
			for _, ids := range [][]int64{thirty[:1], thirty} {
				s.forgetCaches(t)
				want := c.want
				if s.backend.Caches() && name == "BatchGetRelationStats of a viewer" {
					want = 2 // the viewer's list is read, too
				}
				for range 2 {
					s.statements.Take()
					if err := c.read(ids); err != nil {
						t.Fatal(err)
					}
					if got := s.statements.Take(); len(got) != want {
						t.Errorf("%s of %d sends %d statements, want %d: %q", name, len(ids), len(got), want, got)
					}
					if s.backend.Caches() {
						want = 0
					}
				}
			}
		}
	})
}
