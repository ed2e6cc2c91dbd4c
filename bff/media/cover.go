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
	coverSide     = 720        // pixels of the longer side of a cover
	maxCoverBytes = 4 << 20    // of a cover from ffmpeg
	maxPNGBytes   = 6 << 20    // of a picture from ffmpeg: 4 bytes for each pixel, and filters
	maxFrame      = "36000000" // pixels of a video frame
)

var errNoFFmpeg = errors.New("no ffmpeg")

// scaled returns the filter that limits the longer side of a picture. It never enlarges.
func scaled(side int) string {
	return fmt.Sprintf("scale=w='min(%[1]d,iw)':h='min(%[1]d,ih)':force_original_aspect_ratio=decrease", side)
}

// coverFrame returns the first frame of a video that is not nearly black, or the first frame, as a JPEG. It takes at
// most Config.CoverTimeout.
func (m *Media) coverFrame(ctx context.Context, path, demuxer string) (picture []byte, err error) {
	if m.ffmpeg == "" {
		return nil, errNoFFmpeg
	}
	release, err := m.memory.acquire(ctx, m.childMemory())
	if err != nil {
		return nil, err
	}
	defer release()
	const bright = ",blackframe=amount=0:threshold=32,metadata=mode=select:key=lavfi.blackframe.pblack:value=75:function=less"
	// Key frames alone need less memory. Each attempt leaves time for the next, which is simpler.
	for _, attempt := range []struct {
		skip, filter string
		timeout      time.Duration
	}{
		{"default", scaled(coverSide) + bright, m.cfg.CoverTimeout / 2},
		{"nokey", scaled(coverSide) + bright, m.cfg.CoverTimeout / 4},
		{"default", scaled(coverSide), m.cfg.CoverTimeout / 4},
	} {
		picture, err = m.extractFrame(ctx, attempt.timeout, path, demuxer, attempt.skip, attempt.filter)
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	return picture, err
}

// extractFrame returns the first frame that a filter selects. ffmpeg gets the demuxer and may only open files, so that
// an upload cannot make it open a URL.
func (m *Media) extractFrame(ctx context.Context, timeout time.Duration, path, demuxer, skip, filter string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
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

// convertWebP returns a WebP as a PNG of at most the size of a stored picture.
func (m *Media) convertWebP(ctx context.Context, src io.ReadSeeker) ([]byte, error) {
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	f, err := m.Spool(src, m.cfg.MaxPictureBytes)
	if err != nil {
		return nil, err
	}
	defer m.Release(f)
	release, err := m.memory.acquire(ctx, m.childMemory())
	if err != nil {
		return nil, err
	}
	defer release()
	ffmpegCtx, cancel := context.WithTimeout(ctx, m.cfg.CoverTimeout)
	defer cancel()
	picture, err := m.run(ffmpegCtx, maxPNGBytes, m.ffmpeg, "-nostdin", "-hide_banner", "-v", "error",
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
