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

// errOffsets says that chunks would lie further back than the index can say.
var errOffsets = errors.New("the places of its chunks outgrow 32 bits")

// ErrCannotMove says that the index of a file stays where it is.
var ErrCannotMove = errors.New("the index cannot be moved")

// Faststart writes the file to dst with its index moved to the front. The media is streamed from file to file. It fails
// with ErrCannotMove where the index cannot be moved.
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

// movedIndex returns the index as it is at the front of a file of size bytes.
func (l Layout) movedIndex(r io.ReaderAt, size int64) ([]byte, error) {
	index, err := readBox(r, l.index)
	if err != nil {
		return nil, err
	}
	// An index without a size lasted to the end of the file; now it does not.
	if binary.BigEndian.Uint32(index) == 0 {
		binary.BigEndian.PutUint32(index, uint32(len(index)))
	}
	if err := shiftOffsets("moov", index, l); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCannotMove, err)
	}
	// A chunk that reached into the index has now lost its end.
	if _, err := parseMovie(index, size); err != nil {
		return nil, ErrDamaged
	}
	return index, nil
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
func shiftOffsets(parentKind string, parent []byte, l Layout) error {
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
						return errOffsets
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
