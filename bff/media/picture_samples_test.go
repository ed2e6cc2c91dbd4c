package media

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"math/rand/v2"
)

// jpegSegment returns a segment of a JPEG.
func jpegSegment(marker byte, content ...byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(2+len(content)))
	return append(b, content...)
}

// flatJPEG returns a JPEG of one colour, of two bits for each block, with these samplings of its components. adobe is
// the transform in the Adobe segment, -1 for no segment.
func flatJPEG(w, h int, progressive bool, adobe int, sampling ...byte) []byte {
	b := append([]byte{0xff, 0xd8}, jpegSegment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)...)
	if adobe >= 0 {
		b = append(b, jpegSegment(0xee, append([]byte("Adobe\x00\x64\x00\x00\x00\x00"), byte(adobe))...)...)
	}
	header := []byte{8, byte(h >> 8), byte(h), byte(w >> 8), byte(w), byte(len(sampling))}
	scan := []byte{byte(len(sampling))}
	unit := 0 // blocks
	for i, s := range sampling {
		header = append(header, byte(i+1), s, 0)
		scan = append(scan, byte(i+1), 0)
		unit += int(s>>4) * int(s&15)
	}
	marker, last, bits := byte(0xc0), byte(63), 2
	if progressive {
		marker, last, bits = 0xc2, 0, 1
	}
	b = append(b, jpegSegment(marker, header...)...)
	for _, kind := range []byte{0x00, 0x10} { // the only code, of one bit, means no difference or end of block
		b = append(b, jpegSegment(0xc4, append(append([]byte{kind, 1}, make([]byte, 15)...), 0)...)...)
	}
	b = append(b, jpegSegment(0xda, append(scan, 0, last, 0)...)...)
	x, y := 8*int(sampling[0]>>4), 8*int(sampling[0]&15)
	if len(sampling) == 1 {
		x, y, unit = 8, 8, 1
	}
	units := ((w + x - 1) / x) * ((h + y - 1) / y)
	b = append(b, make([]byte, units*unit*bits/8+1)...)
	return append(b, 0xff, 0xd9)
}

// largeAvatar returns a picture of 131 KB that needs 390 MB to decode.
func largeAvatar() []byte { return flatJPEG(4096, 4096, true, 0, 0x11, 0x11, 0x11, 0x11) }

// flatPNG returns a PNG of one colour.
func flatPNG(w, h, depth int, colorType byte, interlaced bool) []byte {
	channels := map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colorType]
	rows := func(w, h int) int {
		if w == 0 || h == 0 {
			return 0
		}
		return h * (1 + (w*channels*depth+7)/8)
	}
	size, method := rows(w, h), byte(0)
	if interlaced {
		size, method = 0, 1
		for _, p := range [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
			size += rows((w-p[0]+p[2]-1)/p[2], (h-p[1]+p[3]-1)/p[3])
		}
	}
	var pixels bytes.Buffer
	z, _ := zlib.NewWriterLevel(&pixels, zlib.BestSpeed)
	zeros := make([]byte, 1<<16)
	for ; size > 0; size -= len(zeros) {
		_, _ = z.Write(zeros[:min(size, len(zeros))])
	}
	_ = z.Close()
	b := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(chunkType string, content []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(content)))
		b = append(append(b, chunkType...), content...)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[len(b)-len(content)-4:]))
	}
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(w)), uint32(h))
	chunk("IHDR", append(header, byte(depth), colorType, 0, 0, method))
	switch colorType {
	case 3:
		chunk("PLTE", make([]byte, 3<<depth))
	case 0, 2: // one colour is transparent
		chunk("tRNS", make([]byte, 2*channels))
	}
	chunk("IDAT", pixels.Bytes())
	chunk("IEND", nil)
	return b
}

// speckled returns a picture of noise, which does not compress.
func speckled(w, h int) *image.NRGBA {
	picture := image.NewNRGBA(image.Rect(0, 0, w, h))
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(picture.Pix)
	return picture
}

// manyCodes returns a WebP of 4 by 4 pixels with this number of groups of codes, each with the maximum of codes. It
// ends before the pixels.
func manyCodes(groups int) []byte {
	var stream []byte
	used := 0
	write := func(value uint64, bits int) {
		for i := range bits {
			if used%8 == 0 {
				stream = append(stream, 0)
			}
			stream[used/8] |= byte(value>>i&1) << (used % 8)
			used++
		}
	}
	one := func(symbol byte) { // writes a code with one symbol, which takes no bits
		write(0b101, 3)
		write(uint64(symbol), 8)
	}
	write(0x2f, 8)
	write(3, 14) // width
	write(3, 14)
	write(0, 5)       // no transparency, version, no transforms
	write(1, 1)       // a colour cache
	write(11, 4)      // of 2^11 entries
	write(1, 1)       // several groups of codes
	write(0, 1+2+1-1) // for 4 by 4 pixels each
	write(0, 1)       // no colour cache for the picture of group numbers
	one(byte(groups - 1))
	one(byte((groups - 1) >> 8))
	for range 3 {
		one(0)
	}
	for range groups {
		write(0, 1)
		write(11, 4) // 15 code lengths, only the last is used: eleven
		write(1<<42, 45)
		write(1, 1)     // the first
		write(5, 3)     // in 12 bits
		write(2046, 12) // 2048 symbols have it
		for range 4 {
			write(0b0001, 4) // the symbol 0 alone
		}
	}
	content := append([]byte("RIFF....WEBPVP8L...."), stream...)
	if len(content)%2 == 1 {
		content = append(content, 0)
	}
	binary.LittleEndian.PutUint32(content[4:], uint32(len(content)-8))
	binary.LittleEndian.PutUint32(content[16:], uint32(len(content)-20))
	return content
}
