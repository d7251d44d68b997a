package conversation

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/commerce/money"
	"parley/conversation/effect"
	"parley/conversation/flow"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

func shop(t testing.TB) *flow.Set {
	t.Helper()
	set, problems := flow.Load(os.DirFS("../bots/shop"), ".")
	if set == nil {
		t.Fatal(problems)
	}
	return set
}

func load(t testing.TB, text string) *flow.Set {
	t.Helper()
	set, problems := flow.LoadFiles(map[string][]byte{
		"bot.yaml":    []byte("languages: [en, de]\n"),
		"basics.yaml": []byte("flow: basics\nstarts_on: {misunderstood: sorry, lost: lost, stop: stop}\nstart: sorry\nstates:\n  sorry: {say: {en: sorry, de: wie bitte}, stay: true}\n  lost: {say: {en: lost, de: ratlos}, stay: true}\n  stop: {do: stop, on: {stopped: over}}\n  over: {say: {en: stopped, de: Schluss}, end: true}\n"),
		"t.yaml":      []byte(text),
	})
	if set == nil {
		t.Fatal(problems)
	}
	return set
}

// talk steps through events and gives the last session with all effects of the last event.
func talk(t testing.TB, set *flow.Set, s Session, events ...Event) (Session, []effect.Effect) {
	t.Helper()
	var effects []effect.Effect
	for _, e := range events {
		var err error
		if s, effects, err = Step(set, s, e, noon); err != nil {
			t.Fatalf("%s %q %q: %v", e.Kind, e.Name, e.Text, err)
		}
	}
	return s, effects
}

func says(text string) Event { return Event{Kind: Text, Text: text} }

func saidIn(effects []effect.Effect) string {
	var all []string
	for _, e := range effects {
		if s, ok := e.(effect.Say); ok {
			all = append(all, s.Text)
		}
	}
	return strings.Join(all, " | ")
}

func mug(more Vars) Vars {
	v := Vars{
		"product.sku": "mug", "product.title": "Mug", "product.stock": "5", "price": "17.20 EUR", "was": "20.00 EUR", "quantity": "1",
		"total": "17.20 EUR", "quote": "qte_1", "buy_url": "https://shop.example/b/1", "event": "price_below",
	}
	for name, value := range more {
		v[name] = value
	}
	return v
}

func fell(more Vars) Event { return Event{Kind: Trigger, Name: "price_below", Vars: mug(more)} }

// here is the context that the caller keeps with a message or an effect.
func here(s Session) *Context {
	c := Context{Flow: s.Flow, Hash: s.Hash, State: s.State, Vars: Vars{}}
	for name, value := range s.Vars {
		c.Vars[name] = value
	}
	return &c
}

func TestPressingAnOldButtonBuysWhatItShowed(t *testing.T) {
	set := shop(t)
	told, _ := talk(t, set, Session{}, fell(nil))
	button := here(told)
	later, _ := talk(t, set, told, fell(Vars{"product.sku": "bowl", "product.title": "Bowl", "quote": "qte_2", "total": "30.00 EUR"}))
	s, effects := talk(t, set, later, Event{Kind: Choice, Name: "buy", Context: button})
	if diff := cmp.Diff([]effect.Effect{effect.Checkout{Quote: "qte_1"}}, effects); diff != "" {
		t.Error(diff)
	}
	if got := s.Vars["product.title"]; got != "Mug" {
		t.Errorf("the talk is about %q", got)
	}
}

func TestAButtonOfAStateThatIsGoneBeginsItsFlow(t *testing.T) {
	set := shop(t)
	button := &Context{Flow: "notify", Hash: "old", State: "renamed", Vars: mug(nil)}
	_, effects := talk(t, set, Session{}, Event{Kind: Choice, Name: "buy", Context: button})
	if diff := cmp.Diff([]effect.Effect{effect.Quote{SKU: "mug", Quantity: 1}}, effects); diff != "" {
		t.Error(diff)
	}
}

func TestWordsThatNameAnotherPriceNeverBuy(t *testing.T) {
	set := shop(t)
	countered, _ := talk(t, set, Session{}, fell(nil), says("would you take 15?"))
	countered, _ = talk(t, set, countered, Event{Kind: Outcome, Name: "countered", Context: here(countered),
		Vars: mug(Vars{"offer": "ofr_1", "offer.amount": "15.00 EUR", "counter": "16.50 EUR", "total": "16.50 EUR"})})
	tests := []struct {
		text string
		want effect.Effect
	}{
		{"ok", effect.Accept{Offer: "ofr_1"}},
		{"yes for 16.50", effect.Offer{SKU: "mug", Quantity: 1, Amount: money.New(1650, "EUR")}},
		{"ok but 15.80", effect.Offer{SKU: "mug", Quantity: 1, Amount: money.New(1580, "EUR")}},
		{"nein, 15", effect.Offer{SKU: "mug", Quantity: 1, Amount: money.New(1500, "EUR")}},
		{"1", effect.Accept{Offer: "ofr_1"}},
		{"Buy now", effect.Accept{Offer: "ofr_1"}},
	}
	for _, tt := range tests {
		_, effects := talk(t, set, countered, says(tt.text))
		if diff := cmp.Diff([]effect.Effect{tt.want}, effects); diff != "" {
			t.Errorf("%q: %s", tt.text, diff)
		}
	}
}

func TestACounterOfYesterdayIsNotAgreedToToday(t *testing.T) {
	set := shop(t)
	s, _ := talk(t, set, Session{}, fell(nil), says("would you take 15?"))
	s, _ = talk(t, set, s, Event{Kind: Outcome, Name: "countered", Vars: mug(Vars{"counter": "16.50 EUR", "offer": "ofr_1"})}, says("16"))
	s, _ = talk(t, set, s, Event{Kind: Outcome, Name: "declined", Vars: Vars{"offer": "ofr_2"}})
	for _, name := range []string{"counter", "quote", "total", "expires"} {
		if got := s.Vars[name]; got != "" {
			t.Errorf("%s is still %q", name, got)
		}
	}
}

func TestAnotherProductMakesTheLastOnesFactsVoid(t *testing.T) {
	set := shop(t)
	s, _ := talk(t, set, Session{Vars: Vars{"contact.name": "Ann"}}, fell(nil),
		Event{Kind: Trigger, Name: "subscribed", Vars: Vars{"product.sku": "bowl", "product.title": "Bowl", "event": "back_in_stock"}})
	want := Vars{"product.sku": "bowl", "product.title": "Bowl", "event": "back_in_stock", "contact.name": "Ann"}
	if diff := cmp.Diff(want, s.Vars); diff != "" {
		t.Error(diff)
	}
}

func TestAQuantitySaidEarlierDoesNotCountInTheNextFlow(t *testing.T) {
	set := shop(t)
	s, _ := talk(t, set, Session{}, fell(nil), says("do you have 5 in stock?"))
	s, _ = talk(t, set, s, Event{Kind: Outcome, Name: "found", Vars: mug(nil)})
	if s.Flow != "notify" || s.Vars["quantity"] != "1" {
		t.Fatalf("back in %s with quantity %q", s.Flow, s.Vars["quantity"])
	}
	_, effects := talk(t, set, s, says("yes"))
	if diff := cmp.Diff([]effect.Effect{effect.Quote{SKU: "mug", Quantity: 1}}, effects); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyAFlowThatReturnsKeepsWhereTheShopperWas(t *testing.T) {
	set := shop(t)
	asks, _ := talk(t, set, Session{}, fell(nil), says("do you have 5 in stock?"))
	if asks.Flow != "ask-question" || asks.Back == nil || asks.Back.Flow != "notify" {
		t.Errorf("%s leads back to %+v, want ask-question to notify", asks.Flow, asks.Back)
	}
	buys, _ := talk(t, set, Session{}, fell(nil), Event{Kind: Choice, Name: "buy"})
	if buys.Flow != "buy-now" || buys.Back != nil {
		t.Errorf("%s leads back to %+v, want buy-now to nowhere", buys.Flow, buys.Back)
	}
}

func TestStopGoesBeforeEverything(t *testing.T) {
	set := shop(t)
	told, _ := talk(t, set, Session{}, fell(nil))
	for _, word := range []string{"STOP", "stop.", "Unsubscribe", "cancel"} {
		_, effects := talk(t, set, told, says(word))
		if diff := cmp.Diff([]effect.Effect{effect.Stop{}}, effects); diff != "" {
			t.Errorf("%q: %s", word, diff)
		}
	}
	asked, _ := talk(t, set, told, says("yes"))
	asked, _ = talk(t, set, asked, Event{Kind: Outcome, Name: "quoted", Vars: mug(nil)})
	_, effects := talk(t, set, asked, says("STOP"))
	if diff := cmp.Diff([]effect.Effect{effect.Stop{}}, effects); diff != "" {
		t.Errorf("STOP while an order is asked about: %s", diff)
	}
	s, effects := talk(t, set, asked, says("cancel"))
	if s.State != "called-off" || len(effects) != 1 {
		t.Errorf("cancel while an order is asked about leads to %s with %v", s.State, effects)
	}
}

func TestLateOutcomesComeBackToTheirState(t *testing.T) {
	set := shop(t)
	paying, _ := talk(t, set, Session{}, fell(nil), says("buy"))
	elsewhere, _ := talk(t, set, paying, Event{Kind: Outcome, Name: "payment_due", Vars: Vars{"order": "ord_1"}}, says("hello"))
	s, effects := talk(t, set, elsewhere, Event{Kind: Outcome, Name: "paid", Context: here(paying), Vars: mug(Vars{"order": "ord_1"})})
	if !strings.Contains(saidIn(effects), "ord_1") || s.Flow != "" {
		t.Errorf("said %q in %q", saidIn(effects), s.Flow)
	}
}

func TestAnOutcomeThatTheEffectDoesNotHaveIsAnError(t *testing.T) {
	set := shop(t)
	told, _ := talk(t, set, Session{}, fell(nil), says("buy"))
	got, _, err := Step(set, told, Event{Kind: Outcome, Name: "paidd"}, noon)
	if err == nil || cmp.Diff(told, got) != "" {
		t.Errorf("error %v, session %v", err, got)
	}
}

const waiting = `flow: t
starts_on: {buy: asked}
start: asked
states:
  asked: {say: {en: asked, de: gefragt}, on: {yes: over, no: asked}, after: {2d: late}, fallback: again}
  again: {say: {en: again, de: nochmal}, on: {yes: over}, after: {1h: over}}
  late: {say: {en: late, de: spät}, class: reminder, end: true}
  over: {end: true}
`

func TestTimersCountOnlyWhileTheirStateWaits(t *testing.T) {
	set := load(t, waiting)
	s, effects := talk(t, set, Session{}, says("buy"))
	want := []effect.Effect{effect.Say{Text: "asked"}, effect.Remind{After: 48 * time.Hour, Event: "after_2d"}}
	if diff := cmp.Diff(want, effects); diff != "" {
		t.Fatal(diff)
	}
	due := Event{Kind: Timeout, Name: "after_2d", Context: here(s)}
	if _, effects := talk(t, set, s, due); saidIn(effects) != "late" {
		t.Errorf("said %q", saidIn(effects))
	}
	moved, _ := talk(t, set, s, says("yes"))
	if got, effects := talk(t, set, moved, due); len(effects) > 0 || cmp.Diff(moved, got) != "" {
		t.Errorf("a timer of a state that was left did %v", effects)
	}
	again, _, err := Step(set, s, says("no"), noon.Add(time.Hour)) // the same state, entered anew
	if err != nil {
		t.Fatal(err)
	}
	if _, effects := talk(t, set, again, due); len(effects) > 0 {
		t.Errorf("a timer of an earlier visit did %v", effects)
	}
}

func TestFallbacksGoFromTheStateToTheSetToAPerson(t *testing.T) {
	set := load(t, waiting)
	s, _ := talk(t, set, Session{}, says("buy"))
	s, effects := talk(t, set, s, says("flumph"))
	if s.State != "again" || s.Misses != 1 || saidIn(effects) != "again" {
		t.Errorf("first: %s, %d misses, %q", s.State, s.Misses, saidIn(effects))
	}
	s, effects = talk(t, set, s, says("flumph"))
	if s.State != "again" || s.Misses != 2 || saidIn(effects) != "lost" {
		t.Errorf("second: %s, %d misses, %q", s.State, s.Misses, saidIn(effects))
	}
	s, _ = talk(t, set, s, says("yes"))
	if s.Misses != 0 {
		t.Errorf("%d misses after an answer", s.Misses)
	}
}

func TestLanguageComesFromWordsOrTheNetworkAndIsSwitchedByAsking(t *testing.T) {
	set := shop(t)
	tests := []struct {
		name   string
		from   Session
		events []Event
		want   string
	}{
		{"network", Session{}, []Event{{Kind: Start, Language: "de-AT"}}, "de"},
		{"a language we do not speak", Session{}, []Event{{Kind: Start, Language: "fr"}}, ""},
		{"words", Session{}, []Event{says("Was kostet das denn bitte?")}, "de"},
		{"words do not switch", Session{Language: "en"}, []Event{says("Was kostet das denn bitte?")}, "en"},
		{"asking does", Session{Language: "en"}, []Event{says("auf Deutsch bitte")}, "de"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if s, _ := talk(t, set, tt.from, tt.events...); s.Language != tt.want {
				t.Errorf("language %q, want %q", s.Language, tt.want)
			}
		})
	}
}

func TestSessionsSurviveASetThatLostTheirFlow(t *testing.T) {
	set := shop(t)
	s, effects := talk(t, set, Session{Flow: "gone", State: "away", Hash: "old", Vars: mug(nil)}, says("buy"))
	if diff := cmp.Diff([]effect.Effect{effect.Quote{SKU: "mug", Quantity: 1}}, effects); diff != "" {
		t.Error(diff)
	}
	if s.Hash != set.Hash {
		t.Errorf("pinned to %q", s.Hash)
	}
}

func TestAnAbsurdQuantityIsAskedAboutAgain(t *testing.T) {
	set := shop(t)
	told, _ := talk(t, set, Session{}, fell(nil))
	told.Vars["quantity"] = "1000000"
	s, effects := talk(t, set, told, says("yes"))
	_ = s
	for _, e := range effects {
		if _, ok := e.(effect.Say); !ok && e != (effect.Quote{SKU: "mug", Quantity: 1}) {
			t.Errorf("did %v", e)
		}
	}
	s, effects = talk(t, set, Session{Flow: "buy-now", State: "confirm", Vars: mug(nil)}, says("5000 pieces please"))
	if len(effects) == 0 || s.State != "confirm" {
		t.Errorf("in %s with %v", s.State, effects)
	}
}

func TestReceiptsAndStaffChangeNothing(t *testing.T) {
	set := shop(t)
	told, _ := talk(t, set, Session{}, fell(nil))
	for _, kind := range []Kind{Receipt, Staff, Unblocked} {
		if s, effects := talk(t, set, told, Event{Kind: kind, Text: "hi", Name: "read"}); len(effects) > 0 || cmp.Diff(told, s) != "" {
			t.Errorf("%s did %v", kind, effects)
		}
	}
}

func TestTheBotSaysThatItIsOneAgain(t *testing.T) {
	set := shop(t)
	_, effects := talk(t, set, Session{Vars: Vars{"shop.name": "Mugs & Co"}}, Event{Kind: Returned})
	if got := saidIn(effects); !strings.Contains(got, "bot of Mugs & Co") {
		t.Errorf("said %q", got)
	}
}

func TestAChoiceIsReadWhateverItsCaseAndPunctuation(t *testing.T) {
	for _, c := range []struct {
		label, said string
		want        bool
	}{
		{"Name my price", "  name MY price!", true},
		{"«Ärger», 2 Stück", "ärger 2 stück", true},
		{"Name my price", "name", false},
		{"Name", "name my price", false},
		{"Name my price", "namemy price", false},
		{"…", "?", false},
		{"", "a", false},
	} {
		if got := reads(c.label, plain(c.said)); got != c.want {
			t.Errorf("%q for %q is %v", c.said, c.label, got)
		}
	}
}

// FuzzStep lets anything happen and looks that Step neither panics, nor fails for a shopper's doing, nor changes what it was
// given, nor answers the same twice in two ways.
func FuzzStep(f *testing.F) {
	set := shop(f)
	for _, text := range []string{"buy", "buy 2", "would you take 15?", "STOP", "2", "1.234", "auf Deutsch bitte", "no", "human", "{{ price }}", "\x00"} {
		f.Add(text, text, uint8(0), uint8(2))
	}
	f.Fuzz(func(t *testing.T, first, second string, how, outcome uint8) {
		s, _ := talk(t, set, Session{}, fell(nil))
		for i, text := range []string{first, second, first, second} {
			e := says(text)
			if how&(1<<i) != 0 {
				e = Event{Kind: Choice, Name: text, Context: here(s)}
			}
			before, _ := json.Marshal(s)
			next, effects, err := Step(set, s, e, noon)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			again, effectsAgain, _ := Step(set, s, e, noon)
			if diff := cmp.Diff(next, again) + cmp.Diff(effects, effectsAgain); diff != "" {
				t.Fatalf("two answers to %q: %s", text, diff)
			}
			if after, _ := json.Marshal(s); string(after) != string(before) {
				t.Fatalf("the session given was changed by %q", text)
			}
			if state := set.State(flow.Place{Flow: next.Flow, State: next.State}); next.Flow != "" && state == nil {
				t.Fatalf("in a place that is none: %s.%s", next.Flow, next.State)
			} else if state != nil && state.Do != nil {
				outcomes := state.Do.Spec.Outcomes
				next, _ = talk(t, set, next, Event{Kind: Outcome, Name: outcomes[int(outcome)%len(outcomes)], Vars: mug(nil)})
			}
			s = next
		}
	})
}

// chatter is what most shoppers write: something that no flow takes for a command.
const chatter = "I saw the blue mug in your window last week and my sister would love it. The handle gets hot when one pours tea into it, I guess, but it will survive the dishwasher. We had bad luck with our last ones, sadly."

func BenchmarkStep(b *testing.B) {
	steps, problems := flow.Load(os.DirFS("../bench/bot"), ".")
	if steps == nil {
		b.Fatal(problems)
	}
	set := shop(b)
	told, _ := talk(b, set, Session{}, fell(nil))
	walked, _ := talk(b, steps, Session{}, says("hello"), says("hello"))
	for _, c := range []struct {
		name  string
		set   *flow.Set
		s     Session
		event Event
	}{
		{"steps", steps, walked, says(chatter)},
		{"shop idle", set, Session{}, says(chatter)},
		{"shop choices", set, told, says(chatter)},
		{"shop question", set, Session{}, says("do you ship?")},
		{"shop buy", set, told, says("buy")},
		{"shop offer", set, told, says("hello, would you take 15 for the blue one?")},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Step(c.set, c.s, c.event, noon); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
