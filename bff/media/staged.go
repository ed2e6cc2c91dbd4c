package media

import (
	"context"
	"errors"
	"time"

	"minidouyin/bff/media/blob"
	"minidouyin/idl/codes"
)

// How long the store may take in all. They end before the answer to a client is overdue.
const (
	commitTimeout   = 90 * time.Second // to take the files of an upload, with all retries
	removeTimeout   = 10 * time.Second // to give up a file
	takeBackTimeout = 2 * time.Second  // to give up the files of an upload that has failed, while its client waits
)

// Staged holds files that were judged and prepared but are not in the store yet.
type Staged struct {
	Keys []string // keys of the files once committed: the video or picture, then the video's cover

	m     *Media
	files []stagedFile
}

type stagedFile struct {
	temp string
	key  string
}

func (s *Staged) add(temp, key string) {
	s.Keys = append(s.Keys, key)
	s.files = append(s.files, stagedFile{temp, key})
}

// Commit moves the files into the store and returns when they are durable there. It moves all or none: what cannot be
// taken back at once, because the store is away, is a removal that somebody has written down before.
func (s *Staged) Commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	for i, f := range s.files {
		err := s.m.store.Put(within, f.temp, f.key)
		if err == nil {
			continue
		}
		back, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeBackTimeout)
		defer cancel()
		for _, moved := range s.files[:i+1] { // the last one may have arrived nevertheless
			err = errors.Join(err, s.m.Remove(back, moved.key))
		}
		if ctx.Err() == nil && (errors.Is(err, blob.ErrUnavailable) || within.Err() != nil) {
			s.m.cfg.Log.ErrorContext(ctx, "store files", "error", err)
			return codes.Errorf(codes.UpstreamUnavailable, "files cannot be stored at the moment, please try again")
		}
		return err
	}
	s.Discard()
	return nil
}

// Discard removes the files that were not committed.
func (s *Staged) Discard() {
	for _, f := range s.files {
		s.m.discard(f.temp)
	}
	s.files = nil
}

// Remove deletes a file of the store. That there is none is no error.
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

// Ready returns nil when the store of files answers.
func (m *Media) Ready(ctx context.Context) error { return m.store.Ready(ctx) }
