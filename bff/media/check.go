package media

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"

	"minidouyin/bff/media/mp4"
)

const headBytes = 4 << 10 // of a file, to recognize its container

var (
	errEmpty   = invalid("the file is empty")
	errOnlyMP4 = invalid("this server takes MP4 and MOV videos only")
)

// video describes a file that passed the check.
type video struct {
	extension string
	demuxer   string     // name of the container in ffmpeg
	layout    mp4.Layout // of an MP4 or MOV
}

// checkVideo checks the content of a file. It returns an error with codes.InvalidArgument if that is not a whole video
// within the limits, or of a container that cannot be checked here.
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
		return m.checkMP4(ctx, f, info.Size())
	}
	for _, c := range containers {
		if !c.matches(head) {
			continue
		}
		if c.cutOff != nil && c.cutOff(head, info.Size()) {
			return video{}, mp4.ErrCutOff
		}
		return video{extension: c.extension, demuxer: c.demuxer}, m.probe(ctx, f.Name(), c.demuxer)
	}
	return video{}, mp4.ErrNotVideo
}

// checkMP4 checks an MP4 or MOV of size bytes.
func (m *Media) checkMP4(ctx context.Context, f *os.File, size int64) (video, error) {
	boxes, err := mp4.ReadBoxes(f, size)
	if err != nil {
		return video{}, err
	}
	release, err := m.memory.acquireHeap(ctx, boxes.Memory())
	if err != nil {
		return video{}, err
	}
	defer release()
	l, err := boxes.Check(f, size)
	if err != nil {
		return video{}, err
	}
	extension := "mp4"
	if l.QuickTime {
		extension = "mov"
	}
	return video{extension: extension, demuxer: "mov", layout: l}, nil
}

// probe checks a whole file with ffprobe.
func (m *Media) probe(ctx context.Context, path, demuxer string) error {
	if m.ffprobe == "" {
		return errOnlyMP4
	}
	release, err := m.memory.acquire(ctx, m.childMemory())
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
		return invalid("the video takes too long to examine")
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		m.cfg.Log.Info("video refused by ffprobe", "error", err)
		return mp4.ErrDamaged
	}
	var result probeResult
	if json.Unmarshal(out, &result) != nil {
		return mp4.ErrDamaged
	}
	return result.check()
}

// probeResult is the output of ffprobe.
type probeResult struct {
	Streams []struct {
		Codec   string `json:"codec_name"`
		Width   int    `json:"width"`
		Height  int    `json:"height"`
		Packets string `json:"nb_read_packets"`
	} `json:"streams"`
	Format struct {
		Duration string `json:"duration"` // absent in recordings of browsers
	} `json:"format"`
}

// check returns an error if there is no playable video within the limits.
func (r probeResult) check() error {
	playable := false
	for _, s := range r.Streams {
		packets, _ := strconv.ParseInt(s.Packets, 10, 64)
		if s.Codec != "" && s.Codec != "unknown" && mp4.ValidSides(s.Width, s.Height) && packets > 0 {
			playable = true
		}
	}
	if !playable {
		return mp4.ErrNoVideo
	}
	if r.Format.Duration == "" {
		return nil
	}
	seconds, err := strconv.ParseFloat(r.Format.Duration, 64)
	switch {
	case err != nil || seconds <= 0:
		return mp4.ErrNoLength
	case seconds > mp4.MaxDuration.Seconds():
		return mp4.ErrTooLong
	}
	return nil
}
