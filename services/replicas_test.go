package services_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/cloudwego/kitex/client"
	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/basics/basicsservice"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/interaction/interactionservice"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/idl/kitex_gen/social/socialservice"
	"minidouyin/services"
	"minidouyin/services/internal/servicetest"
	"minidouyin/services/testenv/mysqltest"
)

// openReplicated opens a service on two databases of the same schema. The second one is the replica.
func openReplicated(t *testing.T, name string) (option client.Option, primary, replica string) {
	t.Helper()
	primary, replica = mysqltest.Database(t), mysqltest.Database(t)
	mustOpen(t, name, replica)
	service, err := services.Open(t.Context(), name, services.Config{
		DSN: primary, Replicas: []string{replica}, Connections: 4, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := service.Close(); err != nil {
			t.Error(err)
		}
	})
	return servicetest.Local(t, service.Server), primary, replica
}

func exec(t *testing.T, dsn, sql string, values ...any) {
	t.Helper()
	err := servicetest.Database(t, dsn).Write(t.Context(), func(tx *gorm.DB) error { return tx.Exec(sql, values...).Error })
	if err != nil {
		t.Fatal(err)
	}
}

// Pages of the feed that are older than some seconds come from the replica, newer ones from the primary. If
// the replica fails, all pages come from the primary.
func TestReplicaOfFeed(t *testing.T) {
	option, primary, replica := openReplicated(t, services.Basics)
	c := basicsservice.MustNewClient(services.Basics, option)
	const insert = "INSERT INTO videos (id, author_id, title, play_key, cover_key, created_at) VALUES (1, 1, ?, 'p', 'c', 1000)"
	exec(t, primary, insert, "primary")
	exec(t, replica, insert, "replica")
	now, old := time.Now().UnixMilli(), time.Now().Add(-time.Minute).UnixMilli()
	feed := func(after *page.Cursor, before *int64) string {
		t.Helper()
		found := servicetest.Must(c.ListFeed(t.Context(), &basics.ListFeedRequest{Page: &page.Page{Limit: 5, After: after}, PublishedBefore: before}))(t)
		return found.Page.Videos[0].Title
	}
	check := func(history string) {
		t.Helper()
		for _, c := range []struct {
			name   string
			after  *page.Cursor
			before *int64
			want   string
		}{
			{"the newest", nil, nil, "primary"},
			{"before now", nil, &now, "primary"},
			{"after what is new", &page.Cursor{CreatedAt: now, ID: 5}, nil, "primary"},
			{"before long ago", nil, &old, history},
			{"after what is old", &page.Cursor{CreatedAt: old, ID: 5}, nil, history},
			{"after what is new, before long ago", &page.Cursor{CreatedAt: now, ID: 5}, &old, history},
		} {
			if got := feed(c.after, c.before); got != c.want {
				t.Errorf("%s: got it from the %s, want the %s", c.name, got, c.want)
			}
		}
	}
	check("replica")
	if got := servicetest.Must(c.BatchGetVideos(t.Context(), &basics.BatchGetVideosRequest{VideoIds: []int64{1}}))(t).Videos[1].Title; got != "primary" {
		t.Errorf("a video by its id comes from the %s", got)
	}
	pages := servicetest.Must(c.ListUserVideos(t.Context(), &basics.ListUserVideosRequest{UserIds: []int64{1, 2}, Page: &page.Page{Limit: 5, After: &page.Cursor{CreatedAt: old}}}))(t)
	if got := pages.Pages[1].Videos[0].Title; got != "replica" {
		t.Errorf("an author's old videos come from the %s", got)
	}
	exec(t, replica, "DROP TABLE videos")
	check("primary")
}

// Lists and messages after an old cursor come from the replica, their first pages from the primary.
func TestReplicaOfLists(t *testing.T) {
	old := &page.Cursor{CreatedAt: time.Now().Add(-time.Minute).UnixMilli(), ID: 9}
	t.Run("interaction", func(t *testing.T) {
		option, _, replica := openReplicated(t, services.Interaction)
		c := interactionservice.MustNewClient(services.Interaction, option)
		exec(t, replica, "INSERT INTO likes (id, user_id, video_id, author_id, created_at, liked, version, delta) VALUES (1, 1, 2, 3, 1000, 1, 1, 1)")
		exec(t, replica, "INSERT INTO comments (id, user_id, video_id, content, created_at) VALUES (1, 1, 2, 'x', 1000)")
		for after, want := range map[*page.Cursor]int{nil: 0, old: 1} {
			likes := servicetest.Must(c.ListLikedVideoIDs(t.Context(), &interaction.ListLikedVideoIDsRequest{UserIds: []int64{1}, Page: &page.Page{Limit: 5, After: after}}))(t)
			comments := servicetest.Must(c.ListComments(t.Context(), &interaction.ListCommentsRequest{VideoIds: []int64{2}, Page: &page.Page{Limit: 5, After: after}}))(t)
			if len(likes.Pages[1].Likes) != want || len(comments.Pages[2].Comments) != want {
				t.Errorf("after %v: got %v and %v", after, likes, comments)
			}
		}
	})
	t.Run("social", func(t *testing.T) {
		option, _, replica := openReplicated(t, services.Social)
		c := socialservice.MustNewClient(services.Social, option)
		exec(t, replica, "INSERT INTO follows (id, from_id, to_id, created_at) VALUES (1, 1, 2, 1000), (2, 2, 1, 1000)")
		exec(t, replica, "INSERT INTO messages (id, low_id, high_id, from_id, to_id, content, created_at) VALUES (1, 1, 2, 1, 2, 'x', 1000)")
		for after, want := range map[*page.Cursor]int{nil: 0, old: 1} {
			p := &page.Page{Limit: 5, After: after}
			following := servicetest.Must(c.ListFollowing(t.Context(), &social.ListFollowingRequest{UserIds: []int64{1}, Page: p}))(t)
			followers := servicetest.Must(c.ListFollowers(t.Context(), &social.ListFollowersRequest{UserIds: []int64{1}, Page: p}))(t)
			friends := servicetest.Must(c.ListFriends(t.Context(), &social.ListFriendsRequest{UserID: 1, Page: p}))(t)
			messages := servicetest.Must(c.ListMessages(t.Context(), &social.ListMessagesRequest{UserID: 1, PeerID: 2, Limit: 5, Before: after}))(t)
			if len(following.Pages[1].Edges) != want || len(followers.Pages[1].Edges) != want || len(friends.Page.Edges) != want || len(messages.Messages) != want {
				t.Errorf("after %v: got %v, %v, %v and %v", after, following, followers, friends, messages)
			}
		}
	})
}

// A service opens and works while its replica is unavailable.
func TestReplicaAway(t *testing.T) {
	dsn := mysqltest.Database(t)
	service, err := services.Open(t.Context(), services.Basics, services.Config{DSN: dsn, Replicas: []string{"mysql://nobody:secret@127.0.0.1:1/x"}})
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	c := basicsservice.MustNewClient(services.Basics, servicetest.Local(t, service.Server))
	servicetest.Must(c.ListFeed(t.Context(), &basics.ListFeedRequest{Page: &page.Page{Limit: 5, After: &page.Cursor{CreatedAt: 1}}}))(t)
}
