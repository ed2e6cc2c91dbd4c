package mp4

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	mp4bits "github.com/Eyevinn/mp4ff/bits"
	mp4ff "github.com/Eyevinn/mp4ff/mp4"
)

const (
	maxBoxes = 100_000  // top-level boxes; an hour in fragments of a tenth of a second has 72,000
	maxIndex = 16 << 20 // bytes of moov, or of one moof
)

// box is the position of a box in a file.
type box struct {
	boxType string
	start   int64
	size    int64 // with its header
}

func (b box) end() int64 { return b.start + b.size }

// ReadBoxes reads the headers of all top-level boxes of a file of size bytes.
func ReadBoxes(r io.ReaderAt, size int64) (Boxes, error) {
	var boxes Boxes
	for offset := int64(0); offset < size; {
		if len(boxes) == maxBoxes {
			return nil, ErrDamaged
		}
		var head [16]byte
		n, err := r.ReadAt(head[:], offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read video: %w", err)
		}
		if n < 8 {
			break // a few extra bytes at the end are ignored
		}
		length, header := boxSize(head[:n], size-offset)
		if header == 0 || length < header {
			return nil, ErrDamaged
		}
		if length > size-offset {
			return nil, ErrCutOff
		}
		boxes = append(boxes, box{string(head[4:8]), offset, length})
		offset += length
	}
	return boxes, nil
}

// boxSize returns the size of a box and of its header. head is the start of the box, rest is the size of a box that
// extends to the end of the file. It returns 0 for the header if head is too short.
func boxSize(head []byte, rest int64) (length, header int64) {
	if len(head) < 8 {
		return 0, 0
	}
	switch length := binary.BigEndian.Uint32(head); length {
	case 0:
		return rest, 8
	case 1:
		if len(head) < 16 {
			return 0, 0
		}
		return int64(min(binary.BigEndian.Uint64(head[8:]), 1<<62)), 16
	default:
		return int64(length), 8
	}
}

// readBox returns a whole box of at most maxIndex bytes.
func readBox(r io.ReaderAt, b box) ([]byte, error) {
	if b.size > maxIndex {
		return nil, errLargeIndex
	}
	content := make([]byte, b.size)
	if _, err := r.ReadAt(content, b.start); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read video: %w", err)
	}
	return content, nil
}

// hasBrand reports whether the file type box names brand as the major one.
func hasBrand(r io.ReaderAt, ftyp box, brand string) bool {
	var major [4]byte
	_, err := r.ReadAt(major[:], ftyp.start+8)
	return err == nil && ftyp.size >= 12 && string(major[:]) == brand
}

// eachBox calls visit with the type and all bytes of every box directly inside parent.
func eachBox(parent []byte, visit func(boxType string, b []byte) error) error {
	_, header := boxSize(parent, int64(len(parent)))
	if header == 0 {
		return ErrDamaged
	}
	for rest := parent[header:]; len(rest) >= 8; {
		length, header := boxSize(rest, int64(len(rest)))
		if header == 0 || length < header || length > int64(len(rest)) {
			return ErrDamaged
		}
		if err := visit(string(rest[4:8]), rest[:length]); err != nil {
			return err
		}
		rest = rest[length:]
	}
	return nil
}

// decode decodes a box without children. The library allocates no more than a few times the size of the box, but it
// panics on some damaged boxes.
func decode[T mp4ff.Box](b []byte) (t T, err error) {
	defer func() {
		if recover() != nil {
			err = ErrDamaged
		}
	}()
	decoded, err := mp4ff.DecodeBoxSR(0, mp4bits.NewFixedSliceReader(b))
	t, ok := decoded.(T)
	if err != nil || !ok {
		return t, ErrDamaged
	}
	return t, nil
}

// mulAdd returns a*b+c; ok is false if the result overflows an int64.
func mulAdd(a, b, c uint64) (result uint64, ok bool) {
	hi, lo := bits.Mul64(a, b)
	sum, carry := bits.Add64(lo, c, 0)
	return sum, hi == 0 && carry == 0 && sum < 1<<63
}
