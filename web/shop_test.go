package web

import (
	"strings"
	"testing"
)

func TestShopShowsItsShelves(t *testing.T) {
	s, _ := newShop(t, nil)
	w := get(s, "/")
	wantStatus(t, w, 200)
	wantText(t, w, "€17.50", "€89.00", "<s aria-label=\"before €99.00\">", "Sold out for now", `href="/?shelf=Light"`, "Mug &lt;b&gt;")
	if strings.Index(w.Body.String(), "/p/mug") > strings.Index(w.Body.String(), "/p/lamp") {
		t.Error("the lamp comes before the mug, against the order of the shelves")
	}
	light := get(s, "/?shelf=Light")
	wantText(t, light, "/p/lamp")
	wantNoText(t, light, "/p/mug")
	wantText(t, get(s, "/?shelf=Nonsense"), "/p/mug", "/p/lamp")
}

func TestProductPageCarriesTheWidget(t *testing.T) {
	s, _ := newShop(t, nil)
	w := get(s, "/p/mug")
	wantStatus(t, w, 200)
	wantText(t, w, "Holds tea.", `<script src="/widget.js" data-sku="mug" data-lang="en" async></script>`, `<noscript><a class="button" href="/widget/frame?sku=mug&amp;lang=en">`)
	wantStatus(t, get(s, "/p/nothing"), 404)
}

func TestShopNeverTellsItsLimits(t *testing.T) {
	s, _ := newShop(t, nil)
	for _, address := range []string{"/", "/p/lamp", "/widget/frame?sku=lamp"} {
		wantNoText(t, get(s, address), "80.00", "8000")
	}
	wantText(t, get(s, "/p/lamp"), "Open to offers")
}

func TestShopIsOnlyThereInTheDemo(t *testing.T) {
	s, _ := newShop(t, func(o *Options) { o.Demo = false })
	wantStatus(t, get(s, "/"), 404)
	wantStatus(t, get(s, "/p/mug"), 404)
	wantStatus(t, get(s, "/widget/frame?sku=mug"), 200)
}

func TestPagesSpeakTheVisitorsLanguage(t *testing.T) {
	s, _ := newShop(t, nil)
	tests := []struct{ name, address, accept, want string }{
		{"no preference", "/", "", "en"},
		{"German browser", "/", "de-AT,de;q=0.9,en;q=0.8", "de"},
		{"best of ours", "/", "fr,en;q=0.4,de;q=0.7", "de"},
		{"asked for", "/?lang=de", "en", "de"},
		{"asked for one we lack", "/?lang=fr", "de", "de"},
		{"none of ours", "/", "fr,it", "en"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := get(s, test.address, "Accept-Language", test.accept)
			wantText(t, w, `<html lang="`+test.want+`">`)
		})
	}
}
