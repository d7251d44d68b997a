package main

func backpack(c *canvas) {
	shade(c, 320, 134)
	c.fill(ring(box(320, 150, 76, 60, 30), 13), flat("5b3a22"))
	c.fill(join(box(206, 350, 44, 150, 22), box(434, 350, 44, 150, 22)), across(184, "7d8c3f", 456, "4f5c24"))
	c.fill(box(320, floor, 226, 284, 62), round(207, 433, "55632a", "8a9a4b", "b4c178"))
	c.fill(box(320, floor-18, 176, 108, 26), round(232, 408, "4d5a25", "7d8c42", "a3b167"))
	c.fill(box(320, 268, 230, 130, 46), round(205, 435, "5d6b2f", "97a757", "c2ce8b"))
	for _, x := range []float64{268, 372} {
		c.fill(box(x, 316, 22, 96, 6), across(x-11, "8a5a35", x+11, "5b3a22"))
		c.fill(ring(box(x, 304, 28, 22, 4), 5), flat("e0c27a"))
	}
	c.fill(box(320, floor-60, 92, 8, 4), flat("5b3a22"))
}

func tote(c *canvas) {
	shade(c, 316, 130)
	for _, d := range []float64{0, 10} {
		c.fill(curve(point{258 - d, 222}, point{320, 24 + d*3}, point{382 + d, 222}, 14), flat([]string{"b69b6e", "d7c096"}[int(d/10)]))
	}
	for _, leaf := range []struct{ x, y, a float64 }{{286, 190, -24}, {318, 172, 4}, {350, 192, 30}} {
		c.fill(turned(ellipse(leaf.x, leaf.y, 17, 48), leaf.x, leaf.y, leaf.a), across(260, "7fae58", 380, "487a35"))
	}
	bag := profile(320, 10, point{112, 214}, point{124, floor - 10})
	c.fill(bag, round(190, 450, "c3a878", "e6d3ac", "f7ecd2"))
	c.fill(circle(320, 306, 50), down(256, "e07a4f", 356, "c4552f"))
	c.fill(within(circle(320, 306, 50), circle(352, 290, 50)), down(256, "f2a56f", 356, "d97343"))
	c.glaze(curve(point{222, 240}, point{232, 320}, point{212, 384}, 4), flat("a98d5c"), 0.5)
	c.glaze(curve(point{414, 236}, point{404, 320}, point{428, 384}, 4), flat("a98d5c"), 0.5)
}

func bottle(c *canvas) {
	shade(c, 320, 74)
	c.fill(ring(box(320, 116, 50, 40, 18), 10), flat("3b4a3a"))
	c.fill(box(320, 152, 72, 50, 12), round(284, 356, "26332a", "4a5d4d", "7f9681"))
	c.fill(profile(320, 20, point{22, 172}, point{48, 204}, point{50, floor - 20}), round(250, 390, "2d6a5e", "5ba593", "b3dccf"))
	c.glaze(box(320, floor-36, 140, 8, 0), flat("e9f4ef"), 0.7)
	c.fill(box(320, floor, 128, 20, 10), round(256, 384, "6a7377", "a9b2b6", "eef2f3"))
	c.fill(polygon(6, point{320, 262}, point{336, 296}, point{304, 296}), flat("e9f4ef"))
	c.fill(circle(320, 300, 21), flat("e9f4ef"))
}

func umbrella(c *canvas) {
	c.blur(ellipse(320, floor+10, 170, 12), flat("1d1410"), 10, 0.28)
	c.fill(line(320, 120, 320, 360, 9), across(315, "c9d0c9", 326, "7c867c"))
	c.fill(curve(point{320, 356}, point{318, 410}, point{358, 398}, 15), across(310, "c48c55", 370, "8a5a30"))
	c.fill(line(358, 398, 366, 382, 15), flat("8a5a30"))
	dome := within(ellipse(320, 258, 196, 152), above(258))
	for _, x := range []float64{-147, -49, 49, 147} {
		dome = without(dome, ellipse(320+x, 262, 50, 20))
	}
	c.fill(dome, round(124, 516, "8e2f3c", "c9505a", "ec8e87"))
	c.glaze(within(dome, without(ellipse(320, 258, 104, 154), ellipse(320, 258, 98, 154))), flat("6f1f2d"), 0.6)
	c.glaze(within(dome, without(ellipse(320, 258, 6, 154), ellipse(320, 258, 1, 154))), flat("6f1f2d"), 0.6)
	c.fill(line(320, 110, 320, 84, 8), flat("5b3a22"))
}
