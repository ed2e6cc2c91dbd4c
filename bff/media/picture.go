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
	pictureSide = 1024    // pixels of a stored picture's longer side
	maxPixels   = 1 << 24 // of an uploaded picture; decoding takes some bytes for each
	maxScans    = 100     // of an uploaded JPEG; those that get better while they load have about ten
	encodeBytes = 6 << 20 // bytes of memory that encoding takes, buffers included
	jpegQuality = 85
)

var (
	errNotPicture     = refuse("the file is not a JPEG, PNG or WebP picture")
	errDamagedPicture = refuse("the picture is damaged")
)

// StagePicture prepares a picture for the store: JPEG, PNG or WebP becomes a JPEG of at most 1024 pixels a side, and
// what else the file held (places, comments, scripts) is gone. It reads src from its start. Anything else is refused
// with codes.InvalidArgument, what is over the limits of size and memory with codes.TooLarge.
func (m *Media) StagePicture(ctx context.Context, src io.ReadSeeker) (*Staged, error) {
	end, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	path, err := m.reencode(ctx, src, pictureSide)
	if err != nil {
		return nil, err
	}
	s := &Staged{m: m}
	s.add(path, blob.NewKey("pictures", "jpg"))
	return s, nil
}

// reencode reads a picture and returns a temporary file with it as a JPEG, no side longer than side.
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
	if h.lossless && m.ffmpeg != "" { // in Go, a few bytes of it take much memory
		converted, err := m.convert(ctx, src)
		if err != nil {
			return "", err
		}
		src = bytes.NewReader(converted)
		if h, err = readHeader(src, int64(len(converted))); err != nil {
			return "", err
		}
	}
	encoded, err := m.shrunk(ctx, src, h, side)
	if err != nil {
		return "", err
	}
	return m.write(encoded)
}

// shrunk returns a picture as a JPEG. It takes the memory for that from the budget first.
func (m *Media) shrunk(ctx context.Context, src io.ReadSeeker, h header, side int) ([]byte, error) {
	need := h.memory + shrinkBytes(h.width, h.height, side) + encodeBytes
	if need > m.memory.size {
		if h.lossless {
			return nil, codes.Errorf(codes.TooLarge, "the WebP picture is compressed without loss, which needs too much memory: send it as PNG or JPEG")
		}
		return nil, codes.Errorf(codes.TooLarge, "the picture needs %d MiB of memory to decode, at most %d MiB are allowed: send it with fewer pixels",
			need>>20, m.memory.size>>20)
	}
	release, err := m.memory.takeHeap(ctx, need)
	if err != nil {
		return nil, err
	}
	defer release()
	return transcode(src, h, side)
}

// transcode decodes a picture and returns it as a JPEG, no side longer than side. Nothing else refers to the decoded
// picture when it returns.
func transcode(src io.ReadSeeker, h header, side int) ([]byte, error) {
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	content := &source{r: src}
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

// decodePicture decodes a picture whose header is known. A decoder that panics has met a damaged one.
func decodePicture(r io.Reader, h header) (picture image.Image, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decode picture: %v", p)
		}
	}()
	picture, err = h.decode(r)
	if err == nil && picture.Bounds().Size() != image.Pt(h.width, h.height) {
		err = errors.New("decode picture: its size is not that of its header")
	}
	return picture, err
}

// steps calls visit with the sizes by which a picture shrinks until no side is longer than side. It halves until one
// small step is left: that is as good as one large step and needs little memory.
func steps(w, h, side int, visit func(w, h int)) {
	for max(w, h) >= 2*side {
		w, h = max(1, w/2), max(1, h/2)
		visit(w, h)
	}
	if longer := max(w, h); longer > side {
		w, h = max(1, w*side/longer), max(1, h*side/longer)
	}
	visit(w, h)
}

// shrinkBytes returns how much memory shrink allocates.
func shrinkBytes(w, h, side int) (n int64) {
	steps(w, h, side, func(w, h int) { n += 4 * int64(w) * int64(h) })
	return n
}

// shrink returns the picture on white, no side longer than side.
func shrink(picture image.Image, side int) image.Image {
	steps(picture.Bounds().Dx(), picture.Bounds().Dy(), side, func(w, h int) { picture = scale(picture, w, h) })
	return picture
}

func scale(picture image.Image, w, h int) *image.RGBA {
	scaled := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(scaled, scaled.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(scaled, scaled.Bounds(), picture, picture.Bounds(), draw.Over, nil)
	return scaled
}

func encode(picture image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: jpegQuality})
	return b.Bytes(), err
}
