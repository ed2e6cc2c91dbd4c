package media

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"minidouyin/bff/media/blob"
	"minidouyin/bff/media/mp4"
)

// StageVideo judges src by its content and prepares it for the store: the index of an MP4 is moved to its front so
// that players start at once, and there is always a cover: the given one, else a frame of the video where ffmpeg is
// installed, else a drawn picture that carries the title.
//
// A file that Spool returned is used in place of a copy; it still belongs to the caller, who releases it. What is no
// video, cut off, damaged or of a kind that cannot be examined here is refused with codes.InvalidArgument, what is
// over the size limit with codes.TooLarge.
func (m *Media) StageVideo(ctx context.Context, src io.ReadSeeker, title string, cover io.ReadSeeker) (staged *Staged, err error) {
	f, err := m.adopt(src)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &Staged{m: m}
	defer func() {
		if staged == nil { // also when a damaged file makes us panic
			m.discard(f.Name())
			s.Discard()
		}
	}()
	end, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()

	v, err := m.checkVideo(ctx, f)
	if err != nil {
		return nil, err
	}
	video := f.Name()
	if v.layout.SlowStart() {
		if video, err = m.faststart(ctx, f, v.layout); err != nil {
			return nil, err
		}
		if video != f.Name() {
			m.discard(f.Name())
		}
	}
	s.add(video, blob.NewKey("videos", v.extension))
	picture, err := m.stageCover(ctx, video, v.demuxer, title, cover)
	if err != nil {
		return nil, err
	}
	s.add(picture, blob.NewKey("covers", "jpg"))
	return s, nil
}

// faststart copies an MP4 with its index moved to the front and returns the copy's path. Where the index cannot be moved
// the path of f is returned: it plays, if later.
func (m *Media) faststart(ctx context.Context, f *os.File, l mp4.Layout) (string, error) {
	release, err := m.memory.takeHeap(ctx, l.Memory())
	if err != nil {
		return "", err
	}
	defer release()
	out, err := os.CreateTemp(m.tmp, "video-*")
	if err != nil {
		return "", fmt.Errorf("create temporary file: %w", err)
	}
	moved := false
	defer func() {
		if !moved { // also when a damaged file makes us panic
			_ = out.Close()
			m.discard(out.Name())
		}
	}()
	if err := l.Faststart(ctx, out, f); errors.Is(err, mp4.ErrLargeOffset) {
		m.cfg.Log.Info("keep video as it is", "error", err)
		return f.Name(), nil
	} else if err != nil {
		return "", err
	}
	if err := out.Close(); err != nil {
		return "", fmt.Errorf("move index of video: %w", err)
	}
	moved = true
	return out.Name(), nil
}

// stageCover returns a temporary file with the video's cover.
func (m *Media) stageCover(ctx context.Context, video, demuxer, title string, given io.ReadSeeker) (string, error) {
	if given != nil {
		return m.reencode(ctx, given, coverSide)
	}
	picture, err := m.frame(ctx, video, demuxer)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		if !errors.Is(err, errNoFFmpeg) {
			m.cfg.Log.WarnContext(ctx, "make cover from video", "error", err)
		}
		if picture, err = drawPlaceholder(title); err != nil {
			return "", fmt.Errorf("draw cover: %w", err)
		}
	}
	return m.write(picture)
}

// adopt returns src as a temporary file of ours that is independent of what happens to src.
func (m *Media) adopt(src io.ReadSeeker) (*os.File, error) {
	if f, ok := src.(*os.File); ok && filepath.Dir(f.Name()) == filepath.Clean(m.tmp) {
		info, err := f.Stat()
		if err != nil {
			return nil, fmt.Errorf("stat upload: %w", err)
		}
		if info.Size() > m.cfg.MaxVideoBytes {
			return nil, tooLarge(m.cfg.MaxVideoBytes)
		}
		name := filepath.Join(m.tmp, "video-"+rand.Text())
		if os.Link(f.Name(), name) == nil {
			linked, err := os.Open(name)
			if err != nil {
				m.discard(name)
				return nil, fmt.Errorf("open upload: %w", err)
			}
			return linked, nil
		}
		// Some file systems have no links; then a copy is made.
	}
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("rewind upload: %w", err)
	}
	return m.Spool(src, m.cfg.MaxVideoBytes)
}

// write returns a temporary file with the given content.
func (m *Media) write(content []byte) (_ string, err error) {
	f, err := os.CreateTemp(m.tmp, "picture-*")
	if err != nil {
		return "", fmt.Errorf("create temporary file: %w", err)
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		m.discard(f.Name())
		return "", fmt.Errorf("write temporary file: %w", err)
	}
	return f.Name(), nil
}
