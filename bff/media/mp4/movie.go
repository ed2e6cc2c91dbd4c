package mp4

import (
	"encoding/binary"
	"slices"

	mp4ff "github.com/Eyevinn/mp4ff/mp4"
)

// Codecs that a player may know, by the name of their sample entry. Encrypted video (encv) is none of them.
var codecs = []string{
	"avc1", "avc3", "hvc1", "hev1", "dvh1", "dvhe", "dva1", "dvav", "av01", "vp08", "vp09", "vvc1", "vvi1", "mp4v", "s263",
}

const (
	maxTracks = 64
	maxRuns   = 200_000 // rows of samples in all fragments
)

// inside is the way from the index down to the tables of a track.
var inside = map[string]string{"moov": "trak", "trak": "mdia", "mdia": "minf", "minf": "stbl"}

// movie is what the index says of a file, summed up.
type movie struct {
	tracks   []*track
	defaults map[uint32]*mp4ff.TrexBox // of fragments, by track
	runs     int
}

type track struct {
	id        uint32
	handler   string
	timescale uint64
	duration  uint64 // of its samples, in units of timescale
	samples   uint64
	known     bool // its codec is a video's that a player may know

	times   *mp4ff.SttsBox
	sizes   *mp4ff.StszBox
	chunks  *mp4ff.StscBox
	offsets []uint64
}

// parseMovie reads moov and checks that every sample it speaks of lies inside the file.
func parseMovie(moov []byte, size int64) (*movie, error) {
	mv := &movie{defaults: map[uint32]*mp4ff.TrexBox{}}
	err := eachBox(moov, func(kind string, b []byte) error {
		switch kind {
		case "trak":
			t := &track{}
			if len(mv.tracks) == maxTracks {
				return ErrDamaged
			}
			if err := t.parse(kind, b); err != nil {
				return err
			}
			if err := t.checkSamples(size); err != nil {
				return err
			}
			mv.tracks = append(mv.tracks, t)
		case "mvex":
			return eachBox(b, func(kind string, b []byte) error {
				if kind != "trex" {
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

// playable returns nil when there is a video to show, of a length that is allowed.
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

func (t *track) parse(parentKind string, parent []byte) error {
	return eachBox(parent, func(kind string, b []byte) (err error) {
		switch kind {
		case inside[parentKind]:
			return t.parse(kind, b)
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
			// MOV has a second one, about where the data lies.
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

// knownVideo tells whether a sample description starts with a video of a known codec and a usable size. It is read by
// hand because MOV files put things into it that the library takes for damage.
func knownVideo(stsd []byte) bool {
	const entry = 16 // behind box header, version and count
	if len(stsd) < entry+36 {
		return false
	}
	width := int(binary.BigEndian.Uint16(stsd[entry+32:]))
	height := int(binary.BigEndian.Uint16(stsd[entry+34:]))
	return slices.Contains(codecs, string(stsd[entry+4:entry+8])) && ValidSides(width, height)
}

// checkSamples sums up the tables of a track, compares them with the file's size and lets go of them.
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
	next := uint64(0) // sample
	entries := t.chunks.Entries
	for i, entry := range entries {
		// Chunks come in order, so each is looked at once, however many entries there are.
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

// sizeOf adds the sizes of count samples to offset.
func (t *track) sizeOf(first, count, offset uint64) (uint64, bool) {
	if t.sizes.SampleUniformSize > 0 {
		return mulAdd(count, uint64(t.sizes.SampleUniformSize), offset)
	}
	for _, size := range t.sizes.SampleSize[first : first+count] {
		offset += uint64(size)
	}
	return offset, offset < 1<<63
}

// addFragment adds a moof to its tracks; start is its place in the file, from which its data is counted.
func (mv *movie) addFragment(moof []byte, start, size int64) error {
	return eachBox(moof, func(kind string, traf []byte) error {
		if kind != "traf" {
			return nil
		}
		var t *track
		var header *mp4ff.TfhdBox
		var fallback mp4ff.TrexBox
		return eachBox(traf, func(kind string, b []byte) (err error) {
			switch kind {
			case "tfhd":
				if header, err = decode[*mp4ff.TfhdBox](b); err != nil {
					return err
				}
				if t = mv.track(header.TrackID); t == nil {
					return ErrDamaged
				}
				if trex := mv.defaults[t.id]; trex != nil {
					fallback = *trex
				}
				if header.HasDefaultSampleDuration() {
					fallback.DefaultSampleDuration = header.DefaultSampleDuration
				}
				if header.HasDefaultSampleSize() {
					fallback.DefaultSampleSize = header.DefaultSampleSize
				}
			case "trun":
				if mv.runs++; header == nil || mv.runs > maxRuns {
					return ErrDamaged
				}
				trun, err := decode[*mp4ff.TrunBox](b)
				if err != nil {
					return err
				}
				return t.addRun(trun, header, fallback, start, size)
			}
			return nil
		})
	})
}

func (t *track) addRun(run *mp4ff.TrunBox, header *mp4ff.TfhdBox, fallback mp4ff.TrexBox, start, size int64) error {
	length := run.SizeOfData()
	if !run.HasSampleSize() {
		length = uint64(run.SampleCount()) * uint64(fallback.DefaultSampleSize)
	}
	base := start
	if header.HasBaseDataOffset() {
		if header.BaseDataOffset > uint64(size) {
			return ErrCutOff
		}
		base = int64(header.BaseDataOffset)
	}
	// A run without an offset follows the one before it, which was checked.
	if run.HasDataOffset() {
		base += int64(run.DataOffset)
	}
	if base < 0 {
		return ErrDamaged
	}
	if length > uint64(size) || uint64(base)+length > uint64(size) {
		return ErrCutOff
	}
	t.samples += uint64(run.SampleCount())
	duration, ok := mulAdd(1, run.Duration(fallback.DefaultSampleDuration), t.duration)
	if !ok {
		return ErrDamaged
	}
	t.duration = duration
	return nil
}

func (mv *movie) track(id uint32) *track {
	for _, t := range mv.tracks {
		if t.id == id {
			return t
		}
	}
	return nil
}
