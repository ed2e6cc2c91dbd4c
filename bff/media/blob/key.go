package blob

import (
	"crypto/rand"
	"path"
	"regexp"
	"strings"
)

// keyForm is the form of a key: folder, shard and a random name. No part of it comes from a user.
var keyForm = regexp.MustCompile(`^(videos|covers|pictures)/([a-z2-7]{2})/([a-z2-7]{26})\.([a-z0-9]{2,4})$`)

// NewKey returns a random key, which nobody can guess.
func NewKey(folder, extension string) string {
	name := strings.ToLower(rand.Text())
	return folder + "/" + name[:2] + "/" + name + "." + extension
}

// IsKey reports whether key has the form of a key.
func IsKey(key string) bool {
	parts := keyForm.FindStringSubmatch(key)
	return parts != nil && strings.HasPrefix(parts[3], parts[2])
}

// CacheControl is the Cache-Control header of every file: the content of a key never changes.
const CacheControl = "public, max-age=31536000, immutable"

// contentTypes has every extension that a key can have.
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

// ContentType returns the Content-Type header of a file.
func ContentType(key string) string { return contentTypes[path.Ext(key)] }
