package understand

import (
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/commerce/money"
)

// corpus opens foreign test data below the folder that PARLEY_CORPUS names; they are not part of the repository.
func corpus(t *testing.T, name string) []byte {
	t.Helper()
	root := os.Getenv("PARLEY_CORPUS")
	if root == "" {
		if slices.Contains(strings.Split(os.Getenv("PARLEY_REQUIRE"), ","), "corpus") {
			t.Fatal("PARLEY_REQUIRE names the corpus, but PARLEY_CORPUS does not say where it is")
		}
		t.Skip("PARLEY_CORPUS names no folder with data/recognizers-text and data/clinc150: amounts and intents are not judged by foreign data")
	}
	b, err := os.ReadFile(filepath.Join(root, "data", name))
	if err != nil {
		t.Fatalf("read foreign test data: %v", err)
	}
	return []byte(strings.TrimPrefix(string(b), "\ufeff"))
}

// TestReadAgreesWithRecognizersTextOnAmounts counts the entries that are one amount whose value we read alike: of the
// marked words alone, and of the whole sentence. An amount without an ISO currency we leave out on purpose; it counts as a miss.
// What we read otherwise, rather than not at all, must be next to nothing.
func TestReadAgreesWithRecognizersTextOnAmounts(t *testing.T) {
	for _, c := range []struct {
		file, language                 string
		span, sentence, wrong, atLeast int // per cent, and the number of entries
	}{
		{"English", "en", 85, 80, 2, 140},
		{"German", "de", 95, 95, 1, 30},
	} {
		t.Run(c.file, func(t *testing.T) {
			var entries []struct {
				Input   string
				Results []struct {
					Text       string
					Resolution struct{ Value, Unit string }
				}
			}
			if err := json.Unmarshal(corpus(t, "recognizers-text/"+c.file+"-CurrencyModel.json"), &entries); err != nil {
				t.Fatal(err)
			}
			all, span, sentence, wrong := 0, 0, 0, 0
			for _, e := range entries {
				if len(e.Results) != 1 || e.Results[0].Resolution.Value == "" {
					continue
				}
				all++
				r := e.Results[0]
				want, ok := new(big.Rat).SetString(strings.Replace(r.Resolution.Value, ",", ".", 1))
				if !ok {
					t.Fatalf("value %q of %q is no number", r.Resolution.Value, e.Input)
				}
				if u := r.Resolution.Unit; u == "Cent" || u == "Penny" || u == "Pence" {
					want.Quo(want, big.NewRat(100, 1))
				}
				alike := func(text string) bool {
					got := Read(text, Options{Language: c.language, Currency: "USD"})
					if got.HasAmount && rat(got.Amount).Cmp(want) != 0 {
						wrong++
						t.Logf("read %s, want %s: %q", got.Amount, want.FloatString(2), text)
					} else if !got.HasAmount {
						t.Logf("not read: %q", text)
					}
					return got.HasAmount && rat(got.Amount).Cmp(want) == 0
				}
				if alike(r.Text) {
					span++
				}
				if alike(e.Input) {
					sentence++
				}
			}
			t.Logf("%d amounts: %d alike (%d %%), in their sentence %d (%d %%), %d readings wrong", all, span, 100*span/all, sentence, 100*sentence/all, wrong)
			if all < c.atLeast || span*100 < all*c.span || sentence*100 < all*c.sentence || wrong*100 > all*2*c.wrong {
				t.Errorf("want %d %% of at least %d alike, %d %% in their sentence, at most %d %% wrong", c.span, c.atLeast, c.sentence, c.wrong)
			}
		})
	}
}

func rat(a money.Amount) *big.Rat {
	r, _ := new(big.Rat).SetString(a.Decimal())
	return r
}

// TestReadTakesNoForeignTalkForBusiness runs 150 intents of other trades: what moves money or ends messages must hardly
// ever be read into them, and those that are ours must be found.
func TestReadTakesNoForeignTalkForBusiness(t *testing.T) {
	var sets map[string][][2]string
	if err := json.Unmarshal(corpus(t, "clinc150/data_full.json"), &sets); err != nil {
		t.Fatal(err)
	}
	ours := map[string]string{"yes": "yes", "no": "no", "greeting": "greeting", "thank_you": "thanks", "order_status": "order", "cancel": "cancel", "order": "buy"}
	akin := map[string][]string{ // where the word is right, though the intent has another name
		"buy": {"order", "shopping_list_update", "shopping_list"}, "stop": {"cancel"}, "yes": {"yes"},
	}
	found, total := map[string]int{}, map[string]int{}
	wrongly, others := map[string]int{}, 0
	for name, set := range sets {
		for _, e := range set {
			text, intent := e[0], e[1]
			got := Read(text, Options{Language: "en", Currency: "USD"})
			if strings.HasPrefix(name, "test") {
				if want := ours[intent]; want != "" {
					total[intent]++
					if slices.Contains(got.Intents, want) {
						found[intent]++
					}
				}
			}
			others++
			for _, risky := range []string{"buy", "stop", "yes"} {
				if slices.Contains(got.Intents, risky) && !slices.Contains(akin[risky], intent) {
					wrongly[risky]++
					t.Logf("%s read into %q (%s)", risky, text, intent)
				}
			}
		}
	}
	t.Logf("found %v of %v; read wrongly %v of %d", found, total, wrongly, others)
	for intent, least := range map[string]int{"yes": 70, "no": 85, "greeting": 55, "thank_you": 80, "order_status": 85} {
		if found[intent]*100 < total[intent]*least {
			t.Errorf("%s: found %d of %d, want %d %%", intent, found[intent], total[intent], least)
		}
	}
	for risky, n := range wrongly {
		if n*1000 > others {
			t.Errorf("%s read into %d of %d texts on other things, want at most 0.1 %%", risky, n, others)
		}
	}
}
