package main

import (
	"testing"

	"parley/cli/demo"
)

func TestEveryProductHasASceneAndEveryShelfABackdrop(t *testing.T) {
	for _, p := range demo.Products() {
		if scenes[p.SKU] == nil {
			t.Errorf("%s has no scene", p.SKU)
		}
	}
	if len(scenes) != len(demo.Products()) {
		t.Errorf("got %d scenes, want %d", len(scenes), len(demo.Products()))
	}
	for _, kind := range demo.Kinds() {
		if backdrops[kind] == nil {
			t.Errorf("the shelf %s has no backdrop", kind)
		}
	}
}

func TestShapesCoverTheirInside(t *testing.T) {
	tests := []struct {
		name           string
		s              shape
		inside, beyond point
	}{
		{"circle", circle(100, 100, 20), point{110, 110}, point{120, 120}},
		{"ellipse", ellipse(100, 100, 40, 10), point{130, 100}, point{100, 115}},
		{"box stands on its foot", box(100, 100, 40, 30, 5), point{100, 75}, point{100, 105}},
		{"polygon", polygon(0, point{0, 0}, point{50, 0}, point{0, 50}), point{10, 10}, point{40, 40}},
		{"profile", profile(100, 0, point{10, 0}, point{30, 100}), point{80, 90}, point{80, 10}},
		{"without", without(circle(100, 100, 20), circle(110, 100, 10)), point{90, 100}, point{110, 100}},
		{"turned clockwise", turned(line(100, 100, 140, 100, 4), 100, 100, 90), point{100, 130}, point{130, 100}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if d := test.s(test.inside.x, test.inside.y); d >= 0 {
				t.Errorf("%v is outside by %g", test.inside, d)
			}
			if d := test.s(test.beyond.x, test.beyond.y); d <= 0 {
				t.Errorf("%v is inside by %g", test.beyond, -d)
			}
		})
	}
}

func TestPictureTooHeavyIsMadeCoarser(t *testing.T) {
	c := newCanvas()
	c.fill(above(height), down(0, "000000", height, "ffffff"))
	data, err := encode(c)
	if err != nil || len(data) >= largest {
		t.Errorf("got %d bytes, %v", len(data), err)
	}
}
