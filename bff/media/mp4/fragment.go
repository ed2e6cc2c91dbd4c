package mp4

import mp4ff "github.com/Eyevinn/mp4ff/mp4"

const maxRuns = 200_000 // in all fragments

// addFragment adds the samples of a moof to their tracks. start is the offset of the moof in a file of size bytes.
func (mv *movie) addFragment(moof []byte, start, size int64) error {
	return eachBox(moof, func(boxType string, b []byte) error {
		if boxType != "traf" {
			return nil
		}
		return mv.addTrackFragment(b, start, size)
	})
}

// addTrackFragment adds the runs of samples of a traf to its track.
func (mv *movie) addTrackFragment(traf []byte, start, size int64) error {
	var t *track
	var header *mp4ff.TfhdBox
	var defaults mp4ff.TrexBox
	return eachBox(traf, func(boxType string, b []byte) (err error) {
		switch boxType {
		case "tfhd":
			if header, err = decode[*mp4ff.TfhdBox](b); err != nil {
				return err
			}
			if t = mv.track(header.TrackID); t == nil {
				return ErrDamaged
			}
			if trex := mv.defaults[t.id]; trex != nil {
				defaults = *trex
			}
			if header.HasDefaultSampleDuration() {
				defaults.DefaultSampleDuration = header.DefaultSampleDuration
			}
			if header.HasDefaultSampleSize() {
				defaults.DefaultSampleSize = header.DefaultSampleSize
			}
		case "trun":
			if mv.runs++; header == nil || mv.runs > maxRuns {
				return ErrDamaged
			}
			run, err := decode[*mp4ff.TrunBox](b)
			if err != nil {
				return err
			}
			return t.addRun(run, header, defaults, start, size)
		}
		return nil
	})
}

// addRun adds a run of samples to a track and checks that it is inside a file of size bytes. Its offset counts from
// start, unless the header has another base.
func (t *track) addRun(run *mp4ff.TrunBox, header *mp4ff.TfhdBox, defaults mp4ff.TrexBox, start, size int64) error {
	length := run.SizeOfData()
	if !run.HasSampleSize() {
		length = uint64(run.SampleCount()) * uint64(defaults.DefaultSampleSize)
	}
	offset := start
	if header.HasBaseDataOffset() {
		if header.BaseDataOffset > uint64(size) {
			return ErrCutOff
		}
		offset = int64(header.BaseDataOffset)
	}
	// A run without an offset follows the run before it, which is checked.
	if run.HasDataOffset() {
		offset += int64(run.DataOffset)
	}
	if offset < 0 {
		return ErrDamaged
	}
	if length > uint64(size) || uint64(offset)+length > uint64(size) {
		return ErrCutOff
	}
	t.samples += uint64(run.SampleCount())
	duration, ok := mulAdd(1, run.Duration(defaults.DefaultSampleDuration), t.duration)
	if !ok {
		return ErrDamaged
	}
	t.duration = duration
	return nil
}
