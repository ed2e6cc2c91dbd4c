package media

import (
	"bytes"
	"encoding/binary"
	"regexp"
)

// boxOf returns the last top-level box of a kind in a file.
func boxOf(file []byte, kind string) []byte {
	boxes, err := topBoxes(bytes.NewReader(file), int64(len(file)))
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

func newBox(kind string, content []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(content)))
	return append(append(b, kind...), content...)
}

func hugeIndex() []byte { return newBox("moov", make([]byte, maxIndex)) }

// nested returns boxes within boxes within boxes.
func nested(outer, middle, inner string, depth int) []byte {
	var b []byte
	for i := range depth {
		b = append(binary.BigEndian.AppendUint32(b, uint32(8*(depth-i))), inner...)
	}
	return newBox(outer, newBox(middle, b))
}

// wideOffsets rewrites the places of chunks as 64-bit numbers, as files of more than 4 GiB have them.
func wideOffsets(file []byte) []byte {
	at := bytes.LastIndex(file, []byte("moov")) - 4
	var widen func(b []byte) []byte
	widen = func(b []byte) []byte {
		var out []byte
		err := eachBox(b, func(kind string, child []byte) error {
			switch kind {
			case "trak", "mdia", "minf", "stbl":
				child = widen(child)
			case "stco":
				table := bytes.Clone(child[8:16])
				for i := 16; i < len(child); i += 4 {
					table = binary.BigEndian.AppendUint64(table, uint64(binary.BigEndian.Uint32(child[i:])))
				}
				child = newBox("co64", table)
			}
			out = append(out, child...)
			return nil
		})
		if err != nil {
			panic(err)
		}
		return newBox(string(b[4:8]), out)
	}
	return append(bytes.Clone(file[:at]), widen(file[at:])...)
}
