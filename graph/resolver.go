// Package graph is the GraphQL graph over the three services.
//
// The schema is in *.graphqls, one file for each service. Beside it are the root resolvers (*.resolvers.go), the
// subscriptions (*.subscriptions.go) and the table of fields (*.fields.go). A root resolver finds its objects with one
// call. Then a [walk] loads what the operation selects of them; the table says what each field needs. The fields are
// members and methods of the types in [minidouyin/graph/model]. The package has no storage and no HTTP.
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

// Config holds the dependencies of the graph.
type Config struct {
	Basics      basicsservice.Client
	Interaction interactionservice.Client
	Social      socialservice.Client
	Media       Media
	// IssueToken returns a token of the user and its expiry.
	IssueToken func(userID int64) (token string, expiresAt time.Time, err error)
	// Live receives the events of the changes that subscriptions wait for.
	Live *live.Hub
	// Deleted is called after a change that leaves files or rows to remove.
	Deleted func()
}

// Media stores the files of videos and pictures.
type Media interface {
	// URL, AvatarURL and BackgroundURL return the absolute URL of a stored file. For the key "", the latter two return
	// the URL of a default picture.
	URL(ctx context.Context, key string) string
	AvatarURL(ctx context.Context, key string) string
	BackgroundURL(ctx context.Context, key string) string
	// StageVideo checks a video and prepares it and its cover for storing. Without a cover it makes one. A file that is
	// not a video, or a cover that is not a picture, is an error.
	StageVideo(ctx context.Context, file io.ReadSeeker, title string, cover io.ReadSeeker) (StagedFiles, error)
	// StagePicture checks a picture and prepares it for storing. A file that is not a picture is an error.
	StagePicture(ctx context.Context, file io.ReadSeeker) (StagedFiles, error)
	// Remove removes a stored file. A missing file is no error.
	Remove(ctx context.Context, key string) error
}

// StagedFiles are files that are prepared for storing but not stored yet.
type StagedFiles interface {
	// Keys returns the keys of the files: of the video and its cover, or of the picture.
	Keys() []string
	// Commit stores all of them or none.
	Commit(ctx context.Context) error
	// Discard removes what Commit did not store. It may be called after Commit.
	Discard()
}

// Resolver resolves the root fields.
type Resolver struct {
	Config
	fields *fields
}

// NewSchema returns the executable schema. It panics if the table of fields does not match the schema: then a field
// might be answered without being loaded, so the program must not start.
func NewSchema(cfg Config) graphql.ExecutableSchema {
	fields := newFields()
	schema := exec.NewExecutableSchema(exec.Config{
		Resolvers:  &Resolver{cfg, fields},
		Directives: exec.DirectiveRoot{Auth: auth},
	})
	if err := fields.check(schema.Schema()); err != nil {
		panic(err)
	}
	return schema
}
