package media

import (
	"hash/fnv"
	"image"
	"image/color"
	"math"
	"strings"
	"sync"
	"unicode"

	"github.com/hajimehoshi/bitmapfont/v4"
	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// defaults returns the default pictures by key. They are drawn once.
var defaults = sync.OnceValues(drawDefaults)

func drawDefaults() (map[string][]byte, error) {
	avatar, err := encode(drawAvatar())
	if err != nil {
		return nil, err
	}
	background, err := encode(drawBackground())
	return map[string][]byte{DefaultAvatar: avatar, DefaultBackground: background}, err
}

// drawAvatar draws head and shoulders.
func drawAvatar() *image.RGBA {
	const side = 256
	c := newCanvas(side, side, hue(225, 0.42, 0.80), hue(265, 0.45, 0.62))
	figure := color.NRGBA{255, 255, 255, 235}
	c.disc(side/2, side*0.40, side*0.18, figure)
	c.disc(side/2, side*1.02, side*0.38, figure)
	return c.RGBA
}

// drawBackground draws hills under an evening sky.
func drawBackground() *image.RGBA {
	const w, h = 720, 405
	c := newCanvas(w, h, hue(265, 0.45, 0.45), hue(20, 0.75, 0.78))
	c.disc(w*0.68, h*0.52, h*0.15, color.NRGBA{255, 240, 214, 60})
	c.disc(w*0.68, h*0.52, h*0.11, color.NRGBA{255, 240, 214, 230})
	for i, hill := range []struct{ base, height, length, phase float64 }{
		{0.62, 0.07, 2.1, 0.4}, {0.72, 0.08, 1.6, 2.2}, {0.84, 0.07, 1.2, 4.4},
	} {
		c.shape(hue(268-6*float64(i), 0.38, 0.36-0.09*float64(i)), func(r *vector.Rasterizer) {
			r.MoveTo(0, h)
			for x := 0; x <= w; x += 8 {
				t := float64(x) / w * 2 * math.Pi
				y := hill.base - hill.height*(math.Sin(t*hill.length+hill.phase)+0.4*math.Sin(t*hill.length*2.7+hill.phase*3))
				r.LineTo(float32(x), float32(h*y))
			}
			r.LineTo(w, h)
		})
	}
	return c.RGBA
}

// drawPlaceholder returns the JPEG for a video without a cover: the title, on colours that depend on it.
func drawPlaceholder(title string) ([]byte, error) {
	const w, h = 360, 640
	sum := fnv.New32a()
	sum.Write([]byte(title))
	seed := sum.Sum32()
	base := float64(seed % 360)
	c := newCanvas(w, h, hue(base, 0.55, 0.62), hue(base+50, 0.60, 0.34))
	for i := range 3 {
		bits := seed >> (9 + 7*i)
		x, y, r := float64(bits&31)/31*w, float64(bits>>3&31)/31*h, 70+float64(bits&15)*8
		c.disc(x, y, r, color.NRGBA{255, 255, 255, 18})
	}
	c.disc(w/2, h*0.30, 44, color.NRGBA{255, 255, 255, 46})
	c.shape(color.NRGBA{255, 255, 255, 240}, func(r *vector.Rasterizer) {
		r.MoveTo(w/2-13, h*0.30-22)
		r.LineTo(w/2+25, h*0.30)
		r.LineTo(w/2-13, h*0.30+22)
	})
	c.title(title, h*0.44)
	return encode(c.RGBA)
}

// canvas is a picture with shapes and text.
type canvas struct{ *image.RGBA }

// newCanvas returns a canvas with a gradient from the upper left to the lower right.
func newCanvas(w, h int, from, to color.NRGBA) canvas {
	c := canvas{image.NewRGBA(image.Rect(0, 0, w, h))}
	mix := func(a, b uint8, t float64) uint8 { return uint8(float64(a)*(1-t) + float64(b)*t) }
	for y := range h {
		for x := range w {
			t := 0.25*float64(x)/float64(w) + 0.75*float64(y)/float64(h)
			c.SetRGBA(x, y, color.RGBA{mix(from.R, to.R, t), mix(from.G, to.G, t), mix(from.B, to.B, t), 255})
		}
	}
	return c
}

// shape fills an outline.
func (c canvas) shape(fill color.Color, outline func(r *vector.Rasterizer)) {
	r := vector.NewRasterizer(c.Bounds().Dx(), c.Bounds().Dy())
	outline(r)
	r.ClosePath()
	r.Draw(c, c.Bounds(), image.NewUniform(fill), image.Point{})
}

// disc fills a circle.
func (c canvas) disc(x, y, radius float64, fill color.Color) {
	c.shape(fill, func(r *vector.Rasterizer) {
		r.MoveTo(float32(x+radius), float32(y))
		for i := 1; i < 96; i++ {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / 96)
			r.LineTo(float32(x+radius*cos), float32(y+radius*sin))
		}
	})
}

// title writes centred lines from top. A short title is larger.
func (c canvas) title(title string, top float64) {
	size := 3
	if len([]rune(title)) <= 10 {
		size = 4
	}
	const margin = 28
	for i, line := range wrap(title, fixed.I((c.Bounds().Dx()-2*margin)/size)) {
		text := smoothText(line, size)
		at := image.Pt((c.Bounds().Dx()-text.Bounds().Dx())/2, int(top)+i*17*size)
		where := text.Bounds().Add(at)
		draw.DrawMask(c, where.Add(image.Pt(2, 2)), image.NewUniform(color.NRGBA{0, 0, 0, 90}), image.Point{}, text, image.Point{}, draw.Over)
		draw.DrawMask(c, where, image.White, image.Point{}, text, image.Point{}, draw.Over)
	}
}

// wrap breaks a title into lines of at most width: between words and Chinese characters, and inside a word that is
// longer than a line. It omits characters that are not in the font.
func wrap(title string, width fixed.Int26_6) []string {
	const maxLines = 7
	var lines []string
	line, word := "", ""
	endLine := func() {
		if line = strings.TrimSpace(line); line != "" && len(lines) < maxLines {
			lines = append(lines, line)
		}
		line = ""
	}
	endWord := func() { // adds the word to this line or the next
		if font.MeasureString(bitmapfont.FaceSC, line+word) > width {
			endLine()
		}
		line, word = line+word, ""
	}
	for _, r := range title {
		_, _, _, advance, ok := bitmapfont.FaceSC.Glyph(fixed.Point26_6{}, r)
		switch {
		case unicode.IsSpace(r):
			endWord()
			line += " "
		case !ok || advance == 0:
		case unicode.Is(unicode.Han, r):
			endWord()
			word = string(r)
			endWord()
		default:
			if font.MeasureString(bitmapfont.FaceSC, word+string(r)) > width {
				endWord()
			}
			word += string(r)
		}
	}
	endWord()
	endLine()
	return lines
}

// smoothText returns a line in the bitmap font, enlarged size times, blurred and sharpened to round the edges.
func smoothText(line string, size int) *image.Alpha {
	const pad, height = 2, 20
	small := image.NewAlpha(image.Rect(0, 0, font.MeasureString(bitmapfont.FaceSC, line).Ceil()+2*pad, height))
	d := font.Drawer{Dst: small, Src: image.Opaque, Face: bitmapfont.FaceSC, Dot: fixed.P(pad, 14)}
	d.DrawString(line)
	blurred := image.NewRGBA(image.Rect(0, 0, small.Rect.Dx()*size, height*size))
	draw.CatmullRom.Scale(blurred, blurred.Rect, small, small.Rect, draw.Src, nil)
	text := image.NewAlpha(blurred.Rect)
	for i := range text.Pix {
		t := (float64(blurred.Pix[4*i+3])/255-0.42)*2.6 + 0.5
		text.Pix[i] = uint8(255 * min(1, max(0, t)))
	}
	return text
}

// hue returns the colour of an angle in degrees, with saturation and lightness in 0..1.
func hue(angle, saturation, lightness float64) color.NRGBA {
	part := func(offset float64) uint8 {
		k := math.Mod(offset+angle/30, 12)
		a := saturation * min(lightness, 1-lightness)
		return uint8(math.Round(255 * (lightness - a*max(-1, min(k-3, 9-k, 1)))))
	}
	return color.NRGBA{part(0), part(8), part(4), 255}
}
