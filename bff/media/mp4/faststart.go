package mp4

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// ErrLargeOffset is the error for an index that cannot be moved: a chunk offset would exceed its 32-bit field.
var ErrLargeOffset = errors.New("a chunk offset would exceed 32 bits")

// Faststart writes the file src to dst with its index moved to the front. The media is streamed from file to file. It
// writes nothing and returns ErrLargeOffset if the index cannot be moved.
func (l Layout) Faststart(ctx context.Context, dst, src *os.File) error {
	info, err := src.Stat()
	if err != nil {
		return fmt.Errorf("move index of video: %w", err)
	}
	index, err := l.movedIndex(src, info.Size())
	if err != nil {
		return err
	}
	err = copyRange(ctx, dst, src, 0, l.front)
	if err == nil {
		_, err = dst.Write(index)
	}
	if err == nil {
		err = copyRange(ctx, dst, src, l.front, l.index.start)
	}
	if err == nil {
		err = copyRange(ctx, dst, src, l.index.end(), info.Size())
	}
	if err != nil {
		return fmt.Errorf("move index of video: %w", err)
	}
	return nil
}

// movedIndex returns the index with the chunk offsets for its place at the front of a file of size bytes.
func (l Layout) movedIndex(r io.ReaderAt, size int64) ([]byte, error) {
	index, err := readBox(r, l.index)
	if err != nil {
		return nil, err
	}
	// An index of size 0 extends to the end of the file. At the front it needs its size.
	if binary.BigEndian.Uint32(index) == 0 {
		binary.BigEndian.PutUint32(index, uint32(len(index)))
	}
	if err := l.shiftOffsets("moov", index); err != nil {
		return nil, err
	}
	// A chunk that overlapped the index has lost its end.
	if _, err := parseMovie(index, size); err != nil {
		return nil, ErrDamaged
	}
	return index, nil
}

// shiftOffsets corrects the chunk offsets in moov: what is between the front and the old position of the index moves
// back by the size of the index.
func (l Layout) shiftOffsets(parentType string, parent []byte) error {
	return eachBox(parent, func(boxType string, b []byte) error {
		if boxType == inside[parentType] {
			return l.shiftOffsets(boxType, b)
		}
		if parentType != "stbl" {
			return nil // tables elsewhere were not checked and have no meaning
		}
		switch boxType {
		case "stco":
			for table := b[16:]; len(table) >= 4; table = table[4:] {
				offset := l.shifted(uint64(binary.BigEndian.Uint32(table)))
				if offset > math.MaxUint32 {
					return ErrLargeOffset
				}
				binary.BigEndian.PutUint32(table, uint32(offset))
			}
		case "co64":
			for table := b[16:]; len(table) >= 8; table = table[8:] {
				binary.BigEndian.PutUint64(table, l.shifted(binary.BigEndian.Uint64(table)))
			}
		}
		return nil
	})
}

// shifted returns the offset that a byte has once the index is at the front.
func (l Layout) shifted(offset uint64) uint64 {
	if offset < uint64(l.front) || offset >= uint64(l.index.start) {
		return offset
	}
	return offset + uint64(l.index.size)
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
