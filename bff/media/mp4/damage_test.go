package mp4

import (
	"bytes"
	"encoding/binary"
	"regexp"

	"minidouyin/bff/media/mediatest"
)

// boxOf returns the last top-level box of a kind in a file.
func boxOf(file []byte, kind string) []byte {
	boxes, err := ReadBoxes(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		panic(err)
	}
	for i := len(boxes) - 1; i >= 0; i-- {
		if boxes[i].kind == kind {
			return file[boxes[i].start:boxes[i].end()]
		}
	}
	panic("no " + kind)
}

// shortenMdat takes bytes from the end of a file's last box and says so in its header: only the index knows better.
func shortenMdat(file []byte, n int) []byte {
	file = bytes.Clone(file[:len(file)-n])
	at := bytes.Index(file, []byte("mdat")) - 4
	binary.BigEndian.PutUint32(file[at:], uint32(len(file)-at))
	return file
}

// setTimes gives all frames and sounds the same duration.
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

func setWidth(file []byte, width uint16) []byte {
	file = bytes.Clone(file)
	binary.BigEndian.PutUint16(file[bytes.Index(file, []byte("avc1\x00\x00"))+28:], width)
	return file
}

func hugeIndex() []byte { return mediatest.Box("moov", make([]byte, maxIndex)) }

// nested returns boxes within boxes within boxes.
func nested(outer, middle, inner string, depth int) []byte {
	var b []byte
	for i := range depth {
		b = append(binary.BigEndian.AppendUint32(b, uint32(8*(depth-i))), inner...)
	}
	return mediatest.Box(outer, mediatest.Box(middle, b))
}

// withTables returns a file, whose index is its last box, with what change makes of each box below the index.
func withTables(file []byte, change func(kind string, b []byte) []byte) []byte {
	at := bytes.LastIndex(file, []byte("moov")) - 4
	var rebuild func(b []byte) []byte
	rebuild = func(b []byte) []byte {
		var out []byte
		err := eachBox(b, func(kind string, child []byte) error {
			switch kind {
			case "trak", "mdia", "minf", "stbl":
				child = rebuild(child)
			}
			out = append(out, change(kind, child)...)
			return nil
		})
		if err != nil {
			panic(err)
		}
		return mediatest.Box(string(b[4:8]), out)
	}
	return append(bytes.Clone(file[:at]), rebuild(file[at:])...)
}

// wideOffsets rewrites the places of chunks as 64-bit numbers, as files of more than 4 GiB have them.
func wideOffsets(file []byte) []byte {
	return withTables(file, func(kind string, b []byte) []byte {
		if kind != "stco" {
			return b
		}
		table := bytes.Clone(b[8:16])
		for i := 16; i < len(b); i += 4 {
			table = binary.BigEndian.AppendUint64(table, uint64(binary.BigEndian.Uint32(b[i:])))
		}
		return mediatest.Box("co64", table)
	})
}

// chunksAgain makes the tables of chunks begin anew after a chunk that holds nothing.
func chunksAgain(file []byte) []byte {
	return withTables(file, func(kind string, b []byte) []byte {
		if kind != "stsc" {
			return b
		}
		table := binary.BigEndian.AppendUint32(bytes.Clone(b[8:12]), binary.BigEndian.Uint32(b[12:])+1)
		for _, number := range []uint32{1, 0, 1} { // first chunk, samples in each, description
			table = binary.BigEndian.AppendUint32(table, number)
		}
		return mediatest.Box("stsc", append(table, b[16:]...))
	})
}

// strayTable puts a table of chunks that is no more than its header beside the tracks, where it means nothing.
func strayTable(file []byte) []byte {
	return withTables(file, func(kind string, b []byte) []byte {
		if kind == "mvhd" {
			return append(bytes.Clone(b), mediatest.Box("stco", nil)...)
		}
		return b
	})
}
