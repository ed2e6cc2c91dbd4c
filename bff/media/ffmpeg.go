package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"os/exec"
	"strings"
	"time"
)

const (
	coverSide     = 720     // pixels of a cover's longer side
	maxCoverBytes = 4 << 20 // of a cover that ffmpeg makes
	maxFrame      = "36000000"
)

var errNoFFmpeg = errors.New("no ffmpeg")

// frame returns the first frame of a video that is not nearly black, else the very first, as a JPEG. It waits no longer
// than the time for a cover.
func (m *Media) frame(ctx context.Context, path, demuxer string) ([]byte, error) {
	if m.ffmpeg == "" {
		return nil, errNoFFmpeg
	}
	scale := fmt.Sprintf("scale=w='min(%[1]d,iw)':h='min(%[1]d,ih)':force_original_aspect_ratio=decrease", coverSide)
	bright := scale + ",blackframe=amount=0:threshold=32,metadata=mode=select:key=lavfi.blackframe.pblack:value=75:function=less"
	// The search may take half of the time, so that the simple way is still open after it.
	picture, err := m.extract(ctx, m.cfg.CoverTimeout/2, path, demuxer, bright)
	if err == nil || ctx.Err() != nil {
		return picture, err
	}
	return m.extract(ctx, m.cfg.CoverTimeout/2, path, demuxer, scale)
}

// extract returns the first frame that comes out of a filter. The demuxer is named and only files may be opened: what
// somebody uploaded must not make ffmpeg fetch anything else.
func (m *Media) extract(ctx context.Context, limit time.Duration, path, demuxer, filter string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	picture, err := run(ctx, maxCoverBytes, m.ffmpeg, "-nostdin", "-hide_banner", "-v", "error",
		"-protocol_whitelist", "file", "-f", demuxer, "-threads", "1", "-max_pixels", maxFrame, "-t", "10", "-i", "file:"+path,
		"-map", "0:v:0", "-filter_threads", "1", "-vf", filter, "-frames:v", "1", "-c:v", "mjpeg", "-q:v", "3", "-threads", "1",
		"-f", "image2pipe", "pipe:1")
	if err != nil {
		return nil, err
	}
	if _, err := jpeg.DecodeConfig(bytes.NewReader(picture)); err != nil {
		return nil, fmt.Errorf("no frame found: %w", err)
	}
	return picture, nil
}

// run starts a program with an empty environment and returns what it writes, which must not be more than limit bytes.
// The program is killed when ctx ends.
func run(ctx context.Context, limit int, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = []string{}
	cmd.WaitDelay = time.Second
	out, complaints := bounded{limit: limit}, bounded{limit: 4 << 10}
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("run %s: %w: %s", cmd.Args[0], err, strings.TrimSpace(complaints.String()))
	}
	if out.over {
		return nil, fmt.Errorf("run %s: it wrote more than %d bytes", cmd.Args[0], limit)
	}
	return out.Bytes(), nil
}

// bounded keeps the first bytes written to it.
type bounded struct {
	bytes.Buffer
	limit int
	over  bool
}

func (b *bounded) Write(p []byte) (int, error) {
	keep := p[:min(len(p), b.limit-b.Len())]
	b.over = b.over || len(keep) < len(p)
	b.Buffer.Write(keep)
	return len(p), nil
}
