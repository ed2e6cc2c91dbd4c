package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// local stores files in a folder, under the path that the key is.
type local struct{ folder string }

var _ Store = local{}

// openLocal opens a folder and creates it if necessary.
func openLocal(folder string) (local, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return local{}, fmt.Errorf("create the folder: %w", err)
	}
	return local{folder}, nil
}

func (l local) path(key string) string { return filepath.Join(l.folder, filepath.FromSlash(key)) }

// Put syncs the content before it renames the file, and the folder afterwards.
func (l local) Put(_ context.Context, temp, key string) error {
	path := l.path(key)
	shard := filepath.Dir(path)
	if _, err := os.Stat(shard); err != nil {
		if err := os.MkdirAll(shard, 0o750); err != nil {
			return fmt.Errorf("store file: %w", err)
		}
		for dir := filepath.Dir(shard); len(dir) >= len(l.folder); dir = filepath.Dir(dir) {
			if err := syncDir(dir); err != nil {
				return fmt.Errorf("store file: %w", err)
			}
		}
	}
	if err := syncPath(temp); err != nil {
		return fmt.Errorf("store file: %w", err)
	}
	if err := os.Rename(temp, path); err != nil {
		// The store may be on another file system than temp.
		if errCopy := copyFile(temp, path); errCopy != nil {
			return fmt.Errorf("store file: %w", errors.Join(err, errCopy))
		}
	}
	if err := syncDir(shard); err != nil {
		return fmt.Errorf("store file: %w", err)
	}
	return nil
}

// part returns the path of a file while it is copied.
func part(path string) string { return path + ".part" }

// copyFile copies a file so that to is whole or absent.
func copyFile(from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	copied, err := os.OpenFile(part(to), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(copied, source)
	if err = errors.Join(err, copied.Sync(), copied.Close()); err != nil {
		return errors.Join(err, os.Remove(part(to)))
	}
	return os.Rename(part(to), to)
}

// Open opens a file.
func (l local) Open(_ context.Context, key, _ string) (io.ReadSeekCloser, error) {
	f, err := os.Open(l.path(key))
	if err != nil {
		return nil, err // a nil *os.File would not be a nil interface
	}
	return f, nil
}

// Remove deletes a file and a partial copy of it.
func (l local) Remove(_ context.Context, key string) error {
	for _, path := range []string{part(l.path(key)), l.path(key)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove file: %w", err)
		}
	}
	return nil
}

// Ready returns nil if the folder is there.
func (l local) Ready(context.Context) error {
	_, err := os.Stat(l.folder)
	return err
}

// syncDir makes the entries of a folder durable. On Windows it does nothing: there is no such call.
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
