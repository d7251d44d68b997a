package main

func notebook(c *canvas) {
	turn := func(s shape) shape { return turned(s, 320, 270, -9) }
	c.blur(turn(box(330, floor+6, 214, 270, 12)), flat("1d1410"), 14, 0.34)
	c.fill(turn(box(328, floor-2, 206, 272, 10)), flat("f7efe0"))
	c.fill(turn(box(320, floor-6, 206, 276, 12)), across(210, "2c4a63", 440, "18303f"))
	c.fill(turn(box(234, floor-6, 30, 276, 8)), across(214, "3e6485", 250, "27455c"))
	c.fill(turn(box(392, floor-6, 10, 276, 0)), flat("e07a4f"))
	c.fill(turn(box(316, 236, 104, 62, 6)), flat("f4e7cd"))
	c.glaze(turn(join(line(284, 198, 348, 198, 5), line(284, 214, 330, 214, 5))), flat("2c4a63"), 0.8)
	c.fill(turn(line(340, floor-8, 340, floor+26, 8)), flat("e07a4f"))
}

func pen(c *canvas) {
	turn := func(s shape) shape { return turned(s, 320, 280, 52) }
	c.fill(turned(box(330, 424, 330, 250, 6), 320, 300, 4), down(170, "fffaf2", 430, "f1e2d2"))
	c.glaze(curve(point{190, 352}, point{270, 300}, point{300, 372}, 5), flat("2c3e7a"), 0.9)
	c.glaze(curve(point{300, 372}, point{340, 420}, point{398, 352}, 5), flat("2c3e7a"), 0.9)
	c.blur(turn(box(330, 424, 34, 330, 14)), flat("1d1410"), 12, 0.3)
	c.fill(turn(polygon(2, point{306, 372}, point{334, 372}, point{322, 436}, point{318, 436})), across(290, "f1d287", 340, "b58a33"))
	c.fill(turn(box(320, 378, 34, 50, 8)), flat("20233c"))
	c.fill(turn(box(320, 340, 42, 230, 20)), round(299, 341, "8c1d3c", "c63f60", "f08ca0"))
	c.fill(turn(box(320, 226, 46, 118, 20)), round(297, 343, "6f1530", "a92f50", "df7690"))
	c.fill(turn(box(320, 232, 48, 9, 0)), flat("e6c06a"))
	c.fill(turn(box(338, 214, 8, 84, 4)), flat("e6c06a"))
}

func clock(c *canvas) {
	shade(c, 320, 112)
	c.fill(join(line(262, 350, 238, floor-6, 15), line(378, 350, 402, floor-6, 15)), flat("7a3f2e"))
	for _, side := range []float64{-1, 1} {
		bell := turned(within(circle(320+side*68, 160, 40), above(164)), 320+side*68, 160, side*32)
		c.fill(bell, across(210, "f2cf85", 430, "b5862f"))
	}
	c.fill(line(320, 158, 320, 130, 9), flat("7a3f2e"))
	c.fill(box(320, 132, 34, 12, 6), flat("7a3f2e"))
	c.fill(circle(320, 266, 116), round(204, 436, "a3452f", "da6d4e", "f6a98a"))
	c.fill(circle(320, 266, 94), down(172, "fffdf7", 360, "f3e3cf"))
	for i := range 12 {
		mark := box(320, 194, 6, 12, 3)
		c.fill(turned(mark, 320, 266, float64(i)*30), flat("5b3a2e"))
	}
	c.fill(turned(line(320, 272, 320, 216, 9), 320, 266, -52), flat("33231d"))
	c.fill(turned(line(320, 274, 320, 198, 6), 320, 266, 62), flat("33231d"))
	c.fill(circle(320, 266, 9), flat("da6d4e"))
}

func globe(c *canvas) {
	shade(c, 320, 96)
	c.fill(profile(320, 8, point{12, 366}, point{80, floor - 8}), across(230, "c48c55", 410, "8a5a30"))
	c.fill(line(320, 340, 320, 374, 13), flat("8a5a30"))
	c.fill(without(ring(circle(320, 226, 138), 10), turned(leftOf(300), 320, 226, 23)), across(300, "f0d596", 470, "b5862f"))
	ball := circle(320, 226, 120)
	c.fill(ball, round(200, 440, "1d4f7d", "3f84b5", "8fc4e2"))
	land := join(
		ellipse(278, 176, 46, 30), ellipse(264, 206, 26, 34), ellipse(298, 268, 24, 46), ellipse(290, 246, 34, 22),
		ellipse(374, 176, 42, 24), ellipse(384, 214, 30, 34), ellipse(400, 250, 18, 34), ellipse(418, 186, 30, 26),
	)
	c.fill(within(land, ball), round(200, 440, "6d8a3c", "9bb65b", "cbdc93"))
	for _, half := range []float64{60, 6} {
		c.glaze(within(ring(turned(ellipse(320, 226, half, 120), 320, 226, 23), 2), ball), flat("ffffff"), 0.3)
	}
	c.glaze(ellipse(272, 160, 34, 20), flat("ffffff"), 0.25)
}
