package flow

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func render(t *testing.T, language, template string, vars map[string]string) string {
	t.Helper()
	set := mustLoad(t, withFlow("flow: t\nstarts_on: [buy]\nstart: s\nstates:\n  s:\n    say:\n      en: |\n        "+template+"\n      de: |\n        "+template+"\n    end: true\n"))
	text, err := set.Scope(language, vars).Render(set.State(Place{"t", "s"}).Say)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTextsSpeakTheReadersLanguage(t *testing.T) {
	vars := map[string]string{
		"price": "1234.50 EUR", "offer": "ofr_1", "offer.amount": "15.00 EUR", "quantity": "2", "product.title": "Mug {{ price }}",
		"expires": "2026-03-01T22:30:00Z", "product.stock": "7", "contact.name": "",
	}
	tests := []struct{ name, template, en, de string }{
		{"money", "{{ price | money }}", "€1,234.50", "1.234,50\u00a0€"},
		{"both a name and its part", "{{ offer }} {{ offer.amount | money }}", "ofr_1 €15.00", "ofr_1 15,00\u00a0€"},
		{"what is absent is empty and false", "a{{ contact.name }}{% if contact.name %}b{% endif %}{{ total | money }}", "a", "a"},
		{"values are not templates", "{{ product.title }}", "Mug {{ price }}", "Mug {{ price }}"},
		{"counts compare as numbers", "{% if product.stock > 5 and quantity == 2 %}yes{% endif %}", "yes", "yes"},
		{"time without a zone says UTC", "{{ expires | datetime }}", "1 March, 22:30 UTC", "1. März, 22:30 Uhr UTC"},
		{"date alone", "{{ expires | date }}", "1 March", "1. März"},
		{"case", `{% case language %}{% when "de" %}ja{% else %}yes{% endcase %}`, "yes", "ja"},
		{"default", `{{ contact.name | default: "you" }}`, "you", "you"},
		{"shop", "{{ shop.name }}", "Shop", "Shop"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := render(t, "en", tt.template, vars); got != tt.en {
				t.Errorf("English: %q, want %q", got, tt.en)
			}
			if got := render(t, "de", tt.template, vars); got != tt.de {
				t.Errorf("German: %q, want %q", got, tt.de)
			}
		})
	}
	vars["contact.time_zone"] = "Europe/Berlin"
	if got, want := render(t, "de", "{{ expires | datetime }}", vars), "1. März, 23:30 Uhr"; got != want {
		t.Errorf("in Berlin %q, want %q", got, want)
	}
}

func TestTextsHoldNoControlCharacters(t *testing.T) {
	got := render(t, "en", "a{{ text }}z", map[string]string{"text": "\x1b[31m\x00<b>*x*\u202e\u2066\r\n\ty\x7f\xff"})
	if want := "a[31m<b>*x*\n yz"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTextsAreCutAtABorderOfCharacters(t *testing.T) {
	for pad := range 5 {
		got := render(t, "en", "{{ text }}", map[string]string{"text": strings.Repeat("a", pad) + strings.Repeat("😀", MaxText)})
		if len(got) > MaxText || !utf8.ValidString(got) || !strings.HasSuffix(got, "😀…") {
			t.Errorf("%d bytes, ends in %q", len(got), got[len(got)-8:])
		}
	}
}

func TestSimpleTextsReadAsLiquidHasThem(t *testing.T) {
	simple := 0
	for _, template := range []string{
		"{{ product.title }}", "a {{product.title}}b{{ price|money }} {{  total | money  }}", "{{ product.stock }} {{ quantity | money }} }} { {", "{{ contact.name }}{{ was | money }}.",
		"{{ language }} {{ shop.name | money }}\n        {{ offer }} {{ offer.amount }}", "{{ product.title -}} x", "{{ price | money | upcase }}", "{{ contact.name | default: 'you' }}", "{{ true }} {{ 5 }}",
	} {
		set := mustLoad(t, withFlow("flow: t\nstarts_on: [buy]\nstart: s\nstates:\n  s:\n    say:\n      en: |\n        "+template+"\n      de: |\n        "+template+"\n    end: true\n"))
		say := set.State(Place{"t", "s"}).Say
		for _, vars := range []map[string]string{
			nil,
			{"price": "1234.50 EUR", "total": "nonsense", "product.title": "Mug \u202e{{ price }}", "product.stock": "7", "quantity": "many", "offer": "ofr_1", "offer.amount": "15.00 EUR"},
			{"price": "5000 JPY", "was": "6000 JPY", "product.title": " ", "product.stock": "-", "quantity": "2", "contact.name": "Ada\nByron", "shop.name": "Mugs"},
		} {
			for _, language := range []string{"en", "de"} {
				compiled, scope := say.compiled[language], set.Scope(language, vars)
				want, err := compiled.liquid(scope)
				if err != nil {
					t.Fatal(err)
				}
				if compiled.parts == nil {
					continue
				}
				simple++
				if got := compiled.join(scope); got != want {
					t.Errorf("%q with %v in %s is %q, want %q", template, vars, language, got, want)
				}
			}
		}
	}
	if want := 5 * 3 * 2; simple != want {
		t.Errorf("%d were simple, want %d", simple, want)
	}
}
