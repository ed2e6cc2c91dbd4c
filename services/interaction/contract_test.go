package interaction_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/interaction/interactionservice"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services"
	"minidouyin/services/internal/servicetest"
	"minidouyin/services/testenv/mysqltest"
	"minidouyin/services/testenv/redistest"
)

// suite runs a test on every database, with and without caches, in both modes of likes.
func suite(t *testing.T, test func(t *testing.T, s *service)) {
	for name, backend := range map[string]func(t *testing.T) servicetest.Backend{
		"stored on SQLite": func(t *testing.T) servicetest.Backend { return servicetest.Backend{DSN: servicetest.SQLite(t)} },
		"stored on MariaDB": func(t *testing.T) servicetest.Backend {
			return servicetest.Backend{DSN: mysqltest.Database(t), Redis: servicetest.Redis(t, redistest.Start(t).URL)}
		},
		"logged on Redis": func(t *testing.T) servicetest.Backend {
			redis := servicetest.Redis(t, redistest.Start(t).URL)
			return servicetest.Backend{DSN: mysqltest.Database(t), Redis: redis, LikeAck: services.AckLogged}
		},
		"logged on Redis Cluster": func(t *testing.T) servicetest.Backend {
			redis := servicetest.Redis(t, redistest.SharedCluster(t))
			servicetest.Wipe(t, redis)
			return servicetest.Backend{DSN: mysqltest.Database(t), Redis: redis, LikeAck: services.AckLogged}
		},
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t, backend(t))) })
	}
}

func open(t testing.TB, b servicetest.Backend) *service {
	option, statements := servicetest.Open(t, services.Interaction, b)
	return &service{interactionservice.MustNewClient(services.Interaction, option), statements, b}
}

type service struct {
	interactionservice.Client
	statements *servicetest.Statements
	backend    servicetest.Backend
}

// settle waits until the database has all acknowledged likes.
func (s *service) settle(t testing.TB) {
	t.Helper()
	if s.backend.Redis == nil {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		left := int64(0)
		for p := range 64 {
			n, err := s.backend.Redis.XLen(ctx, fmt.Sprintf("likes:{%d}", p)).Result()
			if err != nil {
				t.Fatal(err)
			}
			left += n
		}
		if left == 0 {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%d likes do not reach the database", left)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (s *service) mustLike(t *testing.T, user, video, author int64) {
	t.Helper()
	servicetest.Must(s.LikeVideo(t.Context(), &interaction.LikeVideoRequest{UserID: user, VideoID: video, AuthorID: author}))(t)
}

func (s *service) mustUnlike(t *testing.T, user, video int64) {
	t.Helper()
	servicetest.Must(s.UnlikeVideo(t.Context(), &interaction.UnlikeVideoRequest{UserID: user, VideoID: video}))(t)
}

func (s *service) mustComment(t *testing.T, user, video int64, content string) *interaction.Comment {
	t.Helper()
	return servicetest.Must(s.CreateComment(t.Context(), &interaction.CreateCommentRequest{UserID: user, VideoID: video, Content: content}))(t).Comment
}

// video returns a video's stats for a viewer as text: "2 likes 1 comments true".
func (s *service) video(t *testing.T, id, viewer int64) string {
	t.Helper()
	s.settle(t)
	got := servicetest.Must(s.BatchGetVideoStats(t.Context(), &interaction.BatchGetVideoStatsRequest{VideoIds: []int64{id}, ViewerID: viewer}))(t).Stats[id]
	return fmt.Sprintf("%d likes %d comments %t", got.LikeCount, got.CommentCount, got.LikedByViewer)
}

// user returns a user's stats as text: "2 received 1 given".
func (s *service) user(t *testing.T, id int64) string {
	t.Helper()
	s.settle(t)
	got := servicetest.Must(s.BatchGetUserLikeStats(t.Context(), &interaction.BatchGetUserLikeStatsRequest{UserIds: []int64{id}}))(t).Stats[id]
	return fmt.Sprintf("%d received %d given", got.ReceivedCount, got.GivenCount)
}

func is(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// checkCounts fails the test unless every count equals the rows it counts, and none is negative.
func (s *service) checkCounts(t testing.TB) {
	t.Helper()
	s.settle(t)
	db := servicetest.Database(t, s.backend.DSN)
	for name, query := range map[string]string{
		"video": `SELECT COUNT(*) FROM video_stats AS s WHERE like_count <> (SELECT COUNT(*) FROM likes AS l WHERE l.video_id = s.video_id AND l.liked = 1)
			OR comment_count <> (SELECT COUNT(*) FROM comments AS c WHERE c.video_id = s.video_id)`,
		"user": `SELECT COUNT(*) FROM user_like_stats AS s WHERE given_count <> (SELECT COUNT(*) FROM likes AS l WHERE l.user_id = s.user_id AND l.liked = 1)
			OR received_count <> (SELECT COUNT(*) FROM likes AS l WHERE l.author_id = s.user_id AND l.liked = 1)`,
		"missing video": `SELECT COUNT(*) FROM likes WHERE liked = 1 AND video_id NOT IN (SELECT video_id FROM video_stats)`,
		"missing user":  `SELECT COUNT(*) FROM likes WHERE liked = 1 AND user_id NOT IN (SELECT user_id FROM user_like_stats)`,
	} {
		wrong := -1
		if err := db.Read(t.Context()).Raw(query).Scan(&wrong).Error; err != nil || wrong != 0 {
			t.Errorf("%d %s counts are wrong (%v)", wrong, name, err)
		}
	}
}

// Likes and unlikes are idempotent.
func TestLikes(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		is(t, s.video(t, 10, 1), "0 likes 0 comments false")
		for range 3 {
			s.mustLike(t, 1, 10, 5)
		}
		s.mustLike(t, 2, 10, 5)
		s.mustLike(t, 5, 10, 5) // one's own video
		s.mustLike(t, 1, 11, 6)
		is(t, s.video(t, 10, 1), "3 likes 0 comments true")
		is(t, s.video(t, 10, 6), "3 likes 0 comments false")
		is(t, s.video(t, 10, 0), "3 likes 0 comments false")
		is(t, s.user(t, 5), "3 received 1 given")
		is(t, s.user(t, 1), "0 received 2 given")
		for range 3 {
			s.mustUnlike(t, 1, 10)
		}
		s.mustUnlike(t, 9, 10)
		s.mustUnlike(t, 5, 10)
		is(t, s.video(t, 10, 1), "1 likes 0 comments false")
		is(t, s.user(t, 5), "1 received 0 given")
		is(t, s.user(t, 1), "0 received 1 given")
		s.mustLike(t, 1, 10, 5) // again
		is(t, s.video(t, 10, 1), "2 likes 0 comments true")
		s.checkCounts(t)
		for _, c := range [][3]int64{{0, 1, 1}, {1, 0, 1}, {1, 1, 0}, {-1, 1, 1}} {
			servicetest.Refuses(s.LikeVideo(t.Context(), &interaction.LikeVideoRequest{UserID: c[0], VideoID: c[1], AuthorID: c[2]}))(t, codes.InvalidArgument)
		}
		servicetest.Refuses(s.UnlikeVideo(t.Context(), &interaction.UnlikeVideoRequest{UserID: 1}))(t, codes.InvalidArgument)
	})
}

// Concurrent likes and unlikes of the same videos leave counts that equal the rows.
func TestLikesAtOnce(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		servicetest.AtOnce(16, func(int) { s.mustLike(t, 1, 10, 5) })
		is(t, s.video(t, 10, 1), "1 likes 0 comments true")
		is(t, s.user(t, 5), "1 received 0 given")
		servicetest.AtOnce(16, func(int) { s.mustUnlike(t, 1, 10) })
		is(t, s.video(t, 10, 1), "0 likes 0 comments false")
		servicetest.AtOnce(16, func(i int) {
			for n := range 10 {
				user, video := int64((i+n)%3+1), int64((i+2*n)%3+1)
				if (i+n)%2 == 0 {
					s.mustLike(t, user, video, video) // users and authors are the same three
				} else {
					s.mustUnlike(t, user, video)
				}
			}
		})
		s.checkCounts(t)
		servicetest.AtOnce(16, func(i int) { s.mustLike(t, int64(i+100), 50, 5) })
		is(t, s.video(t, 50, 100), "16 likes 0 comments true")
		s.checkCounts(t)
	})
}

// One response has the likes of several users, latest first. Pages lose and repeat none, even of the same time.
func TestListLikedVideoIDs(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		for video := int64(1); video <= 25; video++ {
			s.mustLike(t, 1, video, 5)
		}
		s.mustLike(t, 2, 7, 5)
		s.settle(t)
		s.sameTime(t, "likes")
		list := func(p *page.Page, users ...int64) (*interaction.ListLikedVideoIDsResponse, error) {
			return s.ListLikedVideoIDs(t.Context(), &interaction.ListLikedVideoIDsRequest{UserIds: users, Page: p})
		}
		for _, users := range [][]int64{{1}, {1, 2, 3}} {
			var videos []int64
			p := &page.Page{Limit: 4}
			for more := true; more; {
				pages := servicetest.Must(list(p, users...))(t).Pages
				if len(pages) != len(users) {
					t.Fatalf("%v have %d pages", users, len(pages))
				}
				for _, l := range pages[1].Likes {
					videos = append(videos, l.VideoID)
				}
				last := pages[1].Likes[len(pages[1].Likes)-1]
				more, p = pages[1].HasMore, &page.Page{Limit: 4, After: &page.Cursor{CreatedAt: last.CreatedAt, ID: last.ID}}
			}
			if len(videos) != 25 || videos[0] != 25 || videos[24] != 1 || !slices.IsSortedFunc(videos, func(a, b int64) int { return int(b - a) }) {
				t.Errorf("pages of %v: %v", users, videos)
			}
		}
		pages := servicetest.Must(list(&page.Page{Limit: 25}, 1, 2, 3))(t).Pages
		if len(pages[1].Likes) != 25 || pages[1].HasMore || len(pages[2].Likes) != 1 || pages[3].Likes == nil || len(pages[3].Likes) != 0 {
			t.Errorf("got %v", pages)
		}
		if pages := servicetest.Must(list(&page.Page{Limit: 1}))(t).Pages; pages == nil || len(pages) != 0 {
			t.Errorf("no ids give %v", pages)
		}
		servicetest.Refuses(list(nil, 1))(t, codes.InvalidArgument)
		servicetest.Refuses(list(&page.Page{Limit: 1}, 0))(t, codes.InvalidArgument)
	})
}

// sameTime gives all rows of the table one time.
func (s *service) sameTime(t *testing.T, table string) {
	t.Helper()
	err := servicetest.Database(t, s.backend.DSN).Write(t.Context(), func(tx *gorm.DB) error {
		return tx.Exec("UPDATE " + table + " SET created_at = 1700000000000").Error
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Stats have an entry for every requested id.
func TestStats(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		s.mustLike(t, 1, 10, 5)
		s.settle(t)
		videos := func(viewer int64, ids ...int64) (*interaction.BatchGetVideoStatsResponse, error) {
			return s.BatchGetVideoStats(t.Context(), &interaction.BatchGetVideoStatsRequest{VideoIds: ids, ViewerID: viewer})
		}
		users := func(ids ...int64) (*interaction.BatchGetUserLikeStatsResponse, error) {
			return s.BatchGetUserLikeStats(t.Context(), &interaction.BatchGetUserLikeStatsRequest{UserIds: ids})
		}
		if got := servicetest.Must(videos(1, 10, 999, 10))(t).Stats; len(got) != 2 || !got[10].LikedByViewer || got[999].LikedByViewer || got[999].LikeCount != 0 {
			t.Errorf("got %v", got)
		}
		if got := servicetest.Must(users(1, 5, 999, 1))(t).Stats; len(got) != 3 || got[1].GivenCount != 1 || got[5].ReceivedCount != 1 || got[999].GivenCount != 0 {
			t.Errorf("got %v", got)
		}
		if v, u := servicetest.Must(videos(1))(t).Stats, servicetest.Must(users())(t).Stats; v == nil || u == nil || len(v)+len(u) != 0 {
			t.Errorf("no ids give %v and %v", v, u)
		}
		servicetest.Refuses(videos(-1, 10))(t, codes.InvalidArgument)
		servicetest.Refuses(videos(1, 0))(t, codes.InvalidArgument)
		servicetest.Refuses(videos(1, make([]int64, 1001)...))(t, codes.InvalidArgument)
		servicetest.Refuses(users(-1))(t, codes.InvalidArgument)
		servicetest.Refuses(s.BatchGetComments(t.Context(), &interaction.BatchGetCommentsRequest{CommentIds: []int64{0}}))(t, codes.InvalidArgument)
	})
}

// A read sends one statement, or two with a viewer and caches, which cache the counts and the viewer's likes separately. The
// number of ids does not matter.
func TestStatements(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		thirty := make([]int64, 30)
		for i := range thirty {
			thirty[i] = int64(i + 1)
			s.mustLike(t, 1, thirty[i], 1)
			s.mustComment(t, thirty[i], thirty[i], "x")
		}
		whole := &page.Page{Limit: 30}
		for name, c := range map[string]struct {
			want, cached int
			read         func(ids []int64) error
		}{
			"BatchGetVideoStats": {1, 1, func(ids []int64) error {
				_, err := s.BatchGetVideoStats(t.Context(), &interaction.BatchGetVideoStatsRequest{VideoIds: ids})
				return err
			}},
			"BatchGetVideoStats of a viewer": {1, 2, func(ids []int64) error {
				_, err := s.BatchGetVideoStats(t.Context(), &interaction.BatchGetVideoStatsRequest{VideoIds: ids, ViewerID: 1})
				return err
			}},
			"BatchGetUserLikeStats": {1, 1, func(ids []int64) error {
				_, err := s.BatchGetUserLikeStats(t.Context(), &interaction.BatchGetUserLikeStatsRequest{UserIds: ids})
				return err
			}},
			"BatchGetComments": {1, 1, func(ids []int64) error {
				_, err := s.BatchGetComments(t.Context(), &interaction.BatchGetCommentsRequest{CommentIds: ids})
				return err
			}},
			"ListLikedVideoIDs": {1, 1, func(ids []int64) error {
				_, err := s.ListLikedVideoIDs(t.Context(), &interaction.ListLikedVideoIDsRequest{UserIds: ids, Page: whole})
				return err
			}},
			"ListComments": {1, 1, func(ids []int64) error {
				_, err := s.ListComments(t.Context(), &interaction.ListCommentsRequest{VideoIds: ids, Page: whole})
				return err
			}},
		} {
			for _, ids := range [][]int64{nil, thirty[:1], thirty} {
				s.settle(t)
				s.statements.Take()
				if err := c.read(ids); err != nil {
					t.Fatal(err)
				}
				least, most := c.want, c.want
				if s.backend.Redis != nil {
					least, most = 0, c.cached
				}
				if len(ids) == 0 {
					least, most = 0, 0
				}
				if got := s.statements.Take(); len(got) < least || len(got) > most {
					t.Errorf("%s of %d ids sends %d statements, want %d to %d: %q", name, len(ids), len(got), least, most, got)
				}
			}
		}
	})
}
