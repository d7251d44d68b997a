package main

import (
	"image"
	"image/color"
	"math"
	"strconv"
)

// size of every picture.
const width, height = 640, 480

// paint gives the colour at a place.
type paint func(x, y float64) rgb

type rgb struct{ r, g, b float64 }

// hex reads "e8d9c4"; a misspelt colour is a bug of the drawing.
func hex(s string) rgb {
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil || len(s) != 6 {
		panic("not a colour: " + s)
	}
	return rgb{float64(n >> 16), float64(n >> 8 & 255), float64(n & 255)}
}

func (c rgb) towards(d rgb, t float64) rgb {
	t = min(max(t, 0), 1)
	return rgb{c.r + (d.r-c.r)*t, c.g + (d.g-c.g)*t, c.b + (d.b-c.b)*t}
}

func flat(c string) paint {
	v := hex(c)
	return func(_, _ float64) rgb { return v }
}

// down runs from one colour at y1 to another at y2.
func down(y1 float64, c1 string, y2 float64, c2 string) paint {
	a, b := hex(c1), hex(c2)
	return func(_, y float64) rgb { return a.towards(b, (y-y1)/(y2-y1)) }
}

// across runs from one colour at x1 to another at x2.
func across(x1 float64, c1 string, x2 float64, c2 string) paint {
	a, b := hex(c1), hex(c2)
	return func(x, _ float64) rgb { return a.towards(b, (x-x1)/(x2-x1)) }
}

// round is the shading of a turned body: lightest a third from the left, darkest at the right edge.
func round(x1, x2 float64, dark, mid, lit string) paint {
	d, m, l := hex(dark), hex(mid), hex(lit)
	return func(x, _ float64) rgb {
		t := (x - x1) / (x2 - x1)
		switch {
		case t < 0.3:
			return m.towards(l, t/0.3)
		case t < 0.6:
			return l.towards(m, (t-0.3)/0.3)
		}
		return m.towards(d, (t-0.6)/0.4)
	}
}

// canvas is a picture in the making. Colours are kept as floats so that layers do not band.
type canvas struct{ pixels []rgb }

func newCanvas() *canvas { return &canvas{pixels: make([]rgb, width*height)} }

func (c *canvas) each(do func(x, y float64, p *rgb)) {
	for i := range c.pixels {
		do(float64(i%width)+0.5, float64(i/width)+0.5, &c.pixels[i])
	}
}

// fill lays a shape over what is there, with edges smoothed over one pixel.
func (c *canvas) fill(s shape, with paint) { c.glaze(s, with, 1) }

// glaze is fill with some of what lies beneath showing through.
func (c *canvas) glaze(s shape, with paint, opacity float64) {
	c.each(func(x, y float64, p *rgb) {
		if cover := 0.5 - s(x, y); cover > 0 {
			*p = p.towards(with(x, y), min(cover, 1)*opacity)
		}
	})
}

// blur lays a soft shape: full inside, gone at the given distance outside.
func (c *canvas) blur(s shape, with paint, reach, opacity float64) {
	c.each(func(x, y float64, p *rgb) {
		t := 1 - (s(x, y)+reach)/(2*reach)
		if t = min(max(t, 0), 1); t > 0 {
			*p = p.towards(with(x, y), t*t*(3-2*t)*opacity)
		}
	})
}

// image has every channel at a multiple of step.
func (c *canvas) image(step float64) image.Image {
	channel := func(v float64) uint8 { return uint8(min(max(math.Round(v/step)*step, 0), 255)) }
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	for i, p := range c.pixels {
		out.SetRGBA(i%width, i/width, color.RGBA{channel(p.r), channel(p.g), channel(p.b), 255})
	}
	return out
}
