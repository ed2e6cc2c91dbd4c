package media

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"minidouyin/bff/media/mediatest"
	"minidouyin/idl/codes"
)

// Many large pictures at once, with videos, are accepted or refused within four fifths of a container of 512 MiB.
func TestPicturesAtOnce(t *testing.T) {
	fits := flatJPEG(3072, 3072, true, 0, 0x11, 0x11, 0x11, 0x11) // alone
	for name, c := range map[string]struct {
		content []byte
		code    codes.Code
	}{
		"too large":  {largeAvatar(), codes.TooLarge},
		"many codes": {manyCodes(10_000), codes.InvalidArgument},
		"one fits":   {fits, codes.OK},
		"some fit":   {flatPNG(2000, 2000, 16, 6, false), codes.OK},
	} {
		t.Run(name, func(t *testing.T) {
			inProcess(t, 512*mebi/10*8, 512*mebi, func(t *testing.T) {
				m := mustOpen(t, func(cfg *Config) { cfg.Jobs = 8 })
				video := mediatest.Sample(t, "wide.mp4")
				var all sync.WaitGroup
				for i := range 16 {
					all.Go(func() {
						s, err := m.StagePicture(t.Context(), bytes.NewReader(c.content))
						if codes.Of(err) != codes.RateLimited { // as on a busy machine
							assert.Equal(t, c.code, codes.Of(err), fmt.Sprint(err))
						}
						if err == nil {
							s.Discard()
						}
					})
					if i%4 == 0 {
						all.Go(func() {
							s, err := stage(t, m, video, "title")
							if assert.Contains(t, []codes.Code{codes.OK, codes.RateLimited}, codes.Of(err), fmt.Sprint(err)) && err == nil {
								s.Discard()
							}
						})
					}
				}
				all.Wait()
				wantNoFiles(t, m)
			})
		})
	}
}
