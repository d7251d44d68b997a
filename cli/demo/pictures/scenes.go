package main

// floor is where things stand.
const floor = 392

// backdrops are the walls and tables, one a shelf of the shop.
var backdrops = map[string]func(*canvas){
	"Kitchen": room("f3e3cf", "ecd3b4", "d9a877", "c9905c", "f9efe0"),
	"Light":   room("2f3550", "454a6c", "5b4a5e", "3f3448", "59608a"),
	"Sound":   room("dfe7e4", "c6d6d2", "8fa9a6", "76928f", "eef4f1"),
	"Carry":   room("dfe9cf", "c9dab3", "9db37c", "86a064", "edf4e1"),
	"Desk":    room("f5dcd3", "eec5b8", "c98b7c", "b5735f", "fbece6"),
	"Home":    room("e4dff0", "cfc8e4", "a598c4", "8f80b3", "f1edf8"),
}

func room(wallTop, wallFoot, tableTop, tableFoot, sun string) func(*canvas) {
	return func(c *canvas) {
		c.fill(above(height), down(0, wallTop, 330, wallFoot))
		c.glaze(circle(400, 200, 168), down(40, sun, 360, wallFoot), 0.75)
		c.fill(box(320, height+20, width+80, height+20-338, 0), down(338, tableTop, height, tableFoot))
	}
}

// shade is the shadow under a thing that stands on the table.
func shade(c *canvas, x, half float64) {
	c.blur(ellipse(x+14, floor+6, half, 11), flat("1d1410"), 9, 0.34)
}

// scenes are the drawings by SKU.
var scenes = map[string]func(*canvas){
	"mug-harbour": mug, "kettle-arc": kettle, "grinder-mill": grinder, "board-oak": board,
	"lamp-heron": heron, "lamp-morel": morel, "candles-beeswax": candles, "lantern-camp": lantern,
	"headphones-hush": headphones, "speaker-pebble": speaker, "radio-larder": radio, "metronome-even": metronome,
	"backpack-day": backpack, "tote-market": tote, "bottle-spring": bottle, "umbrella-lull": umbrella,
	"notebook-field": notebook, "pen-reed": pen, "clock-rise": clock, "globe-small": globe,
	"plant-rubber": plant, "vase-shore": vase, "blanket-moor": blanket, "kite-swift": kite,
}
