package main

// glow is the light around a lamp.
func glow(c *canvas, x, y, r float64) {
	c.blur(circle(x, y, r*0.36), flat("ffdf9e"), r*0.64, 0.55)
}

func heron(c *canvas) {
	shade(c, 300, 96)
	c.blur(polygon(0, point{446, 196}, point{340, 400}, point{600, 400}), flat("ffe2a6"), 34, 0.34)
	c.fill(box(280, floor, 150, 18, 9), across(205, "e6b65c", 355, "b17f2c"))
	c.fill(line(280, floor-14, 214, 248, 11), across(214, "f0cd86", 290, "bd8a35"))
	c.fill(line(214, 248, 404, 146, 11), down(146, "f4d696", 250, "c4923c"))
	c.fill(circle(214, 248, 14), flat("8f6420"))
	c.fill(circle(280, floor-18, 12), flat("8f6420"))
	head := turned(profile(440, 6, point{22, 128}, point{26, 152}, point{66, 208}), 440, 168, -28)
	c.fill(head, across(370, "f7dfae", 510, "b98733"))
	c.fill(turned(ellipse(440, 212, 68, 13), 440, 168, -28), flat("fff4d8"))
	c.fill(circle(406, 146, 13), flat("8f6420"))
}

func morel(c *canvas) {
	glow(c, 320, 220, 230)
	shade(c, 320, 92)
	c.fill(profile(320, 8, point{20, 280}, point{26, 330}, point{66, floor - 8}), round(250, 392, "8d6238", "c7996a", "ecc99d"))
	cap := within(ellipse(320, 262, 150, 140), above(272))
	c.fill(cap, down(122, "fffdf6", 272, "ffd891"))
	c.fill(ellipse(320, 272, 149, 22), down(250, "ffe9bd", 294, "ffc670"))
	c.glaze(ellipse(276, 172, 40, 22), flat("ffffff"), 0.55)
}

func candles(c *canvas) {
	for _, p := range []struct{ x, top float64 }{{232, 236}, {320, 176}, {402, 272}} {
		glow(c, p.x, p.top-40, 110)
		shade(c, p.x, 44)
		c.fill(box(p.x, floor, 60, floor-p.top, 12), round(p.x-30, p.x+30, "b0771d", "e2ac48", "f8d788"))
		c.fill(ellipse(p.x, p.top+6, 30, 8), flat("f9e0a2"))
		c.fill(line(p.x, p.top+4, p.x, p.top-14, 4), flat("3a2a1c"))
		c.fill(join(circle(p.x, p.top-26, 12), polygon(2, point{p.x - 10, p.top - 30}, point{p.x + 10, p.top - 30}, point{p.x + 2, p.top - 64})), down(p.top-64, "ffb648", p.top-14, "fff1c4"))
	}
	c.fill(box(320, floor+14, 300, 16, 8), across(170, "6c5368", 470, "4a3a4c"))
}

func lantern(c *canvas) {
	glow(c, 320, 270, 200)
	shade(c, 320, 104)
	c.fill(ring(circle(320, 152, 58), 9), across(260, "9fb0b8", 380, "5f6f78"))
	c.fill(profile(320, 8, point{38, 166}, point{84, 196}), across(226, "3f8f8a", 414, "1f5a5a"))
	c.fill(box(320, 340, 148, 140, 12), down(200, "ffe6ad", 340, "ffc15e"))
	c.fill(ellipse(320, 276, 24, 42), flat("fffdf3"))
	for _, x := range []float64{252, 320, 388} {
		c.fill(line(x, 204, x, 338, 6), flat("1f5a5a"))
	}
	c.fill(box(320, floor, 190, 56, 14), round(225, 415, "174847", "3b8783", "74bcb5"))
	c.fill(circle(320, floor-28, 11), flat("ffd27d"))
}
