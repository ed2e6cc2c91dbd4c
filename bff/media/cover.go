package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"time"
)

const (
	coverSide     = 720     // pixels of a cover's longer side
	maxCoverBytes = 4 << 20 // of a cover that ffmpeg makes
	maxPNGBytes   = 6 << 20 // of a picture that ffmpeg converts: 4 bytes for each of its pixels, and filters
	maxFrame      = "36000000"
)

var errNoFFmpeg = errors.New("no ffmpeg")

// scaled is the filter that makes a picture no longer than side, and never larger.
func scaled(side int) string {
	return fmt.Sprintf("scale=w='min(%[1]d,iw)':h='min(%[1]d,ih)':force_original_aspect_ratio=decrease", side)
}

// frame returns the first frame of a video that is not nearly black, else the very first, as a JPEG. It takes no longer
// than the time for a cover.
func (m *Media) frame(ctx context.Context, path, demuxer string) (picture []byte, err error) {
	if m.ffmpeg == "" {
		return nil, errNoFFmpeg
	}
	release, err := m.memory.take(ctx, m.childMemory())
	if err != nil {
		return nil, err
	}
	defer release()
	const bright = ",blackframe=amount=0:threshold=32,metadata=mode=select:key=lavfi.blackframe.pblack:value=75:function=less"
	// Key frames alone need less memory. What comes first leaves time for what is simpler.
	for _, try := range []struct {
		frames, filter string
		time           time.Duration
	}{
		{"default", scaled(coverSide) + bright, m.cfg.CoverTimeout / 2},
		{"nokey", scaled(coverSide) + bright, m.cfg.CoverTimeout / 4},
		{"default", scaled(coverSide), m.cfg.CoverTimeout / 4},
	} {
		picture, err = m.extract(ctx, try.time, path, demuxer, try.frames, try.filter)
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	return picture, err
}

// extract returns the first frame that comes out of a filter. The demuxer is named and only files may be opened: what
// somebody uploaded must not make ffmpeg fetch anything else.
func (m *Media) extract(ctx context.Context, limit time.Duration, path, demuxer, skip, filter string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	picture, err := m.run(ctx, maxCoverBytes, m.ffmpeg, "-nostdin", "-hide_banner", "-v", "error",
		"-protocol_whitelist", "file", "-f", demuxer, "-threads", "1", "-max_pixels", maxFrame, "-skip_frame", skip,
		"-t", "10", "-i", "file:"+path,
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

// convert returns a WebP as a PNG, no side longer than that of a stored picture.
func (m *Media) convert(ctx context.Context, src io.ReadSeeker) ([]byte, error) {
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	f, err := m.Spool(src, m.cfg.MaxPictureBytes)
	if err != nil {
		return nil, err
	}
	defer m.Release(f)
	release, err := m.memory.take(ctx, m.childMemory())
	if err != nil {
		return nil, err
	}
	defer release()
	within, cancel := context.WithTimeout(ctx, m.cfg.CoverTimeout)
	defer cancel()
	picture, err := m.run(within, maxPNGBytes, m.ffmpeg, "-nostdin", "-hide_banner", "-v", "error",
		"-protocol_whitelist", "file", "-f", "webp_pipe", "-threads", "1", "-max_pixels", fmt.Sprint(maxPixels), "-i", "file:"+f.Name(),
		"-map", "0:v:0", "-filter_threads", "1", "-vf", scaled(pictureSide)+",format=rgba", "-frames:v", "1", "-c:v", "png", "-threads", "1",
		"-f", "image2pipe", "pipe:1")
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		m.cfg.Log.InfoContext(ctx, "picture refused by ffmpeg", "error", err)
		return nil, errDamagedPicture
	}
	return picture, nil
}
