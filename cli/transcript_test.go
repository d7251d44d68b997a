package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/adapters anew")

// journeyPage shows how the same journey looks on each messenger. It is generated here.
var journeyPage = filepath.Join("..", "docs", "adapters", "journey.md")

// sold is an order as the REST API tells of it, without what differs from run to run.
type sold struct {
	SKU      string
	Quantity float64
	Total    float64 // in cents
	Status   string
}

// wanted are the orders of the journey, whatever messenger it is made on.
var wanted = []sold{
	{"clock", 1, 185000, "paid"},
	{"mug", 1, 1700, "paid"},
	{"poster", 1, 1200, "paid"},
}

func TestTheSameJourneyGivesTheSameOrdersOnEveryMessenger(t *testing.T) {
	t.Parallel()
	seen := map[string][]sight{}
	channels := messengers()
	for _, c := range channels {
		t.Run(c.title, func(t *testing.T) {
			eachDatabase(t, func(t *testing.T, url string) {
				looks := travel(t, c, url)
				if before, ok := seen[c.title]; ok {
					if diff := cmp.Diff(before, looks); diff != "" {
						t.Errorf("it looks different on this database (-sqlite +this):\n%s", diff)
					}
				}
				seen[c.title] = looks
			})
		})
	}
	if !withLinkedPhone {
		seen[linkedPhone] = keptLooks(t)
	}
	if t.Failed() || len(seen) < len(channels) {
		t.Logf("%s is not compared: that takes the whole journey on all messengers", journeyPage)
		return
	}
	if withLinkedPhone {
		fresh(t, keptPage, keep(t, seen[linkedPhone]))
	}
	fresh(t, journeyPage, journeyDoc(channels, seen))
}

// fresh compares a generated file with what it should hold now, and writes it with -update.
func fresh(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is stale; run go test -tags whatsmeow ./cli -run TestTheSameJourney -update (-file +now):\n%s", path, diff)
	}
}

// keptPage is how the journey looked on a linked phone, for builds without one.
var keptPage = filepath.Join("testdata", "journey-linked.json")

func keep(t *testing.T, looks []sight) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(looks); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func keptLooks(t *testing.T) (looks []sight) {
	t.Helper()
	raw, err := os.ReadFile(keptPage)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &looks); err != nil || len(looks) != len(steps) {
		t.Fatalf("%s does not hold the %d steps of the journey: %v", keptPage, len(steps), err)
	}
	return looks
}

// travel makes the journey on one channel and returns how it looked.
func travel(t *testing.T, c channel, database string) []sight {
	n := c.open(t)
	s := openShop(t, testShop(database, n.accounts))
	j := &journey{shop: s, ann: n.meet(s)}
	for _, p := range []struct {
		sku, title string
		cents      int
		more       string
	}{
		{"mug", "Harbour mug", 2000, fmt.Sprintf(`,"image":%q`, n.picture)},
		{"clock", "Ship's clock", 200000, `,"offers":{"floor":{"amount":140000,"currency":"EUR"},"auto_accept":{"amount":180000,"currency":"EUR"}}`},
		{"poster", "Harbour poster", 1500, ""},
		{"lamp", "Desk lamp", 2000, ""},
	} {
		s.product(p.sku, p.title, p.cents, 5, p.more)
	}
	bob := haggler(s, "lamp") // on web chat, to tell by him when everybody was told
	for _, s := range steps {
		j.step = s.name
		s.do(j)
	}
	s.reprice("lamp", 90)
	bob.hears("now costs €0.90")
	j.step = ""
	j.ann.types("START") // behind which nothing older can come
	j.reads("Schön, dass du wieder da bist")

	if diff := cmp.Diff(wanted, s.sold()); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	for _, sku := range []string{"mug", "clock", "poster"} {
		if left := s.stock(sku); left != 4 {
			t.Errorf("%d of %s are left, want 4", left, sku)
		}
	}
	return j.looks
}

// sold lists the shop's orders by product.
func (s *shop) sold() []sold {
	s.t.Helper()
	var out []sold
	for _, raw := range s.orders() {
		order := raw.(map[string]any)
		items := order["items"].([]any)
		if len(items) != 1 {
			s.t.Fatalf("an order of %d items, want 1: %v", len(items), order)
		}
		item := items[0].(map[string]any)
		out = append(out, sold{
			item["sku"].(string), item["quantity"].(float64), order["total"].(map[string]any)["amount"].(float64), order["status"].(string),
		})
	}
	slices.SortFunc(out, func(a, b sold) int { return strings.Compare(a.SKU, b.SKU) })
	return out
}

// step is one stage of the journey, told in a sentence for the page.
type step struct {
	name, told string
	do         func(*journey)
}

var steps = []step{
	{"subscribe", "Ann fills in the widget's form for the mug (€20.00, tell me below €17.50). Where a link opens the chat, she opens it.", func(j *journey) {
		j.ann.wishes("mug", "17.50")
		j.reads("Harbour mug comes down to €17.50")
	}},
	{"notify", "The shop sets the price to €17.00 by `PUT /api/v1/products/mug`.", func(j *journey) {
		j.shop.reprice("mug", 1700)
		j.reads("Harbour mug now costs €17.00 instead of €20.00")
	}},
	{"ask", "She picks “Ask a question”.", func(j *journey) {
		j.picks("Ask a question")
		j.reads("What would you like to know about Harbour mug?")
	}},
	{"hand off", "She types “Does it survive the dishwasher?”, which the bot does not know.", func(j *journey) {
		j.ann.types("Does it survive the dishwasher?")
		j.reads("passing this on to a person")
	}},
	{"answer", "Eve of the staff answers. Meanwhile the bot says nothing.", func(j *journey) {
		j.staff("messages", `{"text":"It does. I am Eve, by the way."}`, http.StatusCreated)
		j.reads("It does. I am Eve")
	}},
	{"return", "Eve gives the conversation back.", func(j *journey) {
		j.staff("return", "", http.StatusOK)
		j.reads("It is me again, the bot")
	}},
	{"buy", "She types “buy”.", func(j *journey) {
		j.ann.types("buy")
		j.reads("1 × Harbour mug, €17.00 in all")
	}},
	{"receipt", "She picks the purchase.", func(j *journey) {
		j.picks("Buy now, pay €17.00")
		j.reads("Thank you! 1 × Harbour mug will be on the way to you. Paid: €17.00")
	}},
	{"haggle", "She subscribes to the ship's clock (€2,000.00) and types “would you take 1500?”. Its label is longer than WhatsApp's buttons.", func(j *journey) {
		j.unrecorded(func() {
			j.ann.wishes("clock", "1.00")
			j.reads("Ship's clock comes down to €1.00")
		})
		j.ann.types("would you take 1500?")
		j.reads("you can have Ship's clock for €1,850.00")
	}},
	{"deal", "She picks the purchase at the counteroffer.", func(j *journey) {
		j.picks("Buy now, pay €1,850.00")
		j.reads("Thank you! 1 × Ship's clock will be on the way to you. Paid: €1,850.00")
	}},
	{"in German", "She types “Deutsch bitte”, subscribes to the poster, and its price falls to €12.00. The label is longer than WhatsApp's lists, too.", func(j *journey) {
		j.unrecorded(func() {
			j.ann.types("Deutsch bitte")
			j.reads("Gern, ab jetzt auf Deutsch.")
			j.ann.wishes("poster", "13.00")
			j.reads("sobald Harbour poster auf 13,00 € fällt")
		})
		j.shop.reprice("poster", 1200)
		j.reads("Harbour poster kostet jetzt 12,00 €")
	}},
	{"receipt in German", "She picks the purchase.", func(j *journey) {
		j.picks("Zahlungspflichtig bestellen, 12,00 €")
		j.reads("Danke! 1 × Harbour poster macht sich auf den Weg zu dir. Bezahlt: 12,00 €")
	}},
	{"stop", "She subscribes to the lamp and types “STOP”. Its price falls; somebody else is told, she is not.", func(j *journey) {
		j.unrecorded(func() {
			j.ann.wishes("lamp", "1.00")
			j.reads("sobald Desk lamp auf 1,00 € fällt")
		})
		j.ann.types("STOP")
		j.reads("schreibt dir hier nicht mehr")
	}},
}

// journey is Ann's way through a shop, on one channel.
type journey struct {
	shop  *shop
	ann   shopper
	step  string
	read  int   // messages so far
	last  sight // the latest
	looks []sight
}

// reads waits for the next message, which must hold the words: nothing else may come before it.
func (j *journey) reads(words string) {
	j.shop.t.Helper()
	next := func() sight {
		l := j.ann.message(j.read)
		j.read++
		return l
	}
	l := next()
	if l.Picture && l.Text == "" { // above the message that it belongs to
		l = next()
		l.Picture = true
	}
	if !strings.Contains(spaced(l.Text), words) {
		j.shop.t.Fatalf("%s: waiting for %q, Ann reads %+v", j.step, words, l)
	}
	j.last = l
	if j.step != "" {
		l.Step, l.Text = j.step, alike(l.Text)
		j.looks = append(j.looks, l)
	}
}

// unrecorded does what the page needs not show.
func (j *journey) unrecorded(do func()) {
	name := j.step
	j.step = ""
	do()
	j.step = name
}

// picks takes a choice of the latest message: by its button, from its list, or by answering its number.
func (j *journey) picks(label string) {
	j.shop.t.Helper()
	i := slices.IndexFunc(j.last.Choices, func(c string) bool { return spaced(c) == label })
	switch {
	case i < 0:
		j.shop.t.Fatalf("%s: there is no choice %q: %+v", j.step, label, j.last)
	case j.last.As == asNumbers:
		j.ann.types(fmt.Sprint(i + 1))
	default:
		j.ann.press(j.last.Choices[i])
	}
}

// staff speaks in Ann's conversation by the REST API, or gives it back.
func (j *journey) staff(what, body string, status int) {
	j.shop.t.Helper()
	var id string
	j.shop.until("the conversation to wait for staff", func() bool {
		for _, raw := range j.shop.api("GET", "/api/v1/conversations", "", http.StatusOK)["items"].([]any) {
			conversation := raw.(map[string]any)
			if conversation["owner"] != "bot" {
				id, _ = conversation["id"].(string)
			}
		}
		return id != ""
	})
	j.shop.api("POST", "/api/v1/conversations/"+id+"/"+what, body, status)
}
