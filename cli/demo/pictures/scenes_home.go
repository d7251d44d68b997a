package main

func plant(c *canvas) {
	shade(c, 320, 92)
	c.fill(curve(point{320, 310}, point{300, 200}, point{326, 96}, 8), flat("5f4a2d"))
	for _, l := range []struct{ x, y, w, h, turn float64 }{
		{248, 250, 30, 66, -62}, {398, 232, 30, 68, 58}, {246, 172, 28, 62, -42}, {392, 152, 28, 62, 44}, {322, 104, 27, 62, 4}, {318, 254, 24, 50, 16},
	} {
		leaf := turned(ellipse(l.x, l.y, l.w, l.h), l.x, l.y, l.turn)
		c.fill(leaf, across(l.x-60, "5fa36b", l.x+60, "23583f"))
		c.glaze(within(turned(line(l.x, l.y-l.h, l.x, l.y+l.h, 3), l.x, l.y, l.turn), leaf), flat("b9deb4"), 0.6)
	}
	c.fill(profile(320, 10, point{78, 306}, point{56, floor - 10}), round(232, 408, "8f4527", "c87750", "eba884"))
	c.fill(box(320, 318, 190, 36, 12), round(225, 415, "9c4e2d", "d5865d", "f3b794"))
}

func vase(c *canvas) {
	for _, s := range []struct{ x, y, bend float64 }{{250, 108, -30}, {330, 74, 8}, {406, 122, 40}} {
		c.fill(curve(point{320, 250}, point{320 + s.bend/3, 170}, point{s.x, s.y}, 5), flat("6f7f4a"))
		for i := range 5 {
			petal := turned(ellipse(s.x, s.y-20, 11, 20), s.x, s.y, float64(i)*72)
			c.fill(petal, down(s.y-40, "f7c5cf", s.y+40, "d9738d"))
		}
		c.fill(circle(s.x, s.y, 9), flat("f0c05a"))
	}
	shade(c, 320, 92)
	c.fill(profile(320, 12, point{38, 226}, point{26, 256}, point{74, 304}, point{82, 340}, point{54, floor - 12}), round(226, 414, "a8845a", "d9bd93", "f6e6ca"))
	c.fill(ellipse(320, 222, 49, 9), flat("7d5f3d"))
	c.glaze(box(320, 336, 190, 10, 0), flat("d9bd93"), 0.1)
}

func blanket(c *canvas) {
	shade(c, 320, 168)
	folds := []struct{ top, dark, mid, lit string }{
		{"", "6c4a78", "9a75a8", "c3a3cd"}, {"", "8d7a62", "c3ae92", "e6d6bd"}, {"", "4d3a63", "77608f", "a58fba"}, {"", "8a5570", "bd8199", "e0b0c0"},
	}
	y := float64(floor)
	for i, f := range folds {
		in := float64(i) * 7
		c.fill(box(320, y, 316-in, 58, 27), down(y-58, f.lit, y, f.dark))
		c.glaze(line(190+in, y-29, 440-in, y-29, 4), flat(f.mid), 0.6)
		c.glaze(box(320, y-8, 250, 6, 3), flat(f.dark), 0.25)
		y -= 52
	}
	for x := 196.0; x <= 444; x += 15.5 {
		c.fill(line(x, floor-6, x-3, floor+20, 5), across(190, "c3a3cd", 450, "7d5a8b"))
	}
	c.fill(box(380, floor-40, 54, 34, 4), flat("f4ead8"))
	c.glaze(join(line(364, floor-62, 396, floor-62, 4), line(364, floor-52, 386, floor-52, 4)), flat("6c4a78"), 0.8)
}

func kite(c *canvas) {
	top, left, right, foot := point{372, 60}, point{258, 148}, point{464, 186}, point{306, 330}
	cross := point{350, 158}
	c.glaze(ellipse(170, 120, 60, 18), flat("ffffff"), 0.6)
	c.glaze(ellipse(214, 108, 46, 16), flat("ffffff"), 0.6)
	c.fill(polygon(2, top, left, cross), down(60, "f59f6c", 160, "e37345"))
	c.fill(polygon(2, top, right, cross), down(60, "fbd08a", 190, "f0a94e"))
	c.fill(polygon(2, left, foot, cross), down(140, "5aa7a7", 330, "2f7480"))
	c.fill(polygon(2, right, foot, cross), down(150, "8accc2", 330, "4a9aa0"))
	c.glaze(join(line(top.x, top.y, foot.x, foot.y, 4), line(left.x, left.y, right.x, right.y, 4)), flat("6b4424"), 0.8)
	c.fill(curve(foot, point{220, 350}, point{262, 404}, 5), flat("e37345"))
	c.fill(curve(point{262, 404}, point{296, 446}, point{206, 440}, 5), flat("e37345"))
	for _, p := range []point{{264, 352}, {256, 388}, {272, 426}} {
		c.fill(join(polygon(2, p, point{p.x - 18, p.y - 11}, point{p.x - 18, p.y + 11}), polygon(2, p, point{p.x + 18, p.y - 11}, point{p.x + 18, p.y + 11})), flat("fbd08a"))
	}
	c.glaze(curve(cross, point{480, 300}, point{600, 352}, 2), flat("5b4a6e"), 0.8)
}
