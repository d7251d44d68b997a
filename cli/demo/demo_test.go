package demo

import (
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

const folder = "../../web/static/demo"

func TestShopHasTwentyFourThingsOnItsShelves(t *testing.T) {
	all := Products()
	if len(all) != 24 {
		t.Errorf("got %d products, want 24", len(all))
	}
	seen := map[string]bool{}
	soldOut, haggled := 0, 0
	for _, p := range all {
		if seen[p.SKU] {
			t.Errorf("%s is there twice", p.SKU)
		}
		seen[p.SKU] = true
		if p.Title == "" || len(p.Description) < 60 || p.Price.Minor <= 0 || p.Price.Currency != "EUR" || p.Stock < 0 {
			t.Errorf("%s is not fit to sell: %+v", p.SKU, p)
		}
		if !slices.Contains(Kinds(), p.Kind) {
			t.Errorf("%s stands on the shelf %q, which the shop does not have", p.SKU, p.Kind)
		}
		if p.Stock == 0 {
			soldOut++
		}
		if p.CanHaggle() {
			haggled++
			if !(p.Floor.Minor < p.AutoAccept.Minor && p.AutoAccept.Minor < p.Price.Minor) {
				t.Errorf("%s: want floor < auto-accept < price, got %s, %s, %s", p.SKU, p.Floor, p.AutoAccept, p.Price)
			}
		}
	}
	if soldOut == 0 || haggled == 0 {
		t.Errorf("got %d sold out and %d to haggle over, want some of each", soldOut, haggled)
	}
}

func TestEveryProductHasALightPicture(t *testing.T) {
	pictures, err := filepath.Glob(filepath.Join(folder, "*.png"))
	if err != nil || len(pictures) != len(Products()) {
		t.Errorf("got %d pictures (%v), want one a product; run go generate ./cli/demo", len(pictures), err)
	}
	for _, p := range Products() {
		f, err := os.Open(filepath.Join(folder, p.SKU+".png"))
		if err != nil {
			t.Errorf("%s has no picture; run go generate ./cli/demo: %v", p.SKU, err)
			continue
		}
		defer func() { _ = f.Close() }()
		if info, err := f.Stat(); err != nil || info.Size() >= 30_000 {
			t.Errorf("the picture of %s weighs too much: %v", p.SKU, info.Size())
		}
		c, err := png.DecodeConfig(f)
		if err != nil || c.Width != 640 || c.Height != 480 {
			t.Errorf("the picture of %s is %d × %d (%v), want 640 × 480", p.SKU, c.Width, c.Height, err)
		}
	}
}
