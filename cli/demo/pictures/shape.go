package main

import "math"

// shape is a signed distance: negative inside, positive outside, in pixels.
type shape func(x, y float64) float64

type point struct{ x, y float64 }

func circle(cx, cy, r float64) shape {
	return func(x, y float64) float64 { return math.Hypot(x-cx, y-cy) - r }
}

func ellipse(cx, cy, rx, ry float64) shape {
	return func(x, y float64) float64 {
		dx, dy := (x-cx)/rx, (y-cy)/ry
		k := math.Hypot(dx, dy)
		slope := math.Hypot(dx/rx, dy/ry)
		if slope == 0 {
			return -min(rx, ry)
		}
		return k * (k - 1) / slope
	}
}

// box is centred on x across and stands with its bottom at y.
func box(x, y, w, h, r float64) shape {
	cx, cy := x, y-h/2
	return func(px, py float64) float64 {
		dx, dy := math.Abs(px-cx)-w/2+r, math.Abs(py-cy)-h/2+r
		return math.Hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - r
	}
}

func line(x1, y1, x2, y2, thick float64) shape {
	dx, dy := x2-x1, y2-y1
	length := max(dx*dx+dy*dy, 1e-9)
	return func(x, y float64) float64 {
		t := min(max(((x-x1)*dx+(y-y1)*dy)/length, 0), 1)
		return math.Hypot(x-x1-t*dx, y-y1-t*dy) - thick/2
	}
}

// curve is a quadratic stroke from a to b, drawn towards the handle h.
func curve(a, h, b point, thick float64) shape {
	const parts = 28
	var all []shape
	last := a
	for i := 1; i <= parts; i++ {
		t := float64(i) / parts
		u := 1 - t
		next := point{u*u*a.x + 2*u*t*h.x + t*t*b.x, u*u*a.y + 2*u*t*h.y + t*t*b.y}
		all = append(all, line(last.x, last.y, next.x, next.y, thick))
		last = next
	}
	return join(all...)
}

// polygon has its corners rounded by r; it grows by as much.
func polygon(r float64, p ...point) shape {
	return func(x, y float64) float64 {
		d, inside := math.Inf(1), false
		for i, a := range p {
			b := p[(i+1)%len(p)]
			d = min(d, line(a.x, a.y, b.x, b.y, 0)(x, y))
			if (a.y > y) != (b.y > y) && x < (b.x-a.x)*(y-a.y)/(b.y-a.y)+a.x {
				inside = !inside
			}
		}
		if inside {
			d = -d
		}
		return d - r
	}
}

// profile is a body symmetric about cx, given by half widths from the top down: (half width, y).
func profile(cx, r float64, half ...point) shape {
	var p []point
	for _, h := range half {
		p = append(p, point{cx + h.x, h.y})
	}
	for i := len(half) - 1; i >= 0; i-- {
		p = append(p, point{cx - half[i].x, half[i].y})
	}
	return polygon(r, p...)
}

func ring(s shape, thick float64) shape {
	return func(x, y float64) float64 { return math.Abs(s(x, y)) - thick/2 }
}

func join(all ...shape) shape {
	return func(x, y float64) float64 {
		d := math.Inf(1)
		for _, s := range all {
			d = min(d, s(x, y))
		}
		return d
	}
}

func within(a, b shape) shape {
	return func(x, y float64) float64 { return max(a(x, y), b(x, y)) }
}

func without(a, b shape) shape {
	return func(x, y float64) float64 { return max(a(x, y), -b(x, y)) }
}

func above(y float64) shape { return func(_, py float64) float64 { return py - y } }

func leftOf(x float64) shape { return func(px, _ float64) float64 { return px - x } }

// turned rotates a shape clockwise about a point, in degrees.
func turned(s shape, cx, cy, degrees float64) shape {
	sin, cos := math.Sincos(-degrees * math.Pi / 180)
	return func(x, y float64) float64 {
		dx, dy := x-cx, y-cy
		return s(cx+dx*cos-dy*sin, cy+dx*sin+dy*cos)
	}
}
