package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"

	"golang.org/x/image/draw"

	"minidouyin/bff/media/blob"
	"minidouyin/idl/codes"
)

const (
	pictureSide = 1024    // pixels of the longer side of a stored picture
	maxPixels   = 1 << 24 // of an uploaded picture
	maxScans    = 100     // of an uploaded JPEG; progressive ones have about ten
	encodeBytes = 6 << 20 // memory for encoding, buffers included
	jpegQuality = 85
)

var (
	errNotPicture     = invalid("the file is not a JPEG, PNG or WebP picture")
	errDamagedPicture = invalid("the picture is damaged")
)

// StagePicture prepares a picture for the store. It reads src from its start and re-encodes a JPEG, PNG or WebP as a
// JPEG of at most 1024 pixels a side, without metadata such as places and comments. It returns an error with
// codes.InvalidArgument for any other file, and one with codes.TooLarge for a file over the limits of size and memory.
func (m *Media) StagePicture(ctx context.Context, src io.ReadSeeker) (*Staged, error) {
	release, err := m.acquireJob(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	path, err := m.reencode(ctx, src, pictureSide)
	if err != nil {
		return nil, err
	}
	s := &Staged{m: m}
	s.add(path, blob.NewKey("pictures", "jpg"))
	return s, nil
}

// reencode returns the path of a temporary file with a picture as a JPEG, whose longer side is at most side pixels.
func (m *Media) reencode(ctx context.Context, src io.ReadSeeker, side int) (string, error) {
	size, err := src.Seek(0, io.SeekEnd)
	switch {
	case err != nil:
		return "", fmt.Errorf("read picture: %w", err)
	case size == 0:
		return "", errEmpty
	case size > m.cfg.MaxPictureBytes:
		return "", tooLarge(m.cfg.MaxPictureBytes)
	}
	h, err := readHeader(src, size)
	if err != nil {
		return "", err
	}
	if h.lossless && m.ffmpeg != "" { // decoding it in Go may take much memory
		converted, err := m.convertWebP(ctx, src)
		if err != nil {
			return "", err
		}
		src = bytes.NewReader(converted)
		if h, err = readHeader(src, int64(len(converted))); err != nil {
			return "", err
		}
	}
	encoded, err := m.transcodeInBudget(ctx, src, h, side)
	if err != nil {
		return "", err
	}
	return m.writeTemp(encoded)
}

// transcodeInBudget acquires the memory for transcode and calls it.
func (m *Media) transcodeInBudget(ctx context.Context, src io.ReadSeeker, h header, side int) ([]byte, error) {
	need := h.memory + shrinkBytes(h.width, h.height, side) + encodeBytes
	if need > m.memory.size {
		if h.lossless {
			return nil, codes.Errorf(codes.TooLarge, "the WebP picture is compressed without loss, which needs too much memory: send it as PNG or JPEG")
		}
		return nil, codes.Errorf(codes.TooLarge, "the picture needs %d MiB of memory to decode, at most %d MiB are allowed: send it with fewer pixels",
			need>>20, m.memory.size>>20)
	}
	release, err := m.memory.acquireHeap(ctx, need)
	if err != nil {
		return nil, err
	}
	defer release()
	return transcode(src, h, side)
}

// transcode returns a picture as a JPEG whose longer side is at most side pixels. The decoded picture is garbage when
// it returns.
func transcode(src io.ReadSeeker, h header, side int) ([]byte, error) {
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	content := &errReader{r: src}
	picture, err := decodePicture(content, h)
	if content.err != nil {
		return nil, fmt.Errorf("read picture: %w", content.err)
	}
	if err != nil {
		return nil, errDamagedPicture
	}
	encoded, err := encode(shrink(picture, side))
	if err != nil {
		return nil, fmt.Errorf("encode picture: %w", err)
	}
	return encoded, nil
}

// decodePicture decodes a picture with this header. It returns an error if the decoder panics, as some do on damaged
// pictures.
func decodePicture(r io.Reader, h header) (picture image.Image, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decode picture: %v", p)
		}
	}()
	picture, err = h.decode(r)
	if err == nil && picture.Bounds().Size() != image.Pt(h.width, h.height) {
		err = errors.New("decode picture: its size differs from the header")
	}
	return picture, err
}

// shrinkSteps calls visit with the sizes through which a picture shrinks to side pixels. It halves the size until one
// small step is left: the quality is that of one large step, and it needs less memory.
func shrinkSteps(w, h, side int, visit func(w, h int)) {
	for max(w, h) >= 2*side {
		w, h = max(1, w/2), max(1, h/2)
		visit(w, h)
	}
	if longer := max(w, h); longer > side {
		w, h = max(1, w*side/longer), max(1, h*side/longer)
	}
	visit(w, h)
}

// shrinkBytes returns how many bytes shrink allocates.
func shrinkBytes(w, h, side int) (n int64) {
	shrinkSteps(w, h, side, func(w, h int) { n += 4 * int64(w) * int64(h) })
	return n
}

// shrink returns the picture on white, with at most side pixels on the longer side.
func shrink(picture image.Image, side int) image.Image {
	shrinkSteps(picture.Bounds().Dx(), picture.Bounds().Dy(), side, func(w, h int) { picture = scale(picture, w, h) })
	return picture
}

// scale returns the picture on white, in this size.
func scale(picture image.Image, w, h int) *image.RGBA {
	scaled := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(scaled, scaled.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(scaled, scaled.Bounds(), picture, picture.Bounds(), draw.Over, nil)
	return scaled
}

// encode returns the picture as a JPEG.
func encode(picture image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: jpegQuality})
	return b.Bytes(), err
}
