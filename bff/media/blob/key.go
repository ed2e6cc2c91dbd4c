package blob

import (
	"crypto/rand"
	"path"
	"regexp"
	"strings"
)

// A key names a file of the store: folder, shard and a random name that nobody can guess. Nothing in it comes from a
// user, and everything that is not exactly of this form names no file.
var keyForm = regexp.MustCompile(`^(videos|covers|pictures)/([a-z2-7]{2})/([a-z2-7]{26})\.([a-z0-9]{2,4})$`)

// NewKey returns a key for a new file.
func NewKey(folder, extension string) string {
	name := strings.ToLower(rand.Text())
	return folder + "/" + name[:2] + "/" + name + "." + extension
}

// IsKey tells whether key is one of ours.
func IsKey(key string) bool {
	parts := keyForm.FindStringSubmatch(key)
	return parts != nil && strings.HasPrefix(parts[3], parts[2])
}

// CacheControl is the header of every file: a key never gets another content.
const CacheControl = "public, max-age=31536000, immutable"

// contentTypes are those of the files by extension, for every extension a key can have.
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

// ContentType returns the media type of the file with this key.
func ContentType(key string) string { return contentTypes[path.Ext(key)] }
