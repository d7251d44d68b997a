package understand

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"parley/commerce/money"
)

// FuzzRead looks for texts that break Read or that it reads in two ways, and for readings no flow should ever get.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"would you take 15?", "2 for 70", "wie wär's mit 1.234,50 €", "10 % off", "not 15 but 12", "£1’234.50", "\xff5\xfe", "٢٥ €", "1 2 3 4", "15€50",
		"a hundred and", "zwei Millionen", "us $ 5 million", "99999999999999999999", "1.2.3", "--", "#", "@", "15,-", "ord_01h8", "for for for 2", strings.Repeat("9 ", 500),
	} {
		f.Add(text, "en", "EUR", int64(2000))
		f.Add(text, "de", "JPY", int64(0))
		f.Add(text, "", "", int64(1))
	}
	f.Fuzz(func(t *testing.T, text, language, currency string, list int64) {
		c, err := money.ParseCurrency(currency)
		if err != nil {
			c = ""
		}
		if list < 0 {
			list = 0
		}
		o := Options{Language: language, Currency: c, List: money.New(list, c), Phrases: CompilePhrases(map[string][]string{"gift": {"as a gift", "Geschenk"}, "b2b": {text}})}
		began := time.Now()
		got := Read(text, o)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("took %v", took)
		}
		if again := Read(text, o); !reflect.DeepEqual(got, again) {
			t.Errorf("read %+v, then %+v", got, again)
		}
		if got.HasAmount && (got.Ambiguous || got.Amount.Minor <= 0) || !got.HasAmount && !got.Amount.IsZero() {
			t.Errorf("amount %v, has %v, ambiguous %v", got.Amount, got.HasAmount, got.Ambiguous)
		}
		if got.Quantity < 0 || got.Quantity > maxQuantity || got.Number < 0 || got.Number > 99 {
			t.Errorf("quantity %d, number %d", got.Quantity, got.Number)
		}
		seen := map[string]bool{}
		for _, intent := range got.Intents {
			if seen[intent] {
				t.Errorf("%s twice in %v", intent, got.Intents)
			}
			seen[intent] = true
			if intent == "" || intent[0] == '.' {
				t.Errorf("intent %q", intent)
			}
		}
		if seen["buy"] && (got.HasAmount || got.Ambiguous) || seen["yes"] && (got.HasAmount || got.Ambiguous || seen["question"]) {
			t.Errorf("acts on %+v", got)
		}
	})
}

func TestReadIsQuickOnHugeTexts(t *testing.T) {
	for name, piece := range map[string]string{
		"words": "would you take ", "numbers": "15 for ", "digits": "1", "signs": "$", "letters": "x", "commas": "1,", "zwei": "zweihundert", "marks": "\u0308", "hidden": "\u200b", "spaces": " ",
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Repeat(piece, 1<<20/len(piece))
			began := time.Now()
			got := Read(text, Options{Language: "en", Currency: "EUR"})
			if took := time.Since(began); took > time.Second {
				t.Errorf("took %v", took)
			}
			if len(got.Intents) > 0 && (got.Intents[0] == "stop" || got.Intents[0] == "yes") || got.Number != 0 {
				t.Errorf("a text read in part only gives %+v", got)
			}
		})
	}
}

func TestReadTellsTheLanguage(t *testing.T) {
	for text, want := range map[string]string{
		"would you take 15?": "en", "Nimmst du 15?": "de", "15": "", "ok": "", "Ist das noch da?": "de", "thanks": "en", "danke": "de", "fünfundzwanzig": "de",
		"Was kostet das?": "de", "what was that": "en", "STOP": "", "": "",
	} {
		if got := Read(text, Options{}).Language; got != want {
			t.Errorf("%q is told to be %q, want %q", text, got, want)
		}
	}
}

func TestReadAsksBackWhenTwoLanguagesGroupDifferently(t *testing.T) {
	for _, c := range []struct {
		text, language string
		want           string
	}{
		{"would you take 1,234?", "en", "offer 1234.00 EUR"},
		{"would you take 1,234?", "", "offer 1234.00 EUR"},
		{"would you take 1,234?", "de", "offer ?"},
		{"Nimmst du 1.234?", "de-AT", "offer 1234.00 EUR"},
		{"Nimmst du 1.234?", "en", "offer ?"},
		{"1.234", "", "?"},
		{"1.234", "fr", "?"},
		{"1.234,5", "fr", "1234.50 EUR"},
	} {
		if got := show(Read(c.text, Options{Language: c.language, Currency: "EUR"})); got != c.want {
			t.Errorf("%q of a contact who speaks %q is %q, want %q", c.text, c.language, got, c.want)
		}
	}
}

func TestReadKeepsTheCurrencyThatIsNamed(t *testing.T) {
	for _, c := range []struct {
		text     string
		currency money.Currency
		want     string
	}{
		{"$15", "CAD", "15.00 CAD"},
		{"$15", "EUR", "15.00 USD"},
		{"US$15", "CAD", "15.00 USD"},
		{"$15 CAD", "USD", "15.00 CAD"},
		{"€15 USD", "EUR", "?"},
		{"15 bucks", "GBP", "15.00 GBP"},
		{"15 bucks", "", "15.00"},
		{"15", "JPY", "15 JPY #15"},
		{"15.50", "JPY", "?"},
		{"1.5", "KWD", "1.500 KWD"},
		{"50 cents", "EUR", "0.50 EUR"},
		{"50 cents", "JPY", "0.50 EUR"},
		{"50 Cent", "EUR", "0.50 EUR"},
		{"20 Kronen", "DKK", "20.00 DKK"},
		{"15 PEN", "EUR", "15.00 PEN"},
		{"ALL 5 solutions", "EUR", ""},
		{"5 thalers", "EUR", "x5"},
	} {
		if got := show(Read(c.text, Options{Currency: c.currency})); got != c.want {
			t.Errorf("%q where prices are in %q is %q, want %q", c.text, c.currency, got, c.want)
		}
	}
}

func TestReadTakesReductionsFromTheListPrice(t *testing.T) {
	for _, c := range []struct {
		text string
		list money.Amount
		want string
	}{
		{"10 off", money.New(2000, "EUR"), "offer 10.00 EUR"},
		{"10 off", money.Amount{}, "offer"},
		{"30 off", money.New(2000, "EUR"), "offer"},
		{"£5 off", money.New(2000, "EUR"), "offer ?"},
		{"10% off", money.New(1999, "EUR"), "offer 17.99 EUR"},
		{"33.3 % off", money.New(1000, "JPY"), "offer 667 JPY"},
		{"200% off", money.New(1999, "EUR"), "offer"},
		{"half price", money.New(1999, "EUR"), "offer 9.99 EUR"},
		{"10 % off", money.New(9_000_000_000_000_000_000, "EUR"), "offer 81000000000000000.00 EUR"},
	} {
		if got := show(Read(c.text, Options{Language: "en", Currency: "EUR", List: c.list})); got != c.want {
			t.Errorf("%q of %s is %q, want %q", c.text, c.list, got, c.want)
		}
	}
}

func TestReadFindsTheMerchantsOwnIntents(t *testing.T) {
	o := Options{Language: "en", Currency: "EUR", Phrases: CompilePhrases(map[string][]string{
		"returns": {"send it back", "return policy", "zurückschicken"},
		"gift":    {"gift wrap", "as a gift"},
		"stock":   {"in your warehouse"},
	})}
	for text, want := range map[string]string{
		"What's your return policy?":            "returns,question",
		"kann ich das ZURÜCKSCHICKEN":           "returns,question",
		"is there gift-wrap?":                   "gift,question",
		"is it in your warehouse":               "stock,question",
		"send it":                               "",
		"can I send it back, wrapped as a gift": "gift,returns,question",
	} {
		if got := strings.Join(Read(text, o).Intents, ","); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// What is not marked is never looked at as a number.
func TestEveryWordThatANumberBeginsWithIsMarked(t *testing.T) {
	for w, e := range words.words {
		for _, next := range []string{"", "hundred", "million"} {
			if _, count := words.spelt([]token{{text: w}, {text: next}}); count > 0 && e.traits&number == 0 {
				t.Errorf("%q %q is a number, but %q is not marked", w, next, w)
			}
		}
	}
	for _, text := range []string{"ninety-nine", "a hundred and one", "neunundneunzig", "eintausendzweihundertdreiunddreißig", "dreieinhalb", "anderthalb", "zwo"} {
		tokens := scan(text, words.suffix).tokens
		words.lookUp(tokens)
		if !tokens[0].is(number) {
			t.Errorf("%q is not looked at as a number", text)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"offer", "hello, would you take 15 for the blue one?"},
		{"foreign", "lorem ipsum dolor sit amet consectetur adipiscing elit sed eiusmod tempor incididunt ut labore et dolore magna aliqua lorem ipsum dolor sit amet consectetur adipiscing elit sed eiusmod tempor incidi"},
		{"english", "I saw the blue mug in your window last week and my sister would love it. Does the handle get hot when you pour tea into it, and would it survive the dishwasher? We had bad luck with our last ones, sadly."},
		{"german", "Ich habe die blaue Tasse letzte Woche im Schaufenster gesehen, und meine Schwester hätte große Freude daran. Wird der Henkel heiß, wenn man Tee eingießt, und übersteht sie auch die Spülmaschine? Schöne Grüße"},
		{"figures", "I bought 2 mugs for €30 on 12.5.2026, order 4711, and would like three more. Could you do 40 euros for all of them, or 14.50 each? That is 10% less than last time, and I need them in 5 days at the latest."},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Read(c.text, Options{Language: "en", Currency: "EUR"})
			}
		})
	}
}
