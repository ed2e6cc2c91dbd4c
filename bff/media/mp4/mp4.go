// Package mp4 examines MP4 and MOV files and moves their index to the front.
package mp4

import (
	"io"
	"slices"
	"time"

	"minidouyin/idl/codes"
)

// What a video may be, in any container.
const (
	MaxDuration = time.Hour
	maxSide     = 8192 // pixels of a video's longer side
)

// What a refused file is told.
var (
	ErrNotVideo = refuse("the file is not a video")
	ErrCutOff   = refuse("the video is cut off")
	ErrDamaged  = refuse("the video is damaged")
	ErrNoVideo  = refuse("the file holds no video that can be played")
	ErrTooLong  = refuse("the video is longer than an hour")
	ErrNoLength = refuse("the video has no length")

	errLargeIndex = refuse("the video's index is too large")
)

func refuse(message string) error { return codes.Errorf(codes.InvalidArgument, "%s", message) }

// ValidSides tells whether a video may have this size.
func ValidSides(width, height int) bool {
	return width > 0 && height > 0 && width <= maxSide && height <= maxSide
}

// Sniff tells whether a file starts like an MP4, or like a MOV that predates file types.
func Sniff(head []byte) bool {
	return len(head) >= 8 && slices.Contains([]string{"ftyp", "moov", "mdat", "wide", "free", "skip", "pnot"}, string(head[4:8]))
}

// Boxes are the top-level boxes of a file.
type Boxes []box

// Layout says how the top-level boxes of a file lie.
type Layout struct {
	index      box   // moov
	front      int64 // where an index stands that is read first: behind the file type
	media      int64 // start of the first mdat
	fragmented bool
	QuickTime  bool
}

// SlowStart tells whether a player would have to fetch the end of the file before it can start.
func (l Layout) SlowStart() bool { return !l.fragmented && l.media < l.index.start }

// Memory returns how many bytes Faststart takes.
func (l Layout) Memory() int64 { return Boxes{l.index}.Memory() }

// Memory returns how much memory the tables of a file take that are read at once: five times their size, for a
// table of chunks is kept as it is, decoded, and as 64-bit numbers.
func (boxes Boxes) Memory() (n int64) {
	for _, b := range boxes {
		if b.kind == "moov" || b.kind == "moof" {
			n = max(n, 5*min(b.size, maxIndex))
		}
	}
	return n
}

// Check examines the index of an MP4 or MOV with these boxes and returns how the file lies.
func (boxes Boxes) Check(r io.ReaderAt, size int64) (Layout, error) {
	l := Layout{media: size}
	var fragments []box
	for i, b := range boxes {
		switch b.kind {
		case "ftyp":
			if i == 0 {
				l.front = b.end()
				l.QuickTime = hasBrand(r, b, "qt  ")
			}
		case "moov":
			if l.index.size > 0 {
				return Layout{}, ErrDamaged
			}
			l.index = b
		case "mdat":
			l.media = min(l.media, b.start)
		case "moof":
			fragments = append(fragments, b)
		}
	}
	if l.front == 0 {
		l.QuickTime = true // only old MOV files go without a type
	}
	l.fragmented = len(fragments) > 0
	if l.index.size == 0 {
		return Layout{}, noIndex(boxes)
	}
	index, err := readBox(r, l.index)
	if err != nil {
		return Layout{}, err
	}
	mv, err := parseMovie(index, size)
	if err != nil {
		return Layout{}, err
	}
	for _, b := range fragments {
		content, err := readBox(r, b)
		if err != nil {
			return Layout{}, err
		}
		if err := mv.addFragment(content, b.start, size); err != nil {
			return Layout{}, err
		}
	}
	return l, mv.playable()
}

// noIndex explains a file without an index: a recording that was not finished, or no video at all.
func noIndex(boxes Boxes) error {
	for _, b := range boxes {
		if b.kind == "mdat" && b.size > 16 {
			return ErrCutOff
		}
	}
	return ErrNotVideo
}
