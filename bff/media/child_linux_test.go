package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"minidouyin/bff/media/mediatest"
	"minidouyin/idl/codes"
)

// script returns the path of a shell script in place of ffmpeg.
func script(t *testing.T, lines string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ffmpeg")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\nPATH=/usr/bin:/bin\n"+lines+"\n"), 0o700))
	return path
}

// The output of a child process takes no memory beyond its limit.
func TestChildWritesTooMuch(t *testing.T) {
	inProcess(t, 128*mebi, 16*mebi, func(t *testing.T) {
		m := mustOpen(t, nil)
		_, err := m.run(t.Context(), 64<<10, script(t, "head -c 100000000 /dev/zero"))
		assert.ErrorContains(t, err, "more than 65536 bytes of output")
		_, err = m.run(t.Context(), 64<<10, script(t, "head -c 100000000 /dev/zero >&2; exit 1"))
		assert.ErrorContains(t, err, "exit status 1")
		assert.Less(t, len(err.Error()), 1000)
		out, err := m.run(t.Context(), 64<<10, script(t, "head -c 100000000 /dev/zero >&2; echo whole"))
		assert.NoError(t, err)
		assert.Equal(t, "whole\n", string(out))
	})
}

// limitedBuffer keeps no more than its limit, with io.Copy and a WriterTo as well.
func TestLimitedBuffer(t *testing.T) {
	b := &limitedBuffer{limit: 10}
	n, err := io.Copy(b, io.LimitReader(endless{}, 100<<20))
	assert.NoError(t, err)
	assert.EqualValues(t, 100<<20, n)
	assert.Len(t, b.content, 10)
	assert.LessOrEqual(t, cap(b.content), 64)
	assert.True(t, b.exceeded)
	exact := &limitedBuffer{limit: 4}
	_, err = io.Copy(exact, bytes.NewReader([]byte("four"))) // has a WriteTo
	assert.NoError(t, err)
	assert.Equal(t, "four", string(exact.content))
	assert.False(t, exact.exceeded)
}

// A child process has a memory limit from its start, and its arguments are not changed.
func TestChildLimits(t *testing.T) {
	m := mustOpen(t, nil)
	out, err := m.run(t.Context(), 1000, script(t, "ulimit -d; ulimit -H -d"))
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprintf("%[1]d\n%[1]d\n", childMemory>>10), string(out))
	const allocate = "dd if=/dev/zero of=/dev/null count=1 bs="
	_, err = m.run(t.Context(), 1000, script(t, allocate+"100M"))
	assert.NoError(t, err)
	_, err = m.run(t.Context(), 1000, script(t, allocate+"300M"))
	assert.ErrorContains(t, err, "memory exhausted")

	small := mustOpen(t, func(cfg *Config) { cfg.Memory = 64 * mebi })
	_, err = small.run(t.Context(), 1000, script(t, allocate+"100M"))
	assert.ErrorContains(t, err, "memory exhausted")

	args := []string{"", "-c", "a b", `"'\`, "$(id)`id`$HOME", "*", "new\nline", "--", "%s"}
	out, err = m.run(t.Context(), 1000, script(t, `for a in "$@"; do printf '<%s>' "$a"; done`), args...)
	require.NoError(t, err)
	assert.Equal(t, "<"+strings.Join(args, "><")+">", string(out))
	out, err = m.run(t.Context(), 1000, "/usr/bin/env")
	require.NoError(t, err)
	assert.NotContains(t, string(out), "HOME")
}

// manySamples returns an MP4 whose index has four million samples of one byte.
func manySamples() []byte {
	numbers := func(n ...uint32) (b []byte) {
		for _, x := range n {
			b = binary.BigEndian.AppendUint32(b, x)
		}
		return b
	}
	entry := append(make([]byte, 7), 1)                                     // reserved, data reference
	entry = append(append(entry, make([]byte, 16)...), 1, 64, 0, 240)       // 320 by 240
	entry = append(append(entry, make([]byte, 46)...), 0, 24, 0xff, 0xff)   // depth
	offsets := append(numbers(0, 4000), bytes.Repeat(numbers(40), 4000)...) // of chunks
	stbl := mediatest.Box("stbl", bytes.Join([][]byte{mediatest.Box("stsd", append(numbers(0, 1), mediatest.Box("avc1", entry)...)),
		mediatest.Box("stts", numbers(0, 1, 10, 100)), mediatest.Box("stsz", numbers(0, 1, 4_000_000)),
		mediatest.Box("stsc", numbers(0, 1, 1, 1000, 1)), mediatest.Box("stco", offsets)}, nil))
	mdia := mediatest.Box("mdia", bytes.Join([][]byte{mediatest.Box("mdhd", numbers(0, 0, 0, 1000, 1000, 0)),
		mediatest.Box("hdlr", append(append(make([]byte, 8), "vide"...), make([]byte, 13)...)), mediatest.Box("minf", stbl)}, nil))
	tkhd := mediatest.Box("tkhd", append(numbers(3, 0, 0, 1, 0, 1000), make([]byte, 60)...))
	moov := mediatest.Box("moov", append(mediatest.Box("mvhd", make([]byte, 100)), mediatest.Box("trak", append(tkhd, mdia...))...))
	return bytes.Join([][]byte{mediatest.Box("ftyp", []byte("isom\x00\x00\x02\x00isomavc1")), mediatest.Box("mdat", make([]byte, 1100)), moov}, nil)
}

// A video for which ffmpeg writes millions of errors takes little memory, and no log line is long.
func TestManySamples(t *testing.T) {
	inProcess(t, 128*mebi, 32*mebi, func(t *testing.T) {
		var log bytes.Buffer
		m := mustOpen(t, func(cfg *Config) {
			cfg.Log = slog.New(slog.NewJSONHandler(&log, nil))
			cfg.CoverTimeout = 4 * time.Second
		})
		s := mustStage(t, m, manySamples(), "title")
		require.NoError(t, s.Commit(context.Background()))
		decodeCover(t, m, s)
		assert.Contains(t, log.String(), "cannot make cover from video")
		for line := range bytes.Lines(log.Bytes()) {
			assert.Less(t, len(line), 4<<10)
		}
	})
}

// The log line of a failed child process is short, whatever bytes it writes.
func TestLongErrors(t *testing.T) {
	for name, output := range map[string]string{
		"zeros": "head -c 100000 /dev/zero >&2", "escapes": `yes '\033[31m"\\' | head -c 100000 >&2`, "not UTF-8": `yes $(printf '\377') | head -c 100000 >&2`,
	} {
		t.Run(name, func(t *testing.T) {
			var text, json bytes.Buffer
			for _, handler := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&json, nil)} {
				m := mustOpen(t, func(cfg *Config) { cfg.Log, cfg.FFmpeg = slog.New(handler), script(t, output+"; exit 1") })
				mustStage(t, m, mediatest.Sample(t, "tiny.mp4"), "title").Discard()
				cfg := m.cfg
				cfg.FFprobe = cfg.FFmpeg
				m, err := Open(t.Context(), cfg)
				require.NoError(t, err)
				_, err = stage(t, m, mediatest.Sample(t, "vp8.webm"), "title")
				wantRefusal(t, err, codes.InvalidArgument, "the video is damaged")
			}
			for _, log := range []*bytes.Buffer{&text, &json} {
				lines := 0
				for line := range bytes.Lines(log.Bytes()) {
					lines++
					assert.Less(t, len(line), 4<<10)
				}
				assert.Equal(t, 2, lines)
			}
		})
	}
}

// Videos of phones get a cover within the memory limit of a child process. If decoding all frames fails, key frames
// alone are decoded.
func TestCoverMemory(t *testing.T) {
	for _, name := range []string{"hevc10-4k.mp4", "h264-4k.mp4"} {
		t.Run(name, func(t *testing.T) {
			m := mustOpen(t, func(cfg *Config) { cfg.CoverTimeout = time.Minute })
			s := mustStage(t, m, mediatest.Sample(t, name), "title")
			require.NoError(t, s.Commit(context.Background()))
			assert.Equal(t, 720, decodeCover(t, m, s).Bounds().Dx())
		})
	}
	t.Run("key frames", func(t *testing.T) {
		jpg := mediatest.SamplePath(t, "picture.jpg")
		m := mustOpen(t, func(cfg *Config) {
			cfg.FFmpeg = script(t, `case "$*" in *"-skip_frame nokey"*) exec cat `+jpg+`;; esac; exit 1`)
		})
		s := mustStage(t, m, mediatest.Sample(t, "tiny.mp4"), "title")
		require.NoError(t, s.Commit(context.Background()))
		assert.Equal(t, 144, decodeCover(t, m, s).Bounds().Dx())
	})
}
