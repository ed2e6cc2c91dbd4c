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

// StageVideo checks the content of src and prepares it for the store. It moves the index of an MP4 to the front, so
// that players start at once. The cover is the given one, else a frame of the video if there is ffmpeg, else a
// placeholder with the title.
//
// A file that Spool returned is linked, not copied; the caller still releases it. StageVideo returns an error with
// codes.InvalidArgument if src is not a video, cut off, damaged or in a container that cannot be checked here, and one
// with codes.TooLarge if it is over the limit of size.
func (m *Media) StageVideo(ctx context.Context, src io.ReadSeeker, title string, cover io.ReadSeeker) (staged *Staged, err error) {
	f, err := m.linkOrCopy(src)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &Staged{m: m}
	defer func() {
		if staged == nil { // also after a panic
			m.discard(f.Name())
			s.Discard()
		}
	}()
	release, err := m.acquireJob(ctx)
	if err != nil {
		return nil, err
	}
	defer release()

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

// faststart copies an MP4 with its index at the front and returns the path of the copy. If the index cannot be moved it
// returns the path of f, which plays but starts later.
func (m *Media) faststart(ctx context.Context, f *os.File, l mp4.Layout) (string, error) {
	release, err := m.memory.acquireHeap(ctx, l.Memory())
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
		if !moved { // also after a panic
			_ = out.Close()
			m.discard(out.Name())
		}
	}()
	if err := l.Faststart(ctx, out, f); errors.Is(err, mp4.ErrLargeOffset) {
		m.cfg.Log.Info("cannot move the index of the video, storing it as it is", "error", err)
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

// stageCover returns the path of a temporary file with the cover of a video.
func (m *Media) stageCover(ctx context.Context, video, demuxer, title string, given io.ReadSeeker) (string, error) {
	if given != nil {
		return m.reencode(ctx, given, coverSide)
	}
	picture, err := m.coverFrame(ctx, video, demuxer)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		if !errors.Is(err, errNoFFmpeg) {
			m.cfg.Log.WarnContext(ctx, "cannot make cover from video, using the placeholder", "error", err)
		}
		if picture, err = drawPlaceholder(title); err != nil {
			return "", fmt.Errorf("draw cover: %w", err)
		}
	}
	return m.writeTemp(picture)
}

// linkOrCopy returns a temporary file with the content of src, which the caller may close or remove.
func (m *Media) linkOrCopy(src io.ReadSeeker) (*os.File, error) {
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
		// Some file systems have no links.
	}
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("rewind upload: %w", err)
	}
	return m.Spool(src, m.cfg.MaxVideoBytes)
}

// writeTemp returns the path of a temporary file with this content.
func (m *Media) writeTemp(content []byte) (_ string, err error) {
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
