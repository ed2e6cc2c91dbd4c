// Package argument checks the ids, pages and texts of requests, for all services.
//
// Its errors have the code InvalidArgument and a message for the user.
package argument

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"minidouyin/idl/codes"
)

// maxKey is the longest key of a file, in bytes.
const maxKey = 200

// Line returns one line of text without surrounding space. It has 1 to max characters, at least one of them visible.
func Line(name, text string, max int) (string, error) {
	line, err := OptionalLine(name, text, max)
	if err != nil {
		return "", err
	}
	if !strings.ContainsFunc(line, visible) {
		return "", codes.Errorf(codes.InvalidArgument, "%s must not be empty", name)
	}
	return line, nil
}

// OptionalLine is like [Line] for a text that may be empty.
func OptionalLine(name, text string, max int) (string, error) {
	if !utf8.ValidString(text) {
		return "", codes.Errorf(codes.InvalidArgument, "%s is not valid UTF-8", name)
	}
	line := strings.TrimSpace(text)
	if utf8.RuneCountInString(line) > max {
		return "", codes.Errorf(codes.InvalidArgument, "%s must have at most %d characters", name, max)
	}
	if strings.ContainsFunc(line, breaksLine) {
		return "", codes.Errorf(codes.InvalidArgument, "%s must not have control characters", name)
	}
	return line, nil
}

// Body refuses a text of several lines unless it has 1 to max characters, at least one of them visible.
func Body(name, text string, max int) error {
	switch {
	case !utf8.ValidString(text):
		return codes.Errorf(codes.InvalidArgument, "%s is not valid UTF-8", name)
	case strings.ContainsRune(text, 0):
		return codes.Errorf(codes.InvalidArgument, "%s must not have NUL characters", name)
	case !strings.ContainsFunc(text, visible):
		return codes.Errorf(codes.InvalidArgument, "%s must not be empty", name)
	case utf8.RuneCountInString(text) > max:
		return codes.Errorf(codes.InvalidArgument, "%s must have at most %d characters", name, max)
	}
	return nil
}

// Password refuses a password unless it has 1 to max characters, of any kind.
func Password(text string, max int) error {
	if !utf8.ValidString(text) {
		return codes.Errorf(codes.InvalidArgument, "password is not valid UTF-8")
	}
	if n := utf8.RuneCountInString(text); n < 1 || n > max {
		return codes.Errorf(codes.InvalidArgument, "password must have 1 to %d characters", max)
	}
	return nil
}

// Key refuses a file key unless it has 1 to 200 bytes of visible ASCII.
func Key(name, key string) error {
	if key == "" || len(key) > maxKey || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return codes.Errorf(codes.InvalidArgument, "%s must have 1 to %d visible ASCII characters", name, maxKey)
	}
	return nil
}

func visible(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !invisible(r) }

// invisible reports whether a character is never displayed: format characters, variation selectors, blank letters.
func invisible(r rune) bool {
	switch r {
	case '\u115F', '\u1160', '\u2800', '\u3164', '\uFFA0': // Hangul fillers, the blank Braille pattern
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Variation_Selector)
}

// WithoutInvisible returns the text without invisible characters.
func WithoutInvisible(text string) string {
	return strings.Map(func(r rune) rune {
		if invisible(r) {
			return -1
		}
		return r
	}, text)
}

// breaksLine reports whether a character ends a line or changes the direction of the text after it, which would garble
// the page around a name.
func breaksLine(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}
