package media

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// A key names a file of the store: folder, shard and a random name that nobody can guess. Nothing in it comes from a
// user, and everything that is not exactly of this form names no file.
var keyForm = regexp.MustCompile(`^(videos|covers|pictures)/([a-z2-7]{2})/([a-z2-7]{26})\.([a-z0-9]{2,4})$`)

func newKey(folder, extension string) string {
	name := strings.ToLower(rand.Text())
	return folder + "/" + name[:2] + "/" + name + "." + extension
}

// path returns where the file of a key lies, false when key is none of ours.
func (m *Media) path(key string) (string, bool) {
	parts := keyForm.FindStringSubmatch(key)
	if parts == nil || !strings.HasPrefix(parts[3], parts[2]) {
		return "", false
	}
	return filepath.Join(m.blobs, filepath.FromSlash(key)), true
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

// Commit moves the files into the store and returns when they are safe on disk. It moves all or none.
func (s *Staged) Commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for i, f := range s.files {
		if err := s.m.move(f.temp, f.key); err != nil {
			for _, moved := range s.files[:i+1] {
				err = errors.Join(err, s.m.Remove(context.WithoutCancel(ctx), moved.key))
			}
			return err
		}
	}
	s.files = nil
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
	path, ok := m.path(key)
	if !ok {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove file: %w", err)
	}
	return nil
}

// move makes a temporary file the file of key. It syncs the content before the name and the name before it returns:
// after a crash the file is whole or absent.
func (m *Media) move(temp, key string) error {
	path, ok := m.path(key)
	if !ok {
		return fmt.Errorf("store file: bad key %q", key)
	}
	if err := syncPath(temp); err != nil {
		return fmt.Errorf("store file: %w", err)
	}
	shard := filepath.Dir(path)
	if _, err := os.Stat(shard); err != nil {
		if err := os.MkdirAll(shard, 0o750); err != nil {
			return fmt.Errorf("store file: %w", err)
		}
		for dir := filepath.Dir(shard); len(dir) >= len(m.blobs); dir = filepath.Dir(dir) {
			if err := syncDir(dir); err != nil {
				return fmt.Errorf("store file: %w", err)
			}
		}
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("store file: %w", err)
	}
	if err := syncDir(shard); err != nil {
		return fmt.Errorf("store file: %w", err)
	}
	return nil
}

// syncDir makes the names in a folder durable. Windows has no such call and needs none.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	return syncPath(dir)
}

func syncPath(path string) error {
	f, err := os.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
