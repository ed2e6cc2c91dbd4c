// Package demo fills an empty site with demo data: users with pictures, short videos, likes, comments, follows and
// messages. All of it was made for this purpose; generate.sh creates the videos and pictures.
//
// [Fill] uses the calls of the services and the media store, as other callers do.
package demo

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"time"

	"minidouyin/bff/media"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/basics/basicsservice"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/interaction/interactionservice"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/idl/kitex_gen/social/socialservice"
)

//go:embed files
var files embed.FS

// World is what Fill needs of the running product.
type World struct {
	Basics      basicsservice.Client
	Interaction interactionservice.Client
	Social      socialservice.Client
	Media       *media.Media
}

// Summary counts what Fill created, and holds a login.
type Summary struct {
	Users, Videos, Likes, Comments, Follows, Messages int

	Name, Password string
}

// Empty reports whether the site has no videos and no users with one of the first ids.
func Empty(ctx context.Context, w World) (bool, error) {
	feed, err := w.Basics.ListFeed(ctx, &basics.ListFeedRequest{Page: &page.Page{Limit: 1}})
	if err != nil {
		return false, fmt.Errorf("look for videos: %w", err)
	}
	first := make([]int64, 100)
	for i := range first {
		first[i] = int64(i + 1)
	}
	users, err := w.Basics.BatchGetUsers(ctx, &basics.BatchGetUsersRequest{UserIds: first})
	if err != nil {
		return false, fmt.Errorf("look for users: %w", err)
	}
	return len(feed.Page.Videos) == 0 && len(users.Users) == 0, nil
}

// Fill fills an empty site and returns what it created. It stops at the first error and leaves what it has created.
func Fill(ctx context.Context, w World) (Summary, error) {
	f := filling{World: w, Summary: Summary{Name: people[guest].name, Password: password}}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"users", f.fillUsers}, {"videos", f.fillVideos}, {"likes", f.fillLikes}, {"comments", f.fillComments},
		{"follows", f.fillFollows}, {"messages", f.fillMessages},
	} {
		if err := step.do(ctx); err != nil {
			return f.Summary, fmt.Errorf("make demo %s: %w", step.name, err)
		}
	}
	return f.Summary, nil
}

// filling is a world while it is being filled.
type filling struct {
	World
	Summary
	users  []int64 // ids of people
	videos []int64 // ids of clips
}

// reserved is how long a stored file may wait for its row. A file without a row is removed later.
const reserved = 10 * time.Minute

func (f *filling) fillUsers(ctx context.Context) error {
	for _, p := range people {
		created, err := f.Basics.CreateUser(ctx, &basics.CreateUserRequest{Name: p.name, Password: password})
		if err != nil {
			return err
		}
		picture, err := files.ReadFile("files/avatars/" + p.avatar + ".jpg")
		if err != nil {
			return err
		}
		staged, err := f.Media.StagePicture(ctx, bytes.NewReader(picture))
		if err != nil {
			return err
		}
		if err := f.store(ctx, staged); err != nil {
			return err
		}
		_, err = f.Basics.UpdateProfile(ctx, &basics.UpdateProfileRequest{
			UserID: created.User.ID, Signature: &p.signature, AvatarKey: &staged.Keys[0],
		})
		if err != nil {
			return err
		}
		f.users = append(f.users, created.User.ID)
		f.Users++
	}
	return nil
}

func (f *filling) fillVideos(ctx context.Context) error {
	for _, c := range clips {
		video, err := files.ReadFile("files/" + c.file + ".mp4")
		if err != nil {
			return err
		}
		cover, err := files.ReadFile("files/" + c.file + ".jpg")
		if err != nil {
			return err
		}
		staged, err := f.Media.StageVideo(ctx, bytes.NewReader(video), c.title, bytes.NewReader(cover))
		if err != nil {
			return err
		}
		if err := f.store(ctx, staged); err != nil {
			return err
		}
		created, err := f.Basics.CreateVideo(ctx, &basics.CreateVideoRequest{
			AuthorID: f.users[c.author], Title: c.title, PlayKey: staged.Keys[0], CoverKey: staged.Keys[1],
		})
		if err != nil {
			return err
		}
		f.videos = append(f.videos, created.Video.ID)
		f.Videos++
	}
	return nil
}

// store records the keys before it stores the files, so that a crash in between leaves no files behind.
func (f *filling) store(ctx context.Context, staged *media.Staged) error {
	defer staged.Discard()
	_, err := f.Basics.ReserveFiles(ctx, &basics.ReserveFilesRequest{Keys: staged.Keys, TTLMs: reserved.Milliseconds()})
	if err != nil {
		return err
	}
	return staged.Commit(ctx)
}

func (f *filling) fillLikes(ctx context.Context) error {
	for i, c := range clips {
		for _, who := range c.likedBy {
			_, err := f.Interaction.LikeVideo(ctx, &interaction.LikeVideoRequest{
				UserID: f.users[who], VideoID: f.videos[i], AuthorID: f.users[c.author],
			})
			if err != nil {
				return err
			}
			f.Likes++
		}
	}
	return nil
}

func (f *filling) fillComments(ctx context.Context) error {
	for i, c := range clips {
		for _, l := range c.comments {
			_, err := f.Interaction.CreateComment(ctx, &interaction.CreateCommentRequest{
				UserID: f.users[l.from], VideoID: f.videos[i], Content: l.text,
			})
			if err != nil {
				return err
			}
			f.Comments++
		}
	}
	return nil
}

func (f *filling) fillFollows(ctx context.Context) error {
	for i, p := range people {
		for _, whom := range p.follows {
			_, err := f.Social.Follow(ctx, &social.FollowRequest{FromUserID: f.users[i], ToUserID: f.users[whom]})
			if err != nil {
				return err
			}
			f.Follows++
		}
	}
	return nil
}

func (f *filling) fillMessages(ctx context.Context) error {
	for _, chat := range chats {
		for _, l := range chat.lines {
			to := chat.a
			if l.from == to {
				to = chat.b
			}
			_, err := f.Social.SendMessage(ctx, &social.SendMessageRequest{
				FromUserID: f.users[l.from], ToUserID: f.users[to], Content: l.text,
			})
			if err != nil {
				return err
			}
			f.Messages++
		}
	}
	return nil
}
