//go:build unix

package cluster

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// longestSocket is the longest path of a unix socket that all systems accept, in bytes.
const longestSocket = 100

// lock creates the folder of a cluster and locks it until unlock is called.
func lock(folder string) (unlock func(), err error) {
	if socket := filepath.Join(folder, "mariadb", "socket"); len(socket) > longestSocket {
		return nil, fmt.Errorf("the path of %s is too long for sockets in it: choose a shorter one", folder)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(folder, "lock"))
	locked, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", folder, err)
	}
	if !locked {
		return nil, fmt.Errorf("another cluster runs in %s", folder)
	}
	return func() { _ = l.Unlock() }, nil
}

// secrets are created once for each folder.
type secrets struct {
	JWTKey, S3AccessKey, S3SecretKey string
}

func readSecrets(folder string) (s secrets, err error) {
	path := filepath.Join(folder, "secrets.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		s = secrets{JWTKey: rand.Text() + rand.Text(), S3AccessKey: rand.Text(), S3SecretKey: rand.Text()}
		if text, err = json.Marshal(s); err != nil {
			return s, err
		}
		return s, os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}
