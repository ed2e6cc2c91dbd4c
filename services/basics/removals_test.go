package basics_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services/internal/servicetest"
)

// A reservation falls due after its TTL. Finished removals are gone, and FinishRemovals may be repeated.
func TestRemovals(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		reserve := func(ttl time.Duration, keys ...string) (*basics.ReserveFilesResponse, error) {
			return s.ReserveFiles(t.Context(), &basics.ReserveFilesRequest{Keys: keys, TTLMs: ttl.Milliseconds()})
		}
		servicetest.Must(reserve(time.Hour, "later"))(t)
		servicetest.Must(reserve(0, "now1", "now2"))(t)
		servicetest.Must(reserve(0))(t)
		due := s.removals(t, false)
		if !sameRemovals(due, "file now1", "file now2") || !sameRemovals(s.removals(t, true), "file now1", "file now2", "file later") {
			t.Fatalf("due %v, all %v", due, s.removals(t, true))
		}
		if one := servicetest.Must(s.ListRemovals(t.Context(), &basics.ListRemovalsRequest{Limit: 1}))(t).Removals; len(one) != 1 || *one[0] != *due[0] {
			t.Errorf("got %v", one)
		}
		finish := func(ids ...int64) (*basics.FinishRemovalsResponse, error) {
			return s.FinishRemovals(t.Context(), &basics.FinishRemovalsRequest{RemovalIds: ids})
		}
		servicetest.Must(finish())(t)
		servicetest.Must(finish(due[0].ID, due[1].ID, 999))(t)
		servicetest.Must(finish(due[0].ID))(t)
		if got := s.removals(t, true); !sameRemovals(got, "file later") {
			t.Errorf("got %v", got)
		}
		if got := s.removals(t, false); got == nil || len(got) != 0 {
			t.Errorf("got %v", got)
		}
		servicetest.Refuses(reserve(time.Hour, ""))(t, codes.InvalidArgument)
		servicetest.Refuses(reserve(-time.Hour, "k"))(t, codes.InvalidArgument)
		servicetest.Refuses(reserve(10000*time.Hour, "k"))(t, codes.InvalidArgument)
		servicetest.Refuses(reserve(time.Hour, make([]string, 501)...))(t, codes.InvalidArgument)
		servicetest.Refuses(finish(0))(t, codes.InvalidArgument)
		servicetest.Refuses(s.ListRemovals(t.Context(), &basics.ListRemovalsRequest{}))(t, codes.InvalidArgument)
	})
}

// A read sends one statement for any number of ids, and none for no ids. With a cache, a repeated read sends none.
func TestStatements(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		for i := range 30 {
			s.mustVideo(t, s.mustUser(t, fmt.Sprint("user", i)).ID, "v")
		}
		thirty := make([]int64, 30)
		for i := range thirty {
			thirty[i] = int64(i + 1)
		}
		for name, read := range map[string]func(ids []int64) error{
			"BatchGetUsers": func(ids []int64) error {
				_, err := s.BatchGetUsers(t.Context(), &basics.BatchGetUsersRequest{UserIds: ids})
				return err
			},
			"BatchGetVideos": func(ids []int64) error {
				_, err := s.BatchGetVideos(t.Context(), &basics.BatchGetVideosRequest{VideoIds: ids})
				return err
			},
			"ListUserVideos": func(ids []int64) error {
				_, err := s.ListUserVideos(t.Context(), &basics.ListUserVideosRequest{UserIds: ids, Page: &page.Page{Limit: 30}})
				return err
			},
			"ListFeed": func(ids []int64) error {
				if len(ids) == 0 {
					return nil
				}
				_, err := s.ListFeed(t.Context(), &basics.ListFeedRequest{Page: &page.Page{Limit: int32(len(ids))}})
				return err
			},
		} {
			for _, c := range []struct {
				ids  []int64
				want int
			}{{nil, 0}, {thirty[:1], 1}, {thirty, 1}} {
				s.forgetCaches(t)
				want := c.want
				for range 2 {
					s.statements.Take()
					if err := read(c.ids); err != nil {
						t.Fatal(err)
					}
					if got := s.statements.Take(); len(got) != want {
						t.Errorf("%s of %d ids sends %d statements, want %d: %q", name, len(c.ids), len(got), want, got)
					}
					if s.backend.Caches() {
						want = 0
					}
				}
			}
		}
	})
}

// sameRemovals reports whether the removals are the wanted ones, in any order: "file KEY", "video ID", "user ID".
func sameRemovals(removals []*basics.Removal, want ...string) bool {
	var got []string
	for _, r := range removals {
		switch {
		case r.FileKey != "" && r.VideoID == 0 && r.UserID == 0:
			got = append(got, "file "+r.FileKey)
		case r.FileKey == "" && r.VideoID != 0 && r.UserID == 0:
			got = append(got, fmt.Sprint("video ", r.VideoID))
		case r.FileKey == "" && r.VideoID == 0 && r.UserID != 0:
			got = append(got, fmt.Sprint("user ", r.UserID))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	return slices.Equal(got, want) && len(got) == len(removals)
}
