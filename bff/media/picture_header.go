package media

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

// header describes a picture before it is decoded.
type header struct {
	width, height int
	decode        func(io.Reader) (image.Image, error)
	memory        int64 // bytes that decode allocates at most
	lossless      bool  // it is a WebP with lossless pixels or transparency
}

// readHeader reads the header of a JPEG, PNG or WebP of size bytes. It returns an error if there are too many pixels or
// scans.
func readHeader(src io.ReadSeeker, size int64) (h header, err error) {
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return h, fmt.Errorf("read picture: %w", err)
	}
	content := &errReader{r: src}
	config, format, err := image.DecodeConfig(content)
	if content.err != nil {
		return h, fmt.Errorf("read picture: %w", content.err)
	}
	if err != nil {
		return h, errNotPicture
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > maxPixels/config.Height {
		return h, invalid(fmt.Sprintf("the picture has more than %d million pixels", maxPixels>>20))
	}
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return h, fmt.Errorf("read picture: %w", err)
	}
	h = header{width: config.Width, height: config.Height}
	r := bufio.NewReader(content)
	switch format {
	case "jpeg":
		err = h.readJPEG(r)
	case "png":
		err = h.readPNG(r)
	case "webp":
		err = h.readWebP(r, size)
	default: // registered by another package
		err = errNotPicture
	}
	if content.err != nil {
		err = fmt.Errorf("read picture: %w", content.err)
	}
	return h, err
}

// readJPEG sets the fields for a JPEG. image/jpeg allocates a byte for each sample, in whole units of the component
// with the lowest resolution, 4 bytes more for a progressive one, and copies the pixels of CMYK and RGB.
func (h *header) readJPEG(r *bufio.Reader) error {
	f := readJPEGFrame(r)
	if f.scans > maxScans {
		return invalid("the picture is made of too many scans")
	}
	if f.width != h.width || f.height != h.height || len(f.sampling) == 0 {
		return errDamagedPicture
	}
	if len(f.sampling) == 1 {
		f.sampling[0] = image.Pt(1, 1) // the sampling of a single component has no effect
	}
	unit := f.sampling[0].Mul(8)
	if unit.X == 0 || unit.Y == 0 {
		return errDamagedPicture
	}
	units := int64((h.width+unit.X-1)/unit.X) * int64((h.height+unit.Y-1)/unit.Y)
	for _, s := range f.sampling {
		samples := units * int64(s.X*s.Y) * 64
		h.memory += samples
		if f.progressive {
			h.memory += 4 * samples
		}
	}
	pixels := int64(h.width) * int64(h.height)
	if f.rgb || len(f.sampling) == 4 {
		h.memory += 4 * pixels
	}
	if unit.X == 32 { // one colour sample for four pixels: scaling allocates each colour that it reads
		h.memory += 4 * pixels
	}
	h.decode = jpeg.Decode
	return nil
}

// jpegFrame describes a JPEG by its segments.
type jpegFrame struct {
	width, height int
	progressive   bool
	sampling      []image.Point // samples in a unit, of each component
	rgb           bool          // it may be RGB
	scans         int           // each may cover all pixels
}

// readJPEGFrame reads the segments of a JPEG as image/jpeg does, which uses the first frame header and fails on a
// second.
func readJPEGFrame(r *bufio.Reader) (f jpegFrame) {
	_, _ = r.Discard(2)
	for {
		head, err := r.Peek(2)
		if err != nil {
			return f
		}
		switch marker := head[1]; {
		case head[0] != 0xff: // compressed pixels
			if _, err := r.ReadSlice(0xff); err == nil { // otherwise the buffer is full or the file ends
				_ = r.UnreadByte()
			}
		case marker == 0xff: // padding
			_, _ = r.Discard(1)
		case marker == 0 || marker >= 0xd0 && marker <= 0xd7: // inside compressed pixels
			_, _ = r.Discard(2)
		case marker == 0xd9: // the end
			return f
		default:
			segment, _ := r.Peek(4 + 6 + 3*4) // readSegment needs no more
			if len(segment) < 4 {
				return f
			}
			f.readSegment(marker, segment[4:])
			_, _ = r.Discard(2 + int(binary.BigEndian.Uint16(segment[2:])))
		}
	}
}

// readSegment sets the fields of a segment.
func (f *jpegFrame) readSegment(marker byte, b []byte) {
	switch {
	case marker == 0xda:
		f.scans++
	case marker == 0xee && len(b) >= 12 && string(b[:5]) == "Adobe":
		f.rgb = f.rgb || b[11] == 0
	case marker >= 0xc0 && marker <= 0xc2 && f.sampling == nil && len(b) >= 6:
		f.progressive = marker == 0xc2
		f.height, f.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
		var names []byte
		for c := b[6:]; len(c) >= 3 && len(f.sampling) < int(b[5]); c = c[3:] {
			names = append(names, c[0])
			f.sampling = append(f.sampling, image.Pt(int(c[1]>>4), int(c[1]&15)))
		}
		f.rgb = f.rgb || string(names) == "RGB"
	}
}

// readPNG sets the fields for a PNG. image/png allocates the pixels, two rows of the file, and the pixels again for the
// passes of an interlaced one.
func (h *header) readPNG(r *bufio.Reader) error {
	b, err := r.Peek(29) // signature, then the length, type and content of the header
	if err != nil {
		return errDamagedPicture
	}
	depth, colorType, interlaced := int64(b[24]), b[25], b[28] != 0
	channels := map[byte]int64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colorType]
	pixel := int64(4) // bytes; grey may get transparency
	switch {
	case depth == 16:
		pixel = 8
	case colorType == 3:
		pixel = 1
	}
	h.memory = pixel * int64(h.width) * int64(h.height)
	rows := 2 * (1 + (channels*depth*int64(h.width)+7)/8)
	if interlaced { // the passes have 1/8, 1/8, 1/4, 1/4, 1/2, 1/2 and 1 of the width
		h.memory, rows = 2*h.memory, 3*rows
	}
	h.memory += rows
	h.decode = png.Decode
	return nil
}

// readWebP sets the fields for a WebP. golang.org/x/image/webp decodes the first picture and the transparency before
// it. Their compressed bytes are in memory meanwhile.
func (h *header) readWebP(r *bufio.Reader, size int64) error {
	const chunkHeader = 8 // type and size; the content is padded to an even size
	h.decode = webp.Decode
	_, _ = r.Discard(12)
	for at := int64(12); ; {
		b, err := r.Peek(chunkHeader)
		if err != nil {
			return errDamagedPicture
		}
		chunkType, length := string(b[:4]), int64(binary.LittleEndian.Uint32(b[4:]))
		if at += chunkHeader + length; at > size { // the decoder would allocate length bytes
			return errDamagedPicture
		}
		pixels := int64(h.width) * int64(h.height)
		switch chunkType {
		case "VP8 ": // blocks of 16 by 16, half as much for the colours, some bytes for each block
			blocks := int64((h.width+15)/16) * int64((h.height+15)/16)
			h.memory += blocks*(256*3/2+16) + length + 1<<20
			return nil
		case "VP8L":
			h.addLossless(length)
			return nil
		case "ALPH":
			if b, err = r.Peek(chunkHeader + 1); err == nil && b[chunkHeader]&3 != 0 {
				h.addLossless(length)
			}
			h.memory += pixels
		}
		_, _ = r.Discard(chunkHeader + int(length+length&1))
		at += length & 1
	}
}

// addLossless adds the memory for n bytes of lossless compression: the pixels twice, four pictures of a pixel for each
// 4 by 4, and codes. There are up to 65536 groups of codes of 2680 bytes, allocated at once, and 82 bits can make 4095
// nodes of 8 bytes.
func (h *header) addLossless(n int64) {
	tiles := int64((h.width+3)/4) * int64((h.height+3)/4)
	h.lossless = true
	h.memory += 8*int64(h.width)*int64(h.height) + 4*4*tiles + 65536*2680 + n*8*4096*8/82 + 1<<20
}
