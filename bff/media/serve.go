package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"minidouyin/bff/media/blob"
)

// DefaultAvatar and DefaultBackground are the keys of the pictures of users without their own.
const (
	DefaultAvatar     = "default/avatar.jpg"
	DefaultBackground = "default/background.jpg"
)

// IsDefault tells whether key is one of the default pictures, which are in no store.
func IsDefault(key string) bool { return strings.HasPrefix(key, "default/") }

// ServeHTTP serves GET and HEAD of /media/{key}, with ranges. A key never gets another content, so its answer may be
// kept for ever.
func (m *Media) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	key, ok := strings.CutPrefix(r.URL.Path, "/media/")
	if !ok {
		http.NotFound(w, r)
		return
	}
	if picture, ok := m.defaults[key]; ok {
		// These may look different in the next version, under the same key.
		sum := sha256.Sum256(picture)
		serve(w, r, key, hex.EncodeToString(sum[:8]), "public, max-age=86400", bytes.NewReader(picture))
		return
	}
	if !blob.IsKey(key) {
		http.NotFound(w, r)
		return
	}
	if m.presign != nil && r.Method == http.MethodGet {
		m.redirect(w, r, key)
		return
	}
	f, err := m.store.Open(r.Context(), key, r.Header.Get("Range"))
	if err != nil {
		m.refuse(w, r, err)
		return
	}
	defer f.Close()
	serve(w, r, key, strings.TrimSuffix(path.Base(key), path.Ext(key)), blob.CacheControl, f)
}

// redirect sends the player to the store. The answer may be kept for an hour, so that players and caches ask the store
// for the same address again, and that address is good for hours more.
func (m *Media) redirect(w http.ResponseWriter, r *http.Request, key string) {
	to, err := m.presign(r.Context(), key)
	if err != nil {
		m.refuse(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusFound)
}

// refuse answers that a file is not to be had.
func (m *Media) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, os.ErrNotExist) {
		http.NotFound(w, r)
		return
	}
	if r.Context().Err() != nil { // nobody waits any more
		return
	}
	m.cfg.Log.ErrorContext(r.Context(), "serve file", "error", err)
	if errors.Is(err, blob.ErrUnavailable) {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "the file cannot be read at the moment", http.StatusServiceUnavailable)
		return
	}
	http.Error(w, "internal error", http.StatusInternalServerError)
}

func serve(w http.ResponseWriter, r *http.Request, key, tag, cache string, content io.ReadSeeker) {
	w.Header().Set("Content-Type", blob.ContentType(key))
	w.Header().Set("Cache-Control", cache)
	w.Header().Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, content)
}

// SentTo returns an address at the server that players are sent on to, "" when they get everything from us.
func (m *Media) SentTo() string {
	if m.presign == nil {
		return ""
	}
	address, err := m.presign(context.Background(), blob.NewKey("videos", "mp4"))
	if err != nil {
		return "" // no keys now, so nobody is sent on
	}
	return address
}
