package main

func headphones(c *canvas) {
	shade(c, 320, 140)
	c.fill(within(ring(ellipse(320, 280, 128, 166), 26), above(290)), across(190, "35454a", 450, "1c282c"))
	c.fill(within(ring(ellipse(320, 280, 118, 152), 8), above(220)), flat("d9a441"))
	for _, side := range []float64{-1, 1} {
		x := 320 + side*126
		c.fill(box(x, 376, 62, 136, 30), round(x-31, x+31, "1c282c", "3f5258", "6d858c"))
		c.fill(box(x-side*30, 366, 30, 112, 15), across(x-60, "e4c9a3", x+60, "b98f5f"))
		c.fill(circle(x+side*10, 308, 12), flat("d9a441"))
	}
}

func speaker(c *canvas) {
	shade(c, 320, 122)
	ball := within(circle(320, 272, 130), above(floor))
	c.fill(ball, round(190, 450, "2b5059", "4f8490", "93c0c8"))
	c.fill(circle(306, 276, 78), down(198, "1d3138", 354, "35525b"))
	for r := 14.0; r < 76; r += 15 {
		c.glaze(ring(circle(306, 276, r), 3), flat("7fa5ae"), 0.6)
	}
	c.fill(circle(306, 276, 12), flat("f0b95b"))
	c.glaze(turned(ellipse(256, 176, 38, 15), 256, 176, -32), flat("ffffff"), 0.5)
	c.fill(ellipse(320, floor, 62, 9), flat("22383f"))
}

func radio(c *canvas) {
	shade(c, 320, 176)
	c.fill(line(446, 190, 500, 82, 6), flat("aeb8ba"))
	c.fill(circle(501, 80, 7), flat("d6dddf"))
	c.fill(ring(box(320, 212, 150, 52, 24), 11), flat("4a2d18"))
	c.fill(box(320, floor-8, 336, 196, 26), across(150, "8d5a32", 490, "5e3719"))
	c.fill(box(320, floor-24, 300, 164, 16), down(200, "f3e6cf", 370, "e0cba6"))
	for y := 226.0; y < 360; y += 15 {
		c.fill(line(190, y, 318, y, 6), flat("6b4424"))
	}
	c.fill(circle(402, 264, 46), down(218, "fffaf0", 310, "d8c39b"))
	c.glaze(ring(circle(402, 264, 36), 3), flat("8d5a32"), 0.7)
	c.fill(line(402, 264, 424, 238, 5), flat("c2402e"))
	c.fill(circle(402, 264, 7), flat("3d2412"))
	for _, x := range []float64{370, 434} {
		c.fill(circle(x, 338, 15), round(x-15, x+15, "3d2412", "6b4424", "a3744a"))
	}
	c.fill(join(box(196, floor, 34, 12, 4), box(444, floor, 34, 12, 4)), flat("3d2412"))
}

func metronome(c *canvas) {
	shade(c, 320, 118)
	c.fill(profile(320, 14, point{36, 120}, point{104, floor - 34}), across(200, "a85c32", 440, "6d3517"))
	c.fill(profile(320, 8, point{22, 146}, point{66, 330}), down(140, "f6e7cd", 330, "e2c79c"))
	for i := range 6 {
		y := 176 + float64(i)*24
		c.glaze(line(306-float64(i)*3, y, 334+float64(i)*3, y, 3), flat("6d3517"), 0.6)
	}
	c.fill(turned(line(320, 344, 320, 96, 7), 320, 344, 17), across(300, "d8dfe0", 400, "8b9597"))
	c.fill(turned(polygon(4, point{306, 168}, point{334, 168}, point{328, 194}, point{312, 194}), 320, 344, 17), flat("d9a441"))
	c.fill(box(320, floor, 250, 44, 12), across(195, "7d411f", 445, "4f260f"))
	c.fill(circle(320, floor-24, 11), flat("d9a441"))
}
