package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"strconv"

	"minidouyin/bff/media/mp4"
)

const headBytes = 4 << 10 // enough of a file to tell its container

// What a refused file is told.
var (
	errEmpty   = refuse("the file is empty")
	errOnlyMP4 = refuse("this server takes MP4 and MOV videos only")
)

// video is what is known of a file that passed the check.
type video struct {
	extension string
	demuxer   string     // ffmpeg's name of the container
	layout    mp4.Layout // of MP4 and MOV
}

// container is a kind of file besides MP4 and MOV. Its demuxer is named to ffmpeg, which must not guess: a playlist
// that poses as a video would make it read other files.
type container struct {
	extension string
	demuxer   string
	is        func(head []byte) bool
	cutOff    func(head []byte, size int64) bool // by what the head says of the whole; nil = it says nothing
}

var containers = []container{
	{"webm", "matroska", isWebM, matroskaCutOff},
	{"mkv", "matroska", isMatroska, matroskaCutOff},
	{"avi", "avi", isAVI, aviCutOff},
	{"flv", "flv", func(head []byte) bool { return bytes.HasPrefix(head, []byte("FLV\x01")) }, nil},
	{"ts", "mpegts", isTransportStream, nil},
	{"mpg", "mpeg", func(head []byte) bool { return bytes.HasPrefix(head, []byte{0, 0, 1, 0xba}) }, nil},
}

// checkVideo tells what f is, by its content alone.
func (m *Media) checkVideo(ctx context.Context, f *os.File) (video, error) {
	info, err := f.Stat()
	if err != nil {
		return video{}, fmt.Errorf("stat upload: %w", err)
	}
	if info.Size() == 0 {
		return video{}, errEmpty
	}
	head := make([]byte, min(headBytes, info.Size()))
	if _, err := f.ReadAt(head, 0); err != nil {
		return video{}, fmt.Errorf("read upload: %w", err)
	}
	if mp4.Sniff(head) {
		boxes, err := mp4.ReadBoxes(f, info.Size())
		if err != nil {
			return video{}, err
		}
		release, err := m.memory.takeHeap(ctx, boxes.Memory())
		if err != nil {
			return video{}, err
		}
		defer release()
		l, err := boxes.Check(f, info.Size())
		if err != nil {
			return video{}, err
		}
		if l.QuickTime {
			return video{"mov", "mov", l}, nil
		}
		return video{"mp4", "mov", l}, nil
	}
	for _, c := range containers {
		if !c.is(head) {
			continue
		}
		if c.cutOff != nil && c.cutOff(head, info.Size()) {
			return video{}, mp4.ErrCutOff
		}
		return video{extension: c.extension, demuxer: c.demuxer}, m.probe(ctx, f.Name(), c.demuxer)
	}
	return video{}, mp4.ErrNotVideo
}

// probe lets ffprobe read a whole file whose container is known.
func (m *Media) probe(ctx context.Context, path, demuxer string) error {
	if m.ffprobe == "" {
		return errOnlyMP4
	}
	release, err := m.memory.take(ctx, m.childMemory())
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, m.cfg.CoverTimeout)
	defer cancel()
	out, err := m.run(ctx, 64<<10, m.ffprobe, "-v", "error", "-protocol_whitelist", "file", "-f", demuxer, "-count_packets",
		"-select_streams", "v", "-show_entries", "stream=codec_name,width,height,nb_read_packets:format=duration",
		"-of", "json", "-i", "file:"+path)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return refuse("the video takes too long to examine")
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		m.cfg.Log.Info("refused by ffprobe", "error", err)
		return mp4.ErrDamaged
	}
	var found struct {
		Streams []struct {
			Codec   string `json:"codec_name"`
			Width   int    `json:"width"`
			Height  int    `json:"height"`
			Packets string `json:"nb_read_packets"`
		} `json:"streams"`
		Format struct {
			Duration string `json:"duration"` // absent in what browsers record
		} `json:"format"`
	}
	if json.Unmarshal(out, &found) != nil {
		return mp4.ErrDamaged
	}
	playable := false
	for _, s := range found.Streams {
		packets, _ := strconv.ParseInt(s.Packets, 10, 64)
		if s.Codec != "" && s.Codec != "unknown" && mp4.ValidSides(s.Width, s.Height) && packets > 0 {
			playable = true
		}
	}
	if !playable {
		return mp4.ErrNoVideo
	}
	if found.Format.Duration == "" {
		return nil
	}
	seconds, err := strconv.ParseFloat(found.Format.Duration, 64)
	switch {
	case err != nil || seconds <= 0:
		return mp4.ErrNoLength
	case seconds > mp4.MaxDuration.Seconds():
		return mp4.ErrTooLong
	}
	return nil
}

var ebml = []byte{0x1a, 0x45, 0xdf, 0xa3}

func isMatroska(head []byte) bool { return bytes.HasPrefix(head, ebml) }

func isWebM(head []byte) bool {
	return isMatroska(head) && bytes.Contains(head[:min(64, len(head))], []byte("webm"))
}

// matroskaCutOff compares the size with that of the segment, which holds everything but the header. A live recording
// leaves it open.
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

// ebmlSize reads a size and the number of bytes it takes, false when it is open or not there.
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
	open := uint64(1)<<(7*used) - 1
	size &= open
	return size, used, size != open
}

func isAVI(head []byte) bool {
	return len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "AVI "
}

func aviCutOff(head []byte, size int64) bool {
	return int64(binary.LittleEndian.Uint32(head[4:8]))+8 > size
}

// isTransportStream looks for the sync byte of five packets in a row.
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
