package bff

import (
	"context"
	"io"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"minidouyin/bff/media"
	"minidouyin/bff/middleware"
	"minidouyin/graph"
)

// mediaStore is the media store as the graph uses it.
type mediaStore struct {
	*media.Media
	base string // of the URLs of files; "" = they go through this server
}

var _ graph.Media = mediaStore{}

// newMediaStore returns the media store with the URLs that cfg asks for. With presigned, they are URLs of this server that
// redirect the player: a presigned URL expires, and a client or a cache may keep a response longer.
func newMediaStore(cfg Config, files *media.Media) mediaStore {
	if cfg.MediaURLs != "public" {
		return mediaStore{files, ""}
	}
	return mediaStore{files, strings.TrimSuffix(cfg.MediaBase, "/")}
}

// URL returns the absolute URL of a stored file.
func (m mediaStore) URL(ctx context.Context, key string) string {
	if m.base != "" && !media.IsDefault(key) {
		return m.base + "/" + key
	}
	return middleware.BaseURLOf(ctx) + "/media/" + key
}

// AvatarURL returns the URL of an avatar, of the default one for the key "".
func (m mediaStore) AvatarURL(ctx context.Context, key string) string {
	if key == "" {
		key = media.DefaultAvatar
	}
	return m.URL(ctx, key)
}

// BackgroundURL returns the URL of the background of a profile, of the default one for the key "".
func (m mediaStore) BackgroundURL(ctx context.Context, key string) string {
	if key == "" {
		key = media.DefaultBackground
	}
	return m.URL(ctx, key)
}

// StageVideo checks a video and prepares it and its cover to be stored.
func (m mediaStore) StageVideo(ctx context.Context, file io.ReadSeeker, title string, cover io.ReadSeeker) (graph.StagedFiles, error) {
	staged, err := m.Media.StageVideo(ctx, file, title, cover)
	if err != nil {
		return nil, err
	}
	return stagedFiles{staged}, nil
}

// StagePicture checks a picture and prepares it to be stored.
func (m mediaStore) StagePicture(ctx context.Context, file io.ReadSeeker) (graph.StagedFiles, error) {
	staged, err := m.Media.StagePicture(ctx, file)
	if err != nil {
		return nil, err
	}
	return stagedFiles{staged}, nil
}

type stagedFiles struct{ *media.Staged }

// Keys returns the keys of the files.
func (s stagedFiles) Keys() []string { return s.Staged.Keys }

// spooler streams uploads to disk.
type spooler struct {
	media *media.Media
	limit int64 // bytes of one file
}

// spool stores a file while it arrives. release removes it after the request.
func (s spooler) spool(r io.Reader, filename, contentType string) (upload graphql.Upload, release func(), err error) {
	file, err := s.media.Spool(r, s.limit)
	if err != nil {
		return upload, nil, err
	}
	info, err := file.Stat()
	if err != nil {
		s.media.Release(file)
		return upload, nil, err
	}
	return graphql.Upload{File: file, Filename: filename, Size: info.Size(), ContentType: contentType},
		func() { s.media.Release(file) }, nil
}
