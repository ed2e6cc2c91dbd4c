package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	_ "image/png" // decoders register themselves
	"io"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"
)

const (
	pictureSide = 1024    // pixels of a stored picture's longer side
	maxPixels   = 1 << 24 // of an uploaded picture; decoding takes a few bytes for each
	maxScans    = 100     // of an uploaded JPEG; those that get better while they load have about ten
	maxLossless = 1 << 19 // bytes of an uploaded WebP that are compressed without loss; a few bits may take a kilobyte of memory
	jpegQuality = 85
)

var errNotPicture = refuse("the file is not a JPEG, PNG or WebP picture")

// StagePicture prepares a picture for the store: JPEG, PNG or WebP becomes a JPEG of at most 1024 pixels a side, and
// what else the file held (places, comments, scripts) is gone. Anything else is refused with codes.InvalidArgument,
// what is over the size limit with codes.TooLarge.
func (m *Media) StagePicture(ctx context.Context, src io.Reader) (*Staged, error) {
	end, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	path, err := m.reencode(src, pictureSide)
	if err != nil {
		return nil, err
	}
	s := &Staged{m: m}
	s.add(path, newKey("pictures", "jpg"))
	return s, nil
}

// reencode reads a picture and returns a temporary file with it as a JPEG, no side longer than side.
func (m *Media) reencode(src io.Reader, side int) (string, error) {
	limit := m.cfg.MaxPictureBytes
	content, err := io.ReadAll(io.LimitReader(src, limit+1))
	switch {
	case err != nil:
		return "", readError(err)
	case len(content) == 0:
		return "", errEmpty
	case int64(len(content)) > limit:
		return "", tooLarge(limit)
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return "", errNotPicture
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > maxPixels/config.Height {
		return "", refuse(fmt.Sprintf("the picture has more than %d million pixels", maxPixels>>20))
	}
	if format == "jpeg" && scans(content) > maxScans {
		return "", refuse("the picture is made of too many scans")
	}
	if format == "webp" {
		switch n := lossless(content); {
		case n > maxLossless:
			return "", refuse("the WebP picture has too much that is compressed without loss: send it as PNG or JPEG")
		case n > 0:
			m.lossless.Lock() // the codes alone may take 200 MB
			defer m.lossless.Unlock()
		}
	}
	picture, err := decodePicture(content)
	if err != nil {
		return "", refuse("the picture is damaged")
	}
	encoded, err := encode(shrink(picture, side))
	if err != nil {
		return "", fmt.Errorf("encode picture: %w", err)
	}
	return m.write(encoded)
}

// scans counts the scans of a JPEG. Each may take a few bytes for all pixels, and decoding goes over all pixels for
// each.
func scans(content []byte) (n int) {
	for at := 2; at+3 < len(content); {
		marker := content[at+1]
		switch {
		case content[at] != 0xff || marker == 0xff: // pixels, or filling
			at++
		case marker == 0 || marker >= 0xd0 && marker <= 0xd7: // within pixels
			at += 2
		case marker == 0xd9: // the end
			return n
		default:
			if marker == 0xda {
				n++
			}
			at += 2 + int(binary.BigEndian.Uint16(content[at+2:]))
		}
	}
	return n
}

// lossless returns how many bytes of a WebP, in pixels or transparency, are compressed without loss.
func lossless(content []byte) (n int) {
	const header = 8 // of a chunk: its kind and the size of what follows, which is filled up to an even one
	for at := 12; at+header <= len(content); {
		size := int(binary.LittleEndian.Uint32(content[at+4:]))
		if kind := string(content[at : at+4]); kind == "VP8L" || kind == "ALPH" {
			n += size
		}
		at += header + size + size&1
	}
	return n
}

// decodePicture decodes a picture. A decoder that panics has met a damaged one.
func decodePicture(content []byte) (picture image.Image, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decode picture: %v", p)
		}
	}()
	picture, _, err = image.Decode(bytes.NewReader(content))
	return picture, err
}

// shrink returns the picture on white, no side longer than side. It halves until one small step is left: that is as
// good as one large step and needs little memory.
func shrink(picture image.Image, side int) *image.RGBA {
	w, h := picture.Bounds().Dx(), picture.Bounds().Dy()
	for max(w, h) >= 2*side {
		w, h = max(1, w/2), max(1, h/2)
		picture = scale(picture, w, h)
	}
	if longer := max(w, h); longer > side {
		w, h = max(1, w*side/longer), max(1, h*side/longer)
	}
	return scale(picture, w, h)
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
