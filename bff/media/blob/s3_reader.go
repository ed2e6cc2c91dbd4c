package blob

import (
	"errors"
	"io"
	"regexp"
	"strconv"
)

var oneRange = regexp.MustCompile(`^bytes=[0-9]+-([0-9]+)$`)

// rangeEnd returns the offset where the range of a Range header ends. It returns size for any other form of the header.
func rangeEnd(ranges string, size int64) int64 {
	if parts := oneRange.FindStringSubmatch(ranges); parts != nil {
		if last, err := strconv.ParseInt(parts[1], 10, 64); err == nil && last < size {
			return last + 1
		}
	}
	return size
}

// objectReader reads an object with one request after each seek, and resumes after a broken connection. The client
// library's own reader does not resume, and always requests the object to its end.
type objectReader struct {
	size int64
	end  int64 // reading is expected to stop here
	get  func(from, to int64) (io.ReadCloser, error)
	fail func(err error) error // is called with an error that ends the reading

	offset int64
	body   io.ReadCloser // at offset; nil = no request is open
}

// Seek sets the offset. It sends no request.
func (o *objectReader) Seek(offset int64, whence int) (int64, error) {
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
		_ = o.Close() // its body is at the old offset
	}
	o.offset = offset
	return offset, nil
}

// Read reads the next bytes. It returns an error after all attempts have failed, which takes some seconds.
func (o *objectReader) Read(p []byte) (int, error) {
	var last error
	for range maxAttempts {
		if o.offset >= o.size {
			return 0, io.EOF
		}
		if o.body == nil {
			to := o.size
			if o.offset < o.end {
				to = o.end
			}
			body, err := o.get(o.offset, to) // with retries
			if err != nil {
				return 0, o.fail(err)
			}
			o.body = body
		}
		n, err := o.body.Read(p)
		o.offset += int64(n)
		if err != nil {
			_ = o.Close() // a body that has failed is discarded
			last = err
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, o.fail(last)
}

// Close closes the open request.
func (o *objectReader) Close() error {
	if o.body == nil {
		return nil
	}
	body := o.body
	o.body = nil
	return body.Close()
}
