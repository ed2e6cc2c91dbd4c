package basics_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services/internal/servicetest"
)

func (s *service) feed(t *testing.T, before *int64) []*basics.Video {
	t.Helper()
	return servicetest.Must(s.ListFeed(t.Context(), &basics.ListFeedRequest{Page: &page.Page{Limit: 1000}, PublishedBefore: before}))(t).Page.Videos
}

func (s *service) video(t *testing.T, id int64) *basics.Video {
	t.Helper()
	return servicetest.Must(s.BatchGetVideos(t.Context(), &basics.BatchGetVideosRequest{VideoIds: []int64{id}}))(t).Videos[id]
}

func (s *service) mustReserve(t *testing.T, keys ...string) {
	t.Helper()
	servicetest.Must(s.ReserveFiles(t.Context(), &basics.ReserveFilesRequest{Keys: keys, TTLMs: time.Hour.Milliseconds()}))(t)
}

func (s *service) removals(t *testing.T, all bool) []*basics.Removal {
	t.Helper()
	return servicetest.Must(s.ListRemovals(t.Context(), &basics.ListRemovalsRequest{Limit: 1000, IncludeReserved: all}))(t).Removals
}

func insert(table string, rows []map[string]any) func(tx *gorm.DB) error {
	return func(tx *gorm.DB) error { return tx.Table(table).CreateInBatches(rows, 500).Error }
}

// A published video is in the feed and in its author's list at once, is counted, and deletes the reservations of its files.
func TestCreateVideo(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		ann := s.mustUser(t, "Ann")
		s.mustReserve(t, "day.mp4", "day.jpg", "other.mp4")
		start := time.Now().UnixMilli()
		video := servicetest.Must(s.CreateVideo(t.Context(), &basics.CreateVideoRequest{
			AuthorID: ann.ID, Title: "  a day \U0001F600 ", PlayKey: "day.mp4", CoverKey: "day.jpg",
		}))(t).Video
		if video.CreatedAt < start || video.CreatedAt > time.Now().UnixMilli() || video.Title != "a day \U0001F600" {
			t.Errorf("got %v", video)
		}
		listed := servicetest.Must(s.ListUserVideos(t.Context(), &basics.ListUserVideosRequest{UserIds: []int64{ann.ID}, Page: &page.Page{Limit: 1}}))(t).Pages[ann.ID]
		if feed := s.feed(t, nil); len(feed) != 1 || *feed[0] != *video || len(listed.Videos) != 1 || *listed.Videos[0] != *video || *s.video(t, video.ID) != *video {
			t.Errorf("feed %v, list %v, want %v", feed, listed, video)
		}
		if got := s.user(t, ann.ID).VideoCount; got != 1 {
			t.Errorf("the user has %d videos", got)
		}
		if got := s.removals(t, true); !sameRemovals(got, "file other.mp4") {
			t.Errorf("got %v", got)
		}
	})
}

// A refused video leaves no rows.
func TestCreateVideoRefusals(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		ann := s.mustUser(t, "Ann")
		for _, c := range []struct {
			author             int64
			title, play, cover string
			want               codes.Code
		}{
			{999, "t", "p", "c", codes.NotFound},
			{0, "t", "p", "c", codes.InvalidArgument},
			{ann.ID, " ", "p", "c", codes.InvalidArgument},
			{ann.ID, strings.Repeat("字", 51), "p", "c", codes.InvalidArgument},
			{ann.ID, "a\tb", "p", "c", codes.InvalidArgument},
			{ann.ID, "t", "", "c", codes.InvalidArgument},
			{ann.ID, "t", "p", "", codes.InvalidArgument},
			{ann.ID, "t", strings.Repeat("p", 201), "c", codes.InvalidArgument},
		} {
			s.mustReserve(t, "p")
			servicetest.Refuses(s.CreateVideo(t.Context(), &basics.CreateVideoRequest{AuthorID: c.author, Title: c.title, PlayKey: c.play, CoverKey: c.cover}))(t, c.want)
		}
		if got := s.user(t, ann.ID).VideoCount; got != 0 || len(s.feed(t, nil)) != 0 || len(s.removals(t, true)) != 8 {
			t.Errorf("%d videos counted, feed %v, removals %v", got, s.feed(t, nil), s.removals(t, true))
		}
	})
}

// A hundred videos published concurrently have unique times. Pages by time and pages by cursor lose and repeat none.
func TestBurst(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		authors := []int64{s.mustUser(t, "Ann").ID, s.mustUser(t, "Bob").ID}
		const many = 100
		servicetest.AtOnce(10, func(i int) {
			for n := range many / 10 {
				s.mustVideo(t, authors[n%2], fmt.Sprint("v", i, "-", n))
			}
		})
		var all, byTime, byCursor []int64
		times := map[int64]bool{}
		for _, v := range s.feed(t, nil) {
			all = append(all, v.ID)
			times[v.CreatedAt] = true
		}
		if len(all) != many || len(times) != many {
			t.Fatalf("got %d videos with %d times", len(all), len(times))
		}
		request := &basics.ListFeedRequest{Page: &page.Page{Limit: 7}}
		for more := true; more; {
			got := servicetest.Must(s.ListFeed(t.Context(), request))(t).Page
			for _, v := range got.Videos {
				byTime = append(byTime, v.ID)
			}
			more = got.HasMore
			request = &basics.ListFeedRequest{Page: request.Page, PublishedBefore: &got.Videos[len(got.Videos)-1].CreatedAt}
		}
		after := (*page.Cursor)(nil)
		for more := true; more; {
			got := servicetest.Must(s.ListFeed(t.Context(), &basics.ListFeedRequest{Page: &page.Page{Limit: 10, After: after}}))(t).Page
			for _, v := range got.Videos {
				byCursor = append(byCursor, v.ID)
			}
			last := got.Videos[len(got.Videos)-1]
			more, after = got.HasMore, &page.Cursor{CreatedAt: last.CreatedAt, ID: last.ID}
		}
		if !slices.Equal(byTime, all) || !slices.Equal(byCursor, all) {
			t.Errorf("by time %v\nby cursor %v\nwant %v", byTime, byCursor, all)
		}
		feed := s.feed(t, nil)
		both := servicetest.Must(s.ListFeed(t.Context(), &basics.ListFeedRequest{
			Page: &page.Page{Limit: 1, After: &page.Cursor{CreatedAt: feed[9].CreatedAt, ID: feed[9].ID}}, PublishedBefore: &feed[50].CreatedAt,
		}))(t).Page
		if *both.Videos[0] != *feed[51] || !both.HasMore {
			t.Errorf("after a cursor and before a time comes %v, want %v", both, feed[51])
		}
		if got := s.user(t, authors[0]).VideoCount + s.user(t, authors[1]).VideoCount; got != many {
			t.Errorf("%d videos counted", got)
		}
	})
}

// One response has the lists of several users, each newest first with its own has_more. Those of unknown users are empty.
func TestListUserVideos(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		ann, bob := s.mustUser(t, "Ann").ID, s.mustUser(t, "Bob").ID
		var anns []*basics.Video
		for i := range 5 {
			anns = append([]*basics.Video{s.mustVideo(t, ann, fmt.Sprint("a", i))}, anns...)
		}
		bobs := s.mustVideo(t, bob, "b")
		list := func(p *page.Page, ids ...int64) (*basics.ListUserVideosResponse, error) {
			return s.ListUserVideos(t.Context(), &basics.ListUserVideosRequest{UserIds: ids, Page: p})
		}
		pages := servicetest.Must(list(&page.Page{Limit: 2}, bob, 999, ann, ann))(t).Pages
		if len(pages) != 3 || len(pages[ann].Videos) != 2 || !pages[ann].HasMore || *pages[ann].Videos[0] != *anns[0] || *pages[ann].Videos[1] != *anns[1] {
			t.Errorf("got %v", pages)
		}
		if *pages[bob].Videos[0] != *bobs || pages[bob].HasMore || pages[999].Videos == nil || len(pages[999].Videos) != 0 {
			t.Errorf("got %v", pages)
		}
		after := &page.Cursor{CreatedAt: anns[1].CreatedAt, ID: anns[1].ID}
		for _, ids := range [][]int64{{ann}, {ann, bob}} {
			got := servicetest.Must(list(&page.Page{Limit: 3, After: after}, ids...))(t).Pages[ann]
			if len(got.Videos) != 3 || got.HasMore || *got.Videos[0] != *anns[2] || *got.Videos[2] != *anns[4] {
				t.Errorf("after the second of %v: %v", ids, got)
			}
		}
		if pages := servicetest.Must(list(&page.Page{Limit: 1}))(t).Pages; pages == nil || len(pages) != 0 {
			t.Errorf("no ids give %v", pages)
		}
		many := make([]int64, 1000) // more than one statement takes
		for i := range many {
			many[i] = int64(i + 1)
		}
		if pages := servicetest.Must(list(&page.Page{Limit: 100}, many...))(t).Pages; len(pages) != 1000 || len(pages[ann].Videos) != 5 || len(pages[bob].Videos) != 1 {
			t.Errorf("a thousand ids give %d pages, %v", len(pages), pages[ann])
		}
		for _, p := range []*page.Page{nil, {Limit: 0}, {Limit: -1}, {Limit: 1001}} {
			servicetest.Refuses(list(p, ann))(t, codes.InvalidArgument)
			servicetest.Refuses(s.ListFeed(t.Context(), &basics.ListFeedRequest{Page: p}))(t, codes.InvalidArgument)
		}
		servicetest.Refuses(list(&page.Page{Limit: 1}, 0))(t, codes.InvalidArgument)
		servicetest.Refuses(list(&page.Page{Limit: 101}, many...))(t, codes.InvalidArgument)
	})
}

// Only the author may change a video. A replaced cover gets a removal, and the publishing time stays.
func TestUpdateVideo(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		ann, bob := s.mustUser(t, "Ann").ID, s.mustUser(t, "Bob").ID
		video := s.mustVideo(t, ann, "day")
		s.mustReserve(t, "new.jpg")
		update := func(id, asker int64, title, cover *string) (*basics.UpdateVideoResponse, error) {
			return s.UpdateVideo(t.Context(), &basics.UpdateVideoRequest{VideoID: id, AuthorID: asker, Title: title, CoverKey: cover})
		}
		want := *video
		want.Title, want.CoverKey = "night", "new.jpg"
		if got := servicetest.Must(update(video.ID, ann, ref(" night "), ref("new.jpg")))(t).Video; *got != want || *s.video(t, video.ID) != want {
			t.Errorf("got %v, want %v", got, want)
		}
		if got := s.removals(t, true); !sameRemovals(got, "file day.jpg") {
			t.Errorf("got %v", got)
		}
		servicetest.Must(update(video.ID, ann, nil, ref("new.jpg")))(t)
		servicetest.Refuses(update(video.ID, bob, ref("mine"), nil))(t, codes.PermissionDenied)
		servicetest.Refuses(update(999, ann, ref("t"), nil))(t, codes.NotFound)
		servicetest.Refuses(update(video.ID, ann, ref(""), nil))(t, codes.InvalidArgument)
		servicetest.Refuses(update(video.ID, ann, nil, ref("")))(t, codes.InvalidArgument)
		servicetest.Refuses(update(video.ID, 0, nil, nil))(t, codes.InvalidArgument)
		if got := s.video(t, video.ID); *got != want || len(s.removals(t, true)) != 1 {
			t.Errorf("refusals changed it to %v", got)
		}
	})
}

// Only the author may delete a video, once. Its files and its data in other services get removals.
func TestDeleteVideo(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		ann, bob := s.mustUser(t, "Ann").ID, s.mustUser(t, "Bob").ID
		video := s.mustVideo(t, ann, "day")
		remove := func(id, asker int64) (*basics.DeleteVideoResponse, error) {
			return s.DeleteVideo(t.Context(), &basics.DeleteVideoRequest{VideoID: id, AuthorID: asker})
		}
		servicetest.Refuses(remove(video.ID, bob))(t, codes.PermissionDenied)
		servicetest.Refuses(remove(999, ann))(t, codes.NotFound)
		servicetest.Refuses(remove(-1, ann))(t, codes.InvalidArgument)
		got := make([]codes.Code, 8)
		servicetest.AtOnce(len(got), func(i int) {
			_, err := remove(video.ID, ann)
			got[i] = codes.Of(err)
		})
		slices.Sort(got)
		if got[0] != codes.OK || got[1] != codes.NotFound || got[7] != codes.NotFound {
			t.Errorf("got %v", got)
		}
		if s.video(t, video.ID) != nil || s.user(t, ann).VideoCount != 0 {
			t.Errorf("left: %v of %v", s.video(t, video.ID), s.user(t, ann))
		}
		if got := s.removals(t, false); !sameRemovals(got, "file day.mp4", "file day.jpg", fmt.Sprint("video ", video.ID)) {
			t.Errorf("got %v", got)
		}
	})
}
