package media

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"path"
	"strings"
	"time"
)

// DefaultAvatar and DefaultBackground are the keys of the pictures of users without their own.
const (
	DefaultAvatar     = "default/avatar.jpg"
	DefaultBackground = "default/background.jpg"
)

// contentTypes by extension, for every extension a key can have.
var contentTypes = map[string]string{
	".avi":  "video/x-msvideo",
	".flv":  "video/x-flv",
	".jpg":  "image/jpeg",
	".mkv":  "video/x-matroska",
	".mov":  "video/quicktime",
	".mp4":  "video/mp4",
	".mpg":  "video/mpeg",
	".ts":   "video/mp2t",
	".webm": "video/webm",
}

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
	name, ok := m.path(key)
	if !ok {
		http.NotFound(w, r)
		return
	}
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		m.cfg.Log.Error("serve file", "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	defer f.Close()
	serve(w, r, key, strings.TrimSuffix(path.Base(key), path.Ext(key)), "public, max-age=31536000, immutable", f)
}

func serve(w http.ResponseWriter, r *http.Request, key, tag, cache string, content io.ReadSeeker) {
	w.Header().Set("Content-Type", contentTypes[path.Ext(key)])
	w.Header().Set("Cache-Control", cache)
	w.Header().Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, content)
}
