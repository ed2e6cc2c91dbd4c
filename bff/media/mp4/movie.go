package mp4

import (
	"encoding/binary"
	"slices"

	mp4ff "github.com/Eyevinn/mp4ff/mp4"
)

// codecs are those that a player may know, by the type of their sample entry. Encrypted video (encv) is not one.
var codecs = []string{
	"avc1", "avc3", "hvc1", "hev1", "dvh1", "dvhe", "dva1", "dvav", "av01", "vp08", "vp09", "vvc1", "vvi1", "mp4v", "s263",
}

const maxTracks = 64

// inside maps the type of a box to that of its child, from the index down to the tables of a track.
var inside = map[string]string{"moov": "trak", "trak": "mdia", "mdia": "minf", "minf": "stbl"}

// movie is a summary of an index.
type movie struct {
	tracks   []*track
	defaults map[uint32]*mp4ff.TrexBox // of fragments, by track
	runs     int                       // in all fragments
}

type track struct {
	id        uint32
	handler   string
	timescale uint64
	duration  uint64 // of its samples, in units of timescale
	samples   uint64
	known     bool // it is a video of one of the codecs

	// Tables of samples, nil once they are checked.
	times   *mp4ff.SttsBox
	sizes   *mp4ff.StszBox
	chunks  *mp4ff.StscBox
	offsets []uint64
}

// parseMovie parses moov and checks that every sample is inside a file of size bytes.
func parseMovie(moov []byte, size int64) (*movie, error) {
	mv := &movie{defaults: map[uint32]*mp4ff.TrexBox{}}
	err := eachBox(moov, func(boxType string, b []byte) error {
		switch boxType {
		case "trak":
			t := &track{}
			if len(mv.tracks) == maxTracks {
				return ErrDamaged
			}
			if err := t.parse(boxType, b); err != nil {
				return err
			}
			if err := t.checkSamples(size); err != nil {
				return err
			}
			mv.tracks = append(mv.tracks, t)
		case "mvex":
			return eachBox(b, func(boxType string, b []byte) error {
				if boxType != "trex" {
					return nil
				}
				trex, err := decode[*mp4ff.TrexBox](b)
				if err == nil {
					mv.defaults[trex.TrackID] = trex
				}
				return err
			})
		}
		return nil
	})
	return mv, err
}

// playable returns nil if there is a video track whose length is allowed.
func (mv *movie) playable() error {
	result := ErrNoVideo
	for _, t := range mv.tracks {
		if t.handler != "vide" || !t.known {
			continue
		}
		switch {
		case t.samples == 0 || t.duration == 0 || t.timescale == 0:
			result = ErrNoLength
		case t.duration/t.timescale >= uint64(MaxDuration.Seconds()):
			return ErrTooLong
		default:
			return nil
		}
	}
	return result
}

// parse reads the boxes of a track that are used here.
func (t *track) parse(parentType string, parent []byte) error {
	return eachBox(parent, func(boxType string, b []byte) (err error) {
		switch boxType {
		case inside[parentType]:
			return t.parse(boxType, b)
		case "tkhd":
			var tkhd *mp4ff.TkhdBox
			if tkhd, err = decode[*mp4ff.TkhdBox](b); err == nil {
				t.id = tkhd.TrackID
			}
		case "mdhd":
			var mdhd *mp4ff.MdhdBox
			if mdhd, err = decode[*mp4ff.MdhdBox](b); err == nil {
				t.timescale = uint64(mdhd.Timescale)
			}
		case "hdlr":
			// The first one counts. A MOV has a second one for its data references.
			if len(b) >= 20 && t.handler == "" {
				t.handler = string(b[16:20])
			}
		case "stsd":
			t.known = knownVideo(b)
		case "stts":
			t.times, err = decode[*mp4ff.SttsBox](b)
		case "stsz":
			t.sizes, err = decode[*mp4ff.StszBox](b)
		case "stsc":
			t.chunks, err = decode[*mp4ff.StscBox](b)
		case "stco":
			var stco *mp4ff.StcoBox
			if stco, err = decode[*mp4ff.StcoBox](b); err == nil {
				t.offsets = make([]uint64, len(stco.ChunkOffset))
				for i, offset := range stco.ChunkOffset {
					t.offsets[i] = uint64(offset)
				}
			}
		case "co64":
			var co64 *mp4ff.Co64Box
			if co64, err = decode[*mp4ff.Co64Box](b); err == nil {
				t.offsets = co64.ChunkOffset
			}
		}
		return err
	})
}

// knownVideo reports whether the first sample description is a video of one of the codecs, within the limits of size.
// It does not use the library, which refuses some valid descriptions in MOV files.
func knownVideo(stsd []byte) bool {
	const entry = 16 // offset: box header, version and count
	if len(stsd) < entry+36 {
		return false
	}
	width := int(binary.BigEndian.Uint16(stsd[entry+32:]))
	height := int(binary.BigEndian.Uint16(stsd[entry+34:]))
	return slices.Contains(codecs, string(stsd[entry+4:entry+8])) && ValidSides(width, height)
}

// checkSamples checks that the samples of a track are inside a file of size bytes, adds up their number and duration,
// and releases the tables.
func (t *track) checkSamples(size int64) error {
	if t.times == nil || t.sizes == nil || t.chunks == nil {
		if t.handler == "vide" || t.handler == "soun" {
			return ErrDamaged
		}
		return nil
	}
	for i, count := range t.times.SampleCount {
		sum, ok := mulAdd(uint64(count), uint64(t.times.SampleTimeDelta[i]), t.duration)
		if !ok {
			return ErrDamaged
		}
		t.duration = sum
	}
	t.samples = uint64(t.sizes.SampleNumber)
	next := uint64(0) // number of the next sample
	entries := t.chunks.Entries
	for i, entry := range entries {
		// Entries in order make the loop visit each chunk once.
		if entry.FirstChunk == 0 || i > 0 && entry.FirstChunk <= entries[i-1].FirstChunk {
			return ErrDamaged
		}
		last := uint64(len(t.offsets))
		if i+1 < len(entries) {
			last = min(last, uint64(entries[i+1].FirstChunk)-1)
		}
		for chunk := uint64(entry.FirstChunk) - 1; chunk < last && next < t.samples; chunk++ {
			count := min(uint64(entry.SamplesPerChunk), t.samples-next)
			end, ok := t.sizeOf(next, count, t.offsets[chunk])
			if !ok {
				return ErrDamaged
			}
			if end > uint64(size) {
				return ErrCutOff
			}
			next += count
		}
	}
	if next < t.samples {
		return ErrDamaged
	}
	t.times, t.sizes, t.chunks, t.offsets = nil, nil, nil, nil
	return nil
}

// sizeOf returns offset plus the sizes of count samples; ok is false if the result overflows an int64.
func (t *track) sizeOf(first, count, offset uint64) (end uint64, ok bool) {
	if t.sizes.SampleUniformSize > 0 {
		return mulAdd(count, uint64(t.sizes.SampleUniformSize), offset)
	}
	for _, size := range t.sizes.SampleSize[first : first+count] {
		offset += uint64(size)
	}
	return offset, offset < 1<<63
}

// track returns the track with this ID, nil if there is none.
func (mv *movie) track(id uint32) *track {
	for _, t := range mv.tracks {
		if t.id == id {
			return t
		}
	}
	return nil
}
