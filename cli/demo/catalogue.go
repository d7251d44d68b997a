package demo

func kitchen() []Product {
	return []Product{
		{
			SKU: "mug-harbour", Kind: "Kitchen", Title: "Harbour stoneware mug", Price: eur(1750), Stock: 40,
			Description: "Thrown by hand, glazed in the blue of a harbour just before rain. It holds 350 ml, keeps its heat, and sits in " +
				"the hand as if it had been there before. Dishwasher safe; every rim is a little different.",
		},
		{
			SKU: "kettle-arc", Kind: "Kitchen", Title: "Arc gooseneck kettle", Price: eur(6400), Stock: 9,
			Description: "A slow, thin pour for coffee that deserves one. Brushed steel, a beech handle that stays cool, and a base wide " +
				"enough for gas, ceramic and induction. 0.9 litres.",
		},
		{
			SKU: "grinder-mill", Kind: "Kitchen", Title: "Mill hand grinder", Price: eur(7900), Stock: 6,
			Floor: eur(6600), AutoAccept: eur(7400),
			Description: "Steel burrs, forty clicks from espresso to French press, and no plug. Grinds for two cups in under a minute and " +
				"folds flat enough for a rucksack.",
		},
		{
			SKU: "board-oak", Kind: "Kitchen", Title: "Oak chopping board", Price: eur(3800), Stock: 14,
			Description: "One plank, end to end, from a windfall oak. Oiled twice before it leaves the workshop; once a month after that is " +
				"up to you. 42 × 26 cm, with a hole for the hook.",
		},
	}
}

func light() []Product {
	return []Product{
		{
			SKU: "lamp-heron", Kind: "Light", Title: "Heron desk lamp", Price: eur(8900), Stock: 5,
			Floor: eur(7200), AutoAccept: eur(8400),
			Description: "Stands on one leg and looks where you look. Two joints, no springs to squeak, and a warm light that dims by " +
				"touching the head. Cable 1.8 m.",
		},
		{
			SKU: "lamp-morel", Kind: "Light", Title: "Morel table lamp", Price: eur(5900), Stock: 11,
			Description: "A small round light for a shelf, a sill or the far end of a sofa. Mouth-blown opal glass over a turned ash foot. " +
				"Runs a night on its battery, or for ever on USB-C.",
		},
		{
			SKU: "candles-beeswax", Kind: "Light", Title: "Beeswax candles, three", Price: eur(1400), Stock: 60,
			Description: "Dipped, not poured, by a beekeeper who can name the hives. Each burns for about seven hours and smells faintly of " +
				"a summer meadow, of nothing else.",
		},
		{
			SKU: "lantern-camp", Kind: "Light", Title: "Camp lantern", Price: eur(3200), Stock: 0,
			Description: "An honest lantern for power cuts and late suppers outdoors. Bright enough to read by, gentle enough to talk by, " +
				"and rainproof. 80 hours on a charge at its lowest.",
		},
	}
}

func sound() []Product {
	return []Product{
		{
			SKU: "headphones-hush", Kind: "Sound", Title: "Hush headphones", Price: eur(12900), Stock: 0,
			Description: "They cancel the train, not the music. Thirty hours on a charge, soft cushions that can be replaced without a tool, " +
				"and a real wheel for the volume.",
		},
		{
			SKU: "speaker-pebble", Kind: "Sound", Title: "Pebble speaker", Price: eur(6900), Stock: 18,
			Description: "The size of a grapefruit, the voice of something larger. Two of them find each other and make stereo. Splashes do " +
				"not trouble it.",
		},
		{
			SKU: "radio-larder", Kind: "Sound", Title: "Larder kitchen radio", Price: eur(8400), Stock: 7,
			Description: "One dial, two knobs, no account. FM, DAB+ and a line in; a walnut case that makes voices sound as if they were in " +
				"the room.",
		},
		{
			SKU: "metronome-even", Kind: "Sound", Title: "Even metronome", Price: eur(3600), Stock: 12,
			Description: "Wound by hand, ticks from 40 to 208, and never needs updating. The pendulum is visible from the far side of the " +
				"piano.",
		},
	}
}

func carry() []Product {
	return []Product{
		{
			SKU: "backpack-day", Kind: "Carry", Title: "Day canvas backpack", Price: eur(9800), Stock: 8,
			Description: "Waxed canvas, leather where hands go, and a flat pocket that a 15-inch laptop likes. 18 litres: enough for a day, " +
				"too small to be asked to carry everybody's things.",
		},
		{
			SKU: "tote-market", Kind: "Carry", Title: "Market tote", Price: eur(2000), Stock: 25,
			Floor: eur(1400), AutoAccept: eur(1800),
			Description: "Heavy cotton, long handles, one pocket for the keys. Carries a week of vegetables and washes at 60 degrees.",
		},
		{
			SKU: "bottle-spring", Kind: "Carry", Title: "Spring steel bottle", Price: eur(2700), Stock: 33,
			Description: "Half a litre, cold for a day or hot for twelve hours. The lid comes apart in three pieces, which is why it can be " +
				"cleaned.",
		},
		{
			SKU: "umbrella-lull", Kind: "Carry", Title: "Lull umbrella", Price: eur(3400), Stock: 2,
			Description: "Eight fibreglass ribs that bend in a gust and come back. A beech crook, a canopy of recycled bottles, and a width " +
				"that keeps one person dry and another hopeful.",
		},
	}
}

func desk() []Product {
	return []Product{
		{
			SKU: "notebook-field", Kind: "Desk", Title: "Field notebook", Price: eur(1600), Stock: 75,
			Description: "192 dotted pages that take a fountain pen without bleeding, thread-sewn so that it lies flat. Numbered, with room " +
				"for a table of contents.",
		},
		{
			SKU: "pen-reed", Kind: "Desk", Title: "Reed fountain pen", Price: eur(4200), Stock: 0,
			Description: "A light resin body, a steel nib that forgives, and a converter in the box. Medium or fine: tell us in the chat.",
		},
		{
			SKU: "clock-rise", Kind: "Desk", Title: "Rise alarm clock", Price: eur(4500), Stock: 10,
			Description: "It tells the time and, when asked, wakes you, first softly and then as if it meant it. No phone, no glow, one " +
				"battery a year.",
		},
		{
			SKU: "globe-small", Kind: "Desk", Title: "Small blue globe", Price: eur(7400), Stock: 1,
			Description: "20 cm of the world, printed this year, tilted as it should be. The last one until the next edition.",
		},
	}
}

func home() []Product {
	return []Product{
		{
			SKU: "plant-rubber", Kind: "Home", Title: "Rubber plant in a pot", Price: eur(2900), Stock: 16,
			Description: "Hard to offend: some light, a drink every other week, and it grows towards the ceiling. About 45 cm now, in a pot " +
				"of unglazed clay.",
		},
		{
			SKU: "vase-shore", Kind: "Home", Title: "Shore vase", Price: eur(3300), Stock: 4,
			Description: "Sand-coloured outside, glazed inside, with a neck that holds three stems upright and makes them look chosen.",
		},
		{
			SKU: "blanket-moor", Kind: "Home", Title: "Moor wool blanket", Price: eur(11500), Stock: 3,
			Floor: eur(9500), AutoAccept: eur(11000),
			Description: "Lambswool, woven in stripes of heather and peat, fringed by hand. Large enough for two people and a film.",
		},
		{
			SKU: "kite-swift", Kind: "Home", Title: "Swift kite", Price: eur(2400), Stock: 20,
			Description: "Up in any breeze you can feel on your face. Ripstop sail, ash spars, thirty metres of line and a tail that children " +
				"argue about.",
		},
	}
}
