package media

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// container is a container besides MP4 and MOV. ffmpeg gets the name of the demuxer so that it does not detect the
// container itself: a playlist in place of a video would make it read other files.
type container struct {
	extension string
	demuxer   string
	matches   func(head []byte) bool
	cutOff    func(head []byte, size int64) bool // by the size in the head; nil = it has none
}

var containers = []container{
	{"webm", "matroska", isWebM, matroskaCutOff},
	{"mkv", "matroska", isMatroska, matroskaCutOff},
	{"avi", "avi", isAVI, aviCutOff},
	{"flv", "flv", func(head []byte) bool { return bytes.HasPrefix(head, []byte("FLV\x01")) }, nil},
	{"ts", "mpegts", isTransportStream, nil},
	{"mpg", "mpeg", func(head []byte) bool { return bytes.HasPrefix(head, []byte{0, 0, 1, 0xba}) }, nil},
}

// ebml is the start of a Matroska file.
var ebml = []byte{0x1a, 0x45, 0xdf, 0xa3}

func isMatroska(head []byte) bool { return bytes.HasPrefix(head, ebml) }

func isWebM(head []byte) bool {
	return isMatroska(head) && bytes.Contains(head[:min(64, len(head))], []byte("webm"))
}

// matroskaCutOff reports whether a file is shorter than its header and segment. The size of the segment is unknown in a
// live recording.
func matroskaCutOff(head []byte, size int64) bool {
	header, used, ok := ebmlSize(head[len(ebml):])
	if !ok {
		return true
	}
	at := uint64(len(ebml)+used) + header
	if at+4 > uint64(len(head)) || !bytes.Equal(head[at:at+4], []byte{0x18, 0x53, 0x80, 0x67}) {
		return at+4 > uint64(size)
	}
	segment, used, ok := ebmlSize(head[at+4:])
	return ok && segment > uint64(size)-at-4-uint64(used)
}

// ebmlSize decodes a size and returns the number of bytes it takes; ok is false if it is unknown or missing.
func ebmlSize(b []byte) (size uint64, used int, ok bool) {
	if len(b) == 0 || b[0] == 0 {
		return 0, 0, false
	}
	used = bits.LeadingZeros8(b[0]) + 1
	if used > len(b) {
		return 0, 0, false
	}
	for _, x := range b[:used] {
		size = size<<8 | uint64(x)
	}
	unknown := uint64(1)<<(7*used) - 1
	size &= unknown
	return size, used, size != unknown
}

func isAVI(head []byte) bool {
	return len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "AVI "
}

// aviCutOff reports whether a file is shorter than its RIFF chunk.
func aviCutOff(head []byte, size int64) bool {
	return int64(binary.LittleEndian.Uint32(head[4:8]))+8 > size
}

// isTransportStream reports whether the first five packets start with the sync byte.
func isTransportStream(head []byte) bool {
	const packet = 188
	if len(head) < 5*packet {
		return false
	}
	for i := range 5 {
		if head[i*packet] != 0x47 {
			return false
		}
	}
	return true
}
