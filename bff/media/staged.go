package media

import (
	"context"
	"errors"
	"time"

	"minidouyin/bff/media/blob"
	"minidouyin/idl/codes"
)

// Time limits for the store, retries included. They are shorter than those of requests.
const (
	commitTimeout = 90 * time.Second // for all files of an upload
	removeTimeout = 10 * time.Second
	undoTimeout   = 2 * time.Second // for removing the files of a failed upload, while the client waits
)

// Staged holds the prepared files of an upload, which are not in the store yet.
type Staged struct {
	Keys []string // of the files: the video and its cover, or the picture

	m     *Media
	files []stagedFile
}

type stagedFile struct {
	temp string
	key  string
}

// add adds a temporary file, which will be stored under a key.
func (s *Staged) add(temp, key string) {
	s.Keys = append(s.Keys, key)
	s.files = append(s.files, stagedFile{temp, key})
}

// Commit moves the files into the store and returns when they are durable. If it fails it removes those that it moved.
// While the store is unavailable it cannot: the caller must have recorded the removal of the keys before.
func (s *Staged) Commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	putCtx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	for i, f := range s.files {
		err := s.m.store.Put(putCtx, f.temp, f.key)
		if err == nil {
			continue
		}
		undoCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
		defer cancel()
		for _, moved := range s.files[:i+1] { // the last one may be stored despite the error
			err = errors.Join(err, s.m.Remove(undoCtx, moved.key))
		}
		if ctx.Err() == nil && (errors.Is(err, blob.ErrUnavailable) || putCtx.Err() != nil) {
			s.m.cfg.Log.ErrorContext(ctx, "cannot store files, upload refused", "error", err)
			return codes.Errorf(codes.UpstreamUnavailable, "files cannot be stored at the moment, please try again")
		}
		return err
	}
	s.Discard()
	return nil
}

// Discard removes the temporary files. It does nothing after Commit.
func (s *Staged) Discard() {
	for _, f := range s.files {
		s.m.discard(f.temp)
	}
	s.files = nil
}

// Remove deletes a file of the store. It returns nil if there is none.
func (m *Media) Remove(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !blob.IsKey(key) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, removeTimeout)
	defer cancel()
	return m.store.Remove(ctx, key)
}

// Ready returns nil if the store is available.
func (m *Media) Ready(ctx context.Context) error { return m.store.Ready(ctx) }
