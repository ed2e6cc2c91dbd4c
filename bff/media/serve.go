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

// DefaultAvatar and DefaultBackground are the keys of the pictures for users without one.
const (
	DefaultAvatar     = "default/avatar.jpg"
	DefaultBackground = "default/background.jpg"
)

// IsDefault reports whether key is that of a default picture. These are not in the store.
func IsDefault(key string) bool { return strings.HasPrefix(key, "default/") }

// ServeHTTP serves GET and HEAD of /media/{key}, with ranges. The content of a key never changes, so that clients may
// cache it forever.
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
		// The next version may have another picture for this key.
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
		m.writeError(w, r, err)
		return
	}
	defer f.Close()
	serve(w, r, key, strings.TrimSuffix(path.Base(key), path.Ext(key)), blob.CacheControl, f)
}

// redirect redirects a player to the presigned URL of a file. Clients may cache the response for an hour, so that they
// use one URL for all ranges. The URL is valid for hours more.
func (m *Media) redirect(w http.ResponseWriter, r *http.Request, key string) {
	location, err := m.presign(r.Context(), key)
	if err != nil {
		m.writeError(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusFound)
}

// writeError responds with the status of an error of the store.
func (m *Media) writeError(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, os.ErrNotExist) {
		http.NotFound(w, r)
		return
	}
	if r.Context().Err() != nil { // the client is gone
		return
	}
	m.cfg.Log.ErrorContext(r.Context(), "cannot serve file", "error", err)
	if errors.Is(err, blob.ErrUnavailable) {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "the file cannot be read at the moment", http.StatusServiceUnavailable)
		return
	}
	http.Error(w, "internal error", http.StatusInternalServerError)
}

// serve serves content with its headers. tag is the ETag, cacheControl the Cache-Control header.
func serve(w http.ResponseWriter, r *http.Request, key, tag, cacheControl string, content io.ReadSeeker) {
	w.Header().Set("Content-Type", blob.ContentType(key))
	w.Header().Set("Cache-Control", cacheControl)
	w.Header().Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, content)
}

// RedirectURL returns a URL on the server to which players are redirected, "" if they are not.
func (m *Media) RedirectURL() string {
	if m.presign == nil {
		return ""
	}
	u, err := m.presign(context.Background(), blob.NewKey("videos", "mp4"))
	if err != nil {
		return "" // without an access key there are no redirects
	}
	return u
}
