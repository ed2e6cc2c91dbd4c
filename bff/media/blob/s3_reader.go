package blob

import (
	"errors"
	"io"
	"regexp"
	"strconv"
)

var oneRange = regexp.MustCompile(`^bytes=[0-9]+-([0-9]+)$`)

// wantedEnd returns where the part of a file ends that a Range header asks for, the size when it is not as simple as
// players send it.
func wantedEnd(ranges string, size int64) int64 {
	if asked := oneRange.FindStringSubmatch(ranges); asked != nil {
		if last, err := strconv.ParseInt(asked[1], 10, 64); err == nil && last < size {
			return last + 1
		}
	}
	return size
}

// object reads an object from where it was sought to, in as few requests as there are jumps. It goes on where it was
// when a connection breaks.
type object struct {
	size   int64
	wanted int64 // where reading is likely to end
	get    func(from, to int64) (io.ReadCloser, error)
	fail   func(err error) error // is told what ends the reading early

	offset int64
	body   io.ReadCloser // at offset; nil = to be asked for
}

// Seek moves to another place. It asks for nothing yet.
func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.offset
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return 0, errors.New("seek: before the start")
	}
	if offset != o.offset {
		_ = o.Close() // what was not read is not wanted
	}
	o.offset = offset
	return offset, nil
}

// Read reads on. An error means that the store has been away for some seconds.
func (o *object) Read(p []byte) (int, error) {
	var last error
	for range tries {
		if o.offset >= o.size {
			return 0, io.EOF
		}
		if o.body == nil {
			to := o.size
			if o.offset < o.wanted {
				to = o.wanted
			}
			body, err := o.get(o.offset, to) // tries again by itself
			if err != nil {
				return 0, o.fail(err)
			}
			o.body = body
		}
		n, err := o.body.Read(p)
		o.offset += int64(n)
		if err != nil {
			_ = o.Close() // it is of no more use
			last = err
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, o.fail(last)
}

// Close ends a request that runs.
func (o *object) Close() error {
	if o.body == nil {
		return nil
	}
	body := o.body
	o.body = nil
	return body.Close()
}
