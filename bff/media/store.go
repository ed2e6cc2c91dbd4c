package media

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"regexp"
	"strings"
	"time"

	"minidouyin/idl/codes"
)

// How long the store may take in all. They end before the answer to a client is overdue.
const (
	openTimeout   = 15 * time.Second // to say at the start that it can be used
	commitTimeout = 90 * time.Second // to take the files of an upload, with all retries
	removeTimeout = 10 * time.Second // to give up a file

	takeBackTimeout = 2 * time.Second // to give up the files of an upload that has failed, while its client waits
)

// A store keeps finished files by their keys. It is asked for keys of the right form only. Its errors are errAway when
// trying again later may help.
type store interface {
	// put makes a temporary file the file of a key, and returns when that is durable. After a crash or an error the
	// file is whole or absent. What is at temp afterwards is the caller's to discard.
	put(ctx context.Context, temp, key string) error
	// open returns the content of a file, os.ErrNotExist when there is none. ranges is the Range header of the request
	// that it is for: a store may fetch no more than that.
	open(ctx context.Context, key, ranges string) (io.ReadSeekCloser, error)
	// remove deletes a file. That there is none is no error.
	remove(ctx context.Context, key string) error
	// ready returns nil when the store answers.
	ready(ctx context.Context) error
}

// errAway says that the store does not answer.
var errAway = errors.New("the store does not answer")

// openStore opens what a URL names.
func openStore(ctx context.Context, cfg Config) (store, error) {
	at, err := parseStore(cfg.Store)
	if err != nil {
		return nil, err
	}
	if at.bucket == "" {
		return openLocal(cfg, at.folder)
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	return openS3(ctx, cfg, at)
}

// A key names a file of the store: folder, shard and a random name that nobody can guess. Nothing in it comes from a
// user, and everything that is not exactly of this form names no file.
var keyForm = regexp.MustCompile(`^(videos|covers|pictures)/([a-z2-7]{2})/([a-z2-7]{26})\.([a-z0-9]{2,4})$`)

func newKey(folder, extension string) string {
	name := strings.ToLower(rand.Text())
	return folder + "/" + name[:2] + "/" + name + "." + extension
}

// isKey tells whether key is one of ours.
func isKey(key string) bool {
	parts := keyForm.FindStringSubmatch(key)
	return parts != nil && strings.HasPrefix(parts[3], parts[2])
}

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
		err := s.m.store.put(within, f.temp, f.key)
		if err == nil {
			continue
		}
		back, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeBackTimeout)
		defer cancel()
		for _, moved := range s.files[:i+1] { // the last one may have arrived nevertheless
			err = errors.Join(err, s.m.Remove(back, moved.key))
		}
		if ctx.Err() == nil && (errors.Is(err, errAway) || within.Err() != nil) {
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
	if !isKey(key) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, removeTimeout)
	defer cancel()
	return m.store.remove(ctx, key)
}

// Ready returns nil when the store of files answers.
func (m *Media) Ready(ctx context.Context) error { return m.store.ready(ctx) }
