package mp4

import (
	"bytes"
	"encoding/binary"
	"regexp"

	"minidouyin/bff/media/mediatest"
)

// boxOf returns the last top-level box of a type in a file.
func boxOf(file []byte, boxType string) []byte {
	boxes, err := ReadBoxes(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		panic(err)
	}
	for i := len(boxes) - 1; i >= 0; i-- {
		if boxes[i].boxType == boxType {
			return file[boxes[i].start:boxes[i].end()]
		}
	}
	panic("no " + boxType)
}

// shortenMdat removes n bytes from the end of the last box, mdat, and corrects its size: only the index still has the
// offsets.
func shortenMdat(file []byte, n int) []byte {
	file = bytes.Clone(file[:len(file)-n])
	at := bytes.Index(file, []byte("mdat")) - 4
	binary.BigEndian.PutUint32(file[at:], uint32(len(file)-at))
	return file
}

// setTimes sets the duration of all samples to delta.
func setTimes(file []byte, delta uint32) []byte {
	file = bytes.Clone(file)
	for _, at := range regexp.MustCompile("stts").FindAllIndex(file, -1) {
		entries := binary.BigEndian.Uint32(file[at[1]+4:])
		for i := range int(entries) {
			binary.BigEndian.PutUint32(file[at[1]+8+8*i+4:], delta)
		}
	}
	return file
}

// setWidth sets the width of the video.
func setWidth(file []byte, width uint16) []byte {
	file = bytes.Clone(file)
	binary.BigEndian.PutUint16(file[bytes.Index(file, []byte("avc1\x00\x00"))+28:], width)
	return file
}

// hugeIndex returns an index over the limit.
func hugeIndex() []byte { return mediatest.Box("moov", make([]byte, maxIndex)) }

// nested returns a box with a box that holds a chain of depth boxes, each inside the one before.
func nested(outer, middle, inner string, depth int) []byte {
	var b []byte
	for i := range depth {
		b = append(binary.BigEndian.AppendUint32(b, uint32(8*(depth-i))), inner...)
	}
	return mediatest.Box(outer, mediatest.Box(middle, b))
}

// withTables returns a file, whose index is the last box, with each box below the index replaced by change.
func withTables(file []byte, change func(boxType string, b []byte) []byte) []byte {
	at := bytes.LastIndex(file, []byte("moov")) - 4
	var rebuild func(b []byte) []byte
	rebuild = func(b []byte) []byte {
		var out []byte
		err := eachBox(b, func(boxType string, child []byte) error {
			switch boxType {
			case "trak", "mdia", "minf", "stbl":
				child = rebuild(child)
			}
			out = append(out, change(boxType, child)...)
			return nil
		})
		if err != nil {
			panic(err)
		}
		return mediatest.Box(string(b[4:8]), out)
	}
	return append(bytes.Clone(file[:at]), rebuild(file[at:])...)
}

// wideOffsets returns a file with 64-bit chunk offsets, as files of more than 4 GiB have.
func wideOffsets(file []byte) []byte {
	return withTables(file, func(boxType string, b []byte) []byte {
		if boxType != "stco" {
			return b
		}
		table := bytes.Clone(b[8:16])
		for i := 16; i < len(b); i += 4 {
			table = binary.BigEndian.AppendUint64(table, uint64(binary.BigEndian.Uint32(b[i:])))
		}
		return mediatest.Box("co64", table)
	})
}

// chunksAgain returns a file whose tables of chunks start again after a chunk without samples.
func chunksAgain(file []byte) []byte {
	return withTables(file, func(boxType string, b []byte) []byte {
		if boxType != "stsc" {
			return b
		}
		table := binary.BigEndian.AppendUint32(bytes.Clone(b[8:12]), binary.BigEndian.Uint32(b[12:])+1)
		for _, number := range []uint32{1, 0, 1} { // first chunk, samples in each, description
			table = binary.BigEndian.AppendUint32(table, number)
		}
		return mediatest.Box("stsc", append(table, b[16:]...))
	})
}

// strayTable returns a file with a chunk offset table beside the tracks, where it has no meaning. It has no entries.
func strayTable(file []byte) []byte {
	return withTables(file, func(boxType string, b []byte) []byte {
		if boxType == "mvhd" {
			return append(bytes.Clone(b), mediatest.Box("stco", nil)...)
		}
		return b
	})
}
