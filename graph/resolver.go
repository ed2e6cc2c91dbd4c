// Package graph is the GraphQL graph over the three services.
//
// The schema lives in *.graphqls, one file for each service, with the root resolvers beside it in *.resolvers.go.
// A root resolver makes the one call that finds its objects, and then lets a [walk] fill them with all that the
// operation selects of them; the fields themselves are plain members and methods of the types in
// [minidouyin/graph/model]. There is no storage here and no HTTP.
package graph

import (
	"context"
	"io"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"minidouyin/graph/exec"
	"minidouyin/graph/live"
	"minidouyin/idl/kitex_gen/basics/basicsservice"
	"minidouyin/idl/kitex_gen/interaction/interactionservice"
	"minidouyin/idl/kitex_gen/social/socialservice"
)

//go:generate go tool gqlgen generate
//go:generate go run ./schemafile

// Config is what the graph stands on.
type Config struct {
	Basics      basicsservice.Client
	Interaction interactionservice.Client
	Social      socialservice.Client
	Media       Media
	// IssueToken returns a token that speaks for the user, and when it stops to be valid.
	IssueToken func(userID int64) (token string, expiresAt time.Time, err error)
	// Live is told of every change that subscriptions wait for.
	Live *live.Hub
	// Deleted is called after a change that has left something to remove.
	Deleted func()
}

// Media keeps the files of videos and pictures.
type Media interface {
	// URL, AvatarURL and BackgroundURL return the absolute address of a stored file; the latter two that of a
	// default picture when key is "".
	URL(ctx context.Context, key string) string
	AvatarURL(ctx context.Context, key string) string
	BackgroundURL(ctx context.Context, key string) string
	// StageVideo checks a video and makes it and its cover, the one given or without it one of its own, ready to be
	// stored. It refuses what is not a video, and a cover that is not a picture.
	StageVideo(ctx context.Context, file io.ReadSeeker, title string, cover io.ReadSeeker) (StagedFiles, error)
	// StagePicture checks a picture and makes it ready to be stored. It refuses what is not a picture.
	StagePicture(ctx context.Context, file io.ReadSeeker) (StagedFiles, error)
	// Remove removes a stored file; one that is not there is no error.
	Remove(ctx context.Context, key string) error
}

// StagedFiles are files that are ready to be stored but not stored yet.
type StagedFiles interface {
	// Keys names the files: the video and its cover, or the picture.
	Keys() []string
	// Commit stores all of them or none.
	Commit(ctx context.Context) error
	// Discard frees what Commit did not store; it may follow Commit.
	Discard()
}

// Resolver answers the root fields.
type Resolver struct{ Config }

// NewSchema returns the executable schema.
func NewSchema(cfg Config) graphql.ExecutableSchema {
	return exec.NewExecutableSchema(exec.Config{
		Resolvers:  &Resolver{cfg},
		Directives: exec.DirectiveRoot{Auth: auth},
	})
}
