package main

func mug(c *canvas) {
	shade(c, 310, 110)
	c.fill(ring(ellipse(408, 300, 44, 52), 20), across(380, "355f77", 460, "223f52"))
	body := profile(305, 14, point{92, 208}, point{90, 330}, point{72, floor - 14})
	c.fill(body, round(200, 410, "1f4257", "3d7490", "7fb0c4"))
	c.fill(within(body, above(246)), round(200, 410, "b9ab93", "dccfb6", "f4ecda"))
	c.fill(ellipse(305, 206, 104, 17), flat("efe5d0"))
	c.fill(ellipse(305, 208, 93, 13), down(196, "3b2418", 222, "5d3a25"))
	for i, dx := range []float64{-34, 6, 42} {
		rise := float64(i%2) * 18
		c.glaze(curve(point{305 + dx, 182}, point{325 + dx, 150}, point{303 + dx, 118 - rise}, 6), flat("ffffff"), 0.42)
	}
}

func kettle(c *canvas) {
	shade(c, 320, 130)
	c.fill(curve(point{408, 352}, point{500, 330}, point{486, 206}, 20), across(420, "9aa2a6", 500, "6a7276"))
	c.fill(line(486, 206, 512, 196, 15), flat("6f777b"))
	c.fill(join(curve(point{214, 250}, point{118, 236}, point{146, 352}, 18), line(214, 250, 226, 268, 16)), across(120, "c48c55", 220, "8a5a30"))
	c.fill(profile(308, 12, point{70, 232}, point{96, 300}, point{112, floor - 12}), round(186, 430, "5f686d", "a9b2b6", "eef2f3"))
	c.fill(box(308, 226, 142, 14, 7), flat("858e93"))
	c.fill(box(308, 214, 96, 12, 6), round(260, 356, "6a7377", "b5bdc1", "eef2f3"))
	c.fill(circle(308, 194, 13), round(294, 322, "74461f", "b57d45", "dba871"))
}

func grinder(c *canvas) {
	shade(c, 320, 86)
	c.fill(line(320, 138, 452, 122, 13), across(320, "3a3d40", 450, "6a6f73"))
	c.fill(box(456, 120, 40, 46, 18), round(434, 478, "6b3f1d", "a86f3a", "d29a61"))
	c.fill(box(320, 160, 30, 34, 8), flat("44484b"))
	c.fill(box(320, 262, 132, 108, 20), round(254, 386, "25292c", "4b5256", "8b9498"))
	c.fill(box(320, 290, 118, 30, 6), round(261, 379, "8a5a2c", "c08c52", "e3b884"))
	c.fill(box(320, floor, 126, 104, 18), round(257, 383, "2a2e31", "565d61", "99a2a6"))
	c.glaze(box(320, floor-22, 126, 6, 0), flat("d9dfe1"), 0.5)
	for _, p := range []point{{210, 398}, {226, 408}, {190, 410}, {438, 410}, {455, 402}} {
		c.fill(turned(ellipse(p.x, p.y, 11, 7), p.x, p.y, p.x), flat("4a2c1a"))
	}
}

func board(c *canvas) {
	c.blur(turned(box(340, floor+4, 170, 262, 26), 340, 280, 7), flat("1d1410"), 14, 0.3)
	plank := without(box(320, floor, 172, 276, 30), circle(320, 148, 15))
	c.fill(plank, across(230, "b57a42", 410, "d9a568"))
	for i, x := range []float64{258, 284, 316, 350, 378} {
		bend := float64(i-2) * 9
		grain := curve(point{x, 110}, point{x + bend, 250}, point{x - bend/2, 400}, 3)
		c.glaze(within(grain, plank), flat("7d4c22"), 0.38)
	}
	c.fill(circle(436, floor-32, 34), round(400, 470, "8e1f1c", "d2453b", "f18b7b"))
	c.fill(curve(point{436, floor - 66}, point{440, floor - 84}, point{456, floor - 88}, 6), flat("48652f"))
	c.fill(line(196, floor-4, 120, floor-4, 9), flat("dfe4e6"))
	c.fill(line(232, floor-5, 190, floor-5, 15), flat("4a2c1a"))
}
