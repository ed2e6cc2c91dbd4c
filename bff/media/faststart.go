package media

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// faststart copies an MP4 with its index moved to the front and returns the copy's path. The media is streamed from
// file to file. Where the index cannot be moved the path of f is returned: it plays, if later.
func (m *Media) faststart(ctx context.Context, f *os.File, l layout) (_ string, err error) {
	release, err := m.memory.takeHeap(ctx, indexBytes([]box{l.index}))
	if err != nil {
		return "", err
	}
	defer release()
	index, err := readBox(f, l.index)
	if err != nil {
		return "", err
	}
	// An index without a size lasted to the end of the file; now it does not.
	if binary.BigEndian.Uint32(index) == 0 {
		binary.BigEndian.PutUint32(index, uint32(len(index)))
	}
	if err := shiftOffsets("moov", index, l); err != nil {
		m.cfg.Log.Info("keep video as it is", "error", err)
		return f.Name(), nil
	}
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("move index of video: %w", err)
	}
	// A chunk that reached into the index has now lost its end.
	if _, err := parseMovie(index, info.Size()); err != nil {
		return "", errDamaged
	}
	out, err := os.CreateTemp(m.tmp, "video-*")
	if err != nil {
		return "", fmt.Errorf("create temporary file: %w", err)
	}
	defer func() {
		if err = errors.Join(err, out.Close()); err != nil {
			m.discard(out.Name())
		}
	}()
	err = copyRange(ctx, out, f, 0, l.front)
	if err == nil {
		_, err = out.Write(index)
	}
	if err == nil {
		err = copyRange(ctx, out, f, l.front, l.index.start)
	}
	if err == nil {
		err = copyRange(ctx, out, f, l.index.end(), info.Size())
	}
	if err != nil {
		return "", fmt.Errorf("move index of video: %w", err)
	}
	return out.Name(), nil
}

// copyRange appends the bytes from start to end of src to dst.
func copyRange(ctx context.Context, dst, src *os.File, start, end int64) error {
	const step = 16 << 20
	if _, err := src.Seek(start, io.SeekStart); err != nil {
		return err
	}
	for start < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(step, end-start)
		if _, err := io.CopyN(dst, src, n); err != nil {
			return err
		}
		start += n
	}
	return nil
}

// shiftOffsets corrects the places of chunks in moov for its move to the front: what lay between there and its old
// place moves back by its size. It fails when a place no longer fits its field.
func shiftOffsets(parentKind string, parent []byte, l layout) error {
	moves := func(offset uint64) bool { return offset >= uint64(l.front) && offset < uint64(l.index.start) }
	return eachBox(parent, func(kind string, b []byte) error {
		if kind == inside[parentKind] {
			return shiftOffsets(kind, b, l)
		}
		if parentKind != "stbl" {
			return nil // what stands elsewhere was not checked, and means nothing
		}
		switch kind {
		case "stco":
			for table := b[16:]; len(table) >= 4; table = table[4:] {
				if offset := uint64(binary.BigEndian.Uint32(table)); moves(offset) {
					offset += uint64(l.index.size)
					if offset > math.MaxUint32 {
						return errors.New("the places of its chunks outgrow 32 bits")
					}
					binary.BigEndian.PutUint32(table, uint32(offset))
				}
			}
		case "co64":
			for table := b[16:]; len(table) >= 8; table = table[8:] {
				if offset := binary.BigEndian.Uint64(table); moves(offset) {
					binary.BigEndian.PutUint64(table, offset+uint64(l.index.size))
				}
			}
		}
		return nil
	})
}
