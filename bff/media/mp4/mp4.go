// Package mp4 checks MP4 and MOV files and moves their index to the front.
//
// Both are ISO base media files: a sequence of boxes. One box (moov) is the index, others (mdat) hold the media. Only
// the index and small boxes are read.
package mp4

import (
	"io"
	"slices"
	"time"

	"minidouyin/idl/codes"
)

// Limits of a video, in any container.
const (
	MaxDuration = time.Hour
	maxSide     = 8192 // pixels of the longer side
)

// Reasons to refuse a file, with codes.InvalidArgument.
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

// ValidSides reports whether a video may have this size in pixels.
func ValidSides(width, height int) bool {
	return width > 0 && height > 0 && width <= maxSide && height <= maxSide
}

// Sniff reports whether a file starts like an MP4, or like a MOV from before the file type box.
func Sniff(head []byte) bool {
	return len(head) >= 8 && slices.Contains([]string{"ftyp", "moov", "mdat", "wide", "free", "skip", "pnot"}, string(head[4:8]))
}

// Boxes are the top-level boxes of a file.
type Boxes []box

// Memory returns how many bytes Check allocates at most. It reads one index or fragment at a time, which takes five
// times its size: a table of chunk offsets is kept encoded, decoded, and as 64-bit numbers.
func (boxes Boxes) Memory() (n int64) {
	for _, b := range boxes {
		if b.boxType == "moov" || b.boxType == "moof" {
			n = max(n, 5*min(b.size, maxIndex))
		}
	}
	return n
}

// Check checks a file of size bytes with these boxes and returns its layout. It returns an error with
// codes.InvalidArgument if the file is not a whole video within the limits.
func (boxes Boxes) Check(r io.ReaderAt, size int64) (Layout, error) {
	l, fragments, err := boxes.layout(r, size)
	if err != nil {
		return Layout{}, err
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

// layout returns the layout of a file and its fragments.
func (boxes Boxes) layout(r io.ReaderAt, size int64) (l Layout, fragments []box, err error) {
	l.media = size
	for i, b := range boxes {
		switch b.boxType {
		case "ftyp":
			if i == 0 {
				l.front = b.end()
				l.QuickTime = hasBrand(r, b, "qt  ")
			}
		case "moov":
			if l.index.size > 0 {
				return Layout{}, nil, ErrDamaged
			}
			l.index = b
		case "mdat":
			l.media = min(l.media, b.start)
		case "moof":
			fragments = append(fragments, b)
		}
	}
	if l.front == 0 {
		l.QuickTime = true // only old MOV files have no file type
	}
	l.fragmented = len(fragments) > 0
	if l.index.size == 0 {
		return Layout{}, nil, noIndex(boxes)
	}
	return l, fragments, nil
}

// noIndex returns why a file without an index is refused: the recording was not finished, or it is not a video.
func noIndex(boxes Boxes) error {
	for _, b := range boxes {
		if b.boxType == "mdat" && b.size > 16 {
			return ErrCutOff
		}
	}
	return ErrNotVideo
}

// Layout is the order of the top-level boxes of a file.
type Layout struct {
	QuickTime bool // it is a MOV

	index      box   // moov
	front      int64 // offset for an index at the front: behind the file type
	media      int64 // offset of the first mdat
	fragmented bool
}

// SlowStart reports whether a player must fetch the end of the file before it can start.
func (l Layout) SlowStart() bool { return !l.fragmented && l.media < l.index.start }

// Memory returns how many bytes Faststart allocates at most.
func (l Layout) Memory() int64 { return Boxes{l.index}.Memory() }
