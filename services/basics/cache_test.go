package basics_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/basics/basicsservice"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services"
	"minidouyin/services/internal/servicetest"
)

// After each kind of write, two processes that share a cache, and a process with its own cache, return what the database
// has.
func TestCachesAreTrue(t *testing.T) {
	servicetest.EachBackend(t, func(t *testing.T, b servicetest.Backend) {
		open := func(b servicetest.Backend) basicsservice.Client {
			option, _ := servicetest.Open(t, services.Basics, b)
			return basicsservice.MustNewClient(services.Basics, option)
		}
		if !b.Caches() {
			return
		}
		two, truth := []basicsservice.Client{open(b), nil}, open(servicetest.Backend{DSN: b.DSN})
		if two[1] = two[0]; !b.Alone {
			two[1] = open(b)
		}
		ctx := t.Context()
		random := rand.New(rand.NewPCG(1, 2))
		users, videos, times := []int64{1, 2, 3}, []int64{1}, []int64{time.Now().UnixMilli()}
		answers := func(s basicsservice.Client) []string {
			var got []string
			say := func(answer any, err error) {
				text, _ := json.Marshal(answer) // of maps in the order of their keys
				got = append(got, fmt.Sprint(string(text), codes.Of(err)))
			}
			say(s.BatchGetUsers(ctx, &basics.BatchGetUsersRequest{UserIds: users}))
			say(s.BatchGetVideos(ctx, &basics.BatchGetVideosRequest{VideoIds: videos}))
			for _, limit := range []int32{3, 100, 150} {
				at := times[random.IntN(len(times))]
				ahead := time.Now().UnixMilli() + 1000
				say(s.ListFeed(ctx, &basics.ListFeedRequest{Page: &page.Page{Limit: limit}}))
				say(s.ListFeed(ctx, &basics.ListFeedRequest{Page: &page.Page{Limit: limit}, PublishedBefore: &ahead}))
				say(s.ListFeed(ctx, &basics.ListFeedRequest{Page: &page.Page{Limit: limit}, PublishedBefore: &at}))
				say(s.ListFeed(ctx, &basics.ListFeedRequest{Page: &page.Page{Limit: limit, After: &page.Cursor{CreatedAt: at, ID: 3}}}))
				say(s.ListUserVideos(ctx, &basics.ListUserVideosRequest{UserIds: users, Page: &page.Page{Limit: limit}}))
				say(s.ListUserVideos(ctx, &basics.ListUserVideosRequest{UserIds: users, Page: &page.Page{Limit: limit, After: &page.Cursor{CreatedAt: at, ID: 3}}}))
			}
			for _, name := range []string{"a", "b"} {
				say(s.VerifyPassword(ctx, &basics.VerifyPasswordRequest{Name: name, Password: "secret"}))
			}
			return got
		}
		for _, name := range []string{"a", "b"} {
			servicetest.Must(two[0].CreateUser(ctx, &basics.CreateUserRequest{Name: name, Password: "secret"}))(t)
		}
		for i := range 110 { // more than the caches keep of a list
			servicetest.Must(two[0].CreateVideo(ctx, &basics.CreateVideoRequest{AuthorID: 1, Title: fmt.Sprint(i), PlayKey: "p", CoverKey: "c"}))(t)
		}
		for step := range 40 {
			s := two[random.IntN(2)]
			user, video := users[random.IntN(len(users))], videos[random.IntN(len(videos))]
			var err error
			switch name := string(rune('a' + random.IntN(4))); random.IntN(16) {
			case 0, 1:
				var made *basics.CreateUserResponse
				if made, err = s.CreateUser(ctx, &basics.CreateUserRequest{Name: name, Password: "secret"}); err == nil {
					users = append(users, made.User.ID, made.User.ID+1)
				}
			case 2:
				_, err = s.UpdateProfile(ctx, &basics.UpdateProfileRequest{UserID: user, Name: &name, Signature: &name})
			case 3:
				title := fmt.Sprint("changed in ", step)
				_, err = s.UpdateVideo(ctx, &basics.UpdateVideoRequest{VideoID: video, AuthorID: user, Title: &title})
			case 4:
				_, err = s.DeleteVideo(ctx, &basics.DeleteVideoRequest{VideoID: video, AuthorID: user})
			case 5:
				if step%3 == 0 {
					_, err = s.DeleteUser(ctx, &basics.DeleteUserRequest{UserID: user})
				}
			default:
				var made *basics.CreateVideoResponse
				made, err = s.CreateVideo(ctx, &basics.CreateVideoRequest{AuthorID: user, Title: fmt.Sprint(step), PlayKey: fmt.Sprint("p", step), CoverKey: fmt.Sprint("c", step)})
				if err == nil {
					videos, times = append(videos, made.Video.ID, made.Video.ID+1), append(times, made.Video.CreatedAt)
				}
			}
			if codes.Of(err) == codes.Internal {
				t.Fatal(err)
			}
			seed := random.Uint64()
			var want []string
			for i, s := range append([]basicsservice.Client{truth}, two...) {
				random = rand.New(rand.NewPCG(seed, 1)) // the same questions
				got := answers(s)
				if i == 0 {
					want = got
				} else if !slices.Equal(got, want) {
					for n := range got {
						if got[n] != want[n] {
							t.Fatalf("step %d, answer %d of process %d:\n%s\nwant\n%s", step, n, i, got[n], want[n])
						}
					}
				}
			}
		}
	})
}
