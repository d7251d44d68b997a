package understand

import (
	"fmt"
	"strings"
	"testing"

	"parley/commerce/money"
)

// show writes a Reading as the tables below do: intents, then what else was read.
func show(r Reading) string {
	parts := []string{strings.Join(r.Intents, ",")}
	if r.HasAmount {
		parts = append(parts, r.Amount.String())
	}
	if r.Ambiguous {
		parts = append(parts, "?")
	}
	if r.Quantity != 0 {
		parts = append(parts, fmt.Sprintf("x%d", r.Quantity))
	}
	if r.Number != 0 {
		parts = append(parts, fmt.Sprintf("#%d", r.Number))
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// The price talked about is 20 euros.
func TestReadUnderstandsChat(t *testing.T) {
	for _, language := range []struct {
		tag     string
		phrases [][2]string
	}{
		{"en", [][2]string{
			// offers
			{"would you take 15?", "offer 15.00 EUR"},
			{"Would you take €15 for it?", "offer 15.00 EUR"},
			{"15", "15.00 EUR #15"},
			{"15?", "question 15.00 EUR #15"},
			{"15 please", "15.00 EUR #15"},
			{"15.50", "15.50 EUR"},
			{"fifteen", "15.00 EUR #15"},
			{"twenty-five", "25.00 EUR #25"},
			{"twenty-five fifty", "?"},
			{"a hundred and twenty bucks", "120.00 EUR"},
			{"40 bucks?", "question 40.00 EUR"},
			{"£35.50", "35.50 GBP"},
			{"I'll give you £30", "offer 30.00 GBP"},
			{"30 quid cash today", "offer 30.00 GBP"},
			{"$15", "15.00 USD"},
			{"15 dollars", "15.00 USD"},
			{"15 CAD", "15.00 CAD"},
			{"would you take 15 or 16", "offer ?"},
			{"15-20", "?"},
			{"between 15 and 20", "?"},
			{"ok 15", "15.00 EUR"},
			{"no, would you take 15?", "offer,no 15.00 EUR"},
			{"deal at 17", "offer 17.00 EUR"},
			{"how about 16", "offer 16.00 EUR"},
			{"can you do 17.50?", "offer 17.50 EUR"},
			{"my max is thirty-five", "offer 35.00 EUR"},
			{"last price 38 pounds", "offer 38.00 GBP"},
			{"I can't pay more than 15", "offer 15.00 EUR"},
			{"not 15", ""},
			{"not 15 but 12", "12.00 EUR"},
			{"it's 20 €, would you take 15?", "offer 15.00 EUR"},
			{"€ 40,-", "40.00 EUR"},
			{"1k", "1000.00 EUR"},
			{"1.5k?", "question 1500.00 EUR"},
			{"a grand", "1000.00 EUR"},
			{"1,234.50", "1234.50 EUR"},
			{"1.234,50", "1234.50 EUR"},
			{"1,234", "1234.00 EUR"},
			{"1.234", "?"},
			{"CHF 1’234.50", "1234.50 CHF"},
			{"1 234,56 €", "1234.56 EUR"},
			{"¥5000", "5000 JPY"},
			{"99p", "0.99 GBP"},
			{"20 dollars 43 cents", "20.43 USD"},
			{"１５ €", "15.00 EUR"},
			{"٢٥", "25.00 EUR #25"},
			{"15\u00a0€", "15.00 EUR"},
			{"15.999 €", "?"},
			{"-15", ""},
			{"0", ""},
			// for several
			{"2 for 70", "offer 35.00 EUR x2"},
			{"70 for 2", "offer 35.00 EUR x2"},
			{"can you do 32.50 for 2", "offer 16.25 EUR x2"},
			{"£70 for the pair", "offer 35.00 GBP x2"},
			{"70 for both", "offer 35.00 EUR x2"},
			{"three for 100", "offer 33.33 EUR x3"},
			{"2 at 15", "offer 15.00 EUR x2"},
			{"2 for 15 each", "offer 15.00 EUR x2"},
			{"50 each", "50.00 EUR"},
			{"I'll take 2 for 30 euros", "offer 15.00 EUR x2"},
			{"I want 3, would you take 40?", "offer ? x3"},
			{"would you take 15 for the 42", "offer ?"},
			// reductions
			{"10 off", "offer 10.00 EUR"},
			{"take £5 off", "offer ?"},
			{"take €5 off", "offer 15.00 EUR"},
			{"ten percent off", "offer 18.00 EUR"},
			{"10 % discount?", "offer 18.00 EUR"},
			{"10%", "?"},
			{"half price?", "offer 10.00 EUR"},
			{"meet in the middle?", "offer"},
			{"let's split the difference", "offer"},
			{"what's your best price?", "offer"},
			{"that's too expensive", "offer"},
			// no amounts
			{"where is ord_01h8xk3zq5v9", "question"},
			{"my number is +49 170 1234567", ""},
			{"call me on 0171 234 5678", ""},
			{"I have an iPhone 15", ""},
			{"it is 15 cm wide?", "question"},
			{"in 3 days", ""},
			{"at 15:30", ""},
			{"https://shop.example/p/15", ""},
			{"is it the 16gb one?", "question"},
			// yes and no
			{"ok", "yes"},
			{"OK!", "yes"},
			{"deal", "yes"},
			{"deal?", "question"},
			{"yes please", "yes"},
			{"yes, please send it to my home", "yes"},
			{"👍", "yes"},
			{"sounds good", "yes"},
			{"let's do it", "yes"},
			{"let's do it?", "question"},
			{"is it 15?", "question"},
			{"15 is my last offer", "offer 15.00 EUR"},
			{"can you do 2 days?", "question"},
			{"amazon has it for 15", ""},
			{"ok, is it waterproof?", "question"},
			{"yes but only with free shipping", ""},
			{"ok thanks", "thanks"},
			{"no", "no"},
			{"no thanks", "no,thanks"},
			{"nope", "no"},
			{"no problem", ""},
			{"ok no", ""},
			// buying
			{"buy", "buy"},
			{"buy 2", "buy x2"},
			{"Buy two please", "buy x2"},
			{"2x", "x2"},
			{"I'll take it", "buy"},
			{"yes, I'll take it", "buy,yes"},
			{"I'd like to order 3 mugs", "buy x3"},
			{"don't buy", "no"},
			{"I don't want to buy it", "no"},
			{"can I buy it?", "buy,question"},
			{"should I buy it?", "question"},
			{"buy 2 or 3", "?"},
			{"buy 99999999", "?"},
			{"buy it for 15", "offer 15.00 EUR"},
			// asking
			{"is it waterproof?", "question"},
			{"how much is it", "price,question"},
			{"in stock?", "stock,question"},
			{"do you have 3 left?", "stock,question x3"},
			{"where is my order", "order,question"},
			{"cancel my order", "cancel,order"},
			{"I want to talk to a person", "human"},
			{"are you human?", "question"},
			{"hello there", "greeting"},
			{"thanks a lot!", "thanks"},
			{"English please", "language_en"},
			{"do you speak german?", "language_de,question"},
			// the whole message
			{"STOP", "stop"},
			{"stop!!!", "stop"},
			{"please stop", "stop"},
			{"Opt-out", "stop"},
			{"Unsubscribe", "stop"},
			{"cancel", "stop,cancel"},
			{"END", "stop,cancel"},
			{"stop by tomorrow", ""},
			{"START", "start"},
			{"help", "help"},
			// picking
			{"2", "2.00 EUR #2"},
			{"#2", "#2"},
			{"option 2", "#2"},
			{"the second one", "#2"},
		}},
		{"de", [][2]string{
			{"Nimmst du 15?", "offer 15.00 EUR"},
			{"wie wär's mit 15 €", "offer 15.00 EUR"},
			{"Wie wär’s mit 15?", "offer 15.00 EUR"},
			{"Würden Sie 15 Euro nehmen?", "offer 15.00 EUR"},
			{"fünfzehn Euro", "15.00 EUR"},
			{"fünfundzwanzig", "25.00 EUR #25"},
			{"fu\u0308nfundzwanzig", "25.00 EUR #25"},
			{"zweihundertfuenfzig", "250.00 EUR"},
			{"zwei Euro fünfzig", "2.50 EUR"},
			{"15,50", "15.50 EUR"},
			{"1.234", "1234.00 EUR"},
			{"1.234,50 €", "1234.50 EUR"},
			{"1,234", "?"},
			{"40,- €", "40.00 EUR"},
			{"15 Franken", "15.00 CHF"},
			{"15 Euronen", "15.00 EUR"},
			{"Ich biete 15", "offer 15.00 EUR"},
			{"ich zahle höchstens 15", "offer 15.00 EUR"},
			{"für 15 nehme ich es", "offer 15.00 EUR"},
			{"nicht 15", ""},
			{"nicht 15 sondern 12", "12.00 EUR"},
			{"15 nicht", ""},
			{"2 für 30", "offer 15.00 EUR x2"},
			{"30 für beide", "offer 15.00 EUR x2"},
			{"2 Stück zu je 15", "offer 15.00 EUR x2"},
			{"10 % Rabatt?", "offer 18.00 EUR"},
			{"ich möchte ein Angebot machen", "offer"},
			{"Kann ich einen Preis vorschlagen?", "offer"},
			{"ich habe euer Angebot gesehen", ""},
			{"5 Euro weniger", "offer 15.00 EUR"},
			{"zum halben Preis", "offer 10.00 EUR"},
			{"treffen wir uns in der Mitte", "offer"},
			{"zu teuer", "offer"},
			{"15 bis 20", "?"},
			{"unter 15 Euro", "15.00 EUR"},
			{"ja", "yes"},
			{"Ja, gerne", "yes"},
			{"ja bitte", "yes"},
			{"einverstanden", "yes"},
			{"geht klar", "yes"},
			{"ich will kein Angebot", ""},
			{"15 und ich nehm's", "offer 15.00 EUR"},
			{"ja, aber nur für 15", "offer 15.00 EUR"},
			{"nein danke", "no,thanks"},
			{"nö", "no"},
			{"kaufen", "buy"},
			{"ich nehme 2", "buy x2"},
			{"Ich nehme es", "buy"},
			{"ich kaufe das nicht", "no"},
			{"ich möchte 3 Tassen", "buy x3"},
			{"Ist es wasserdicht?", "question"},
			{"ist das wasserdicht", "question"},
			{"Was kostet das?", "price,question"},
			{"wie viel kostet es", "price,question"},
			{"noch da?", "stock,question"},
			{"Habt ihr das noch auf Lager?", "stock,question"},
			{"Wo ist meine Bestellung?", "order,question"},
			{"Mensch", "human"},
			{"Ich möchte mit einem Menschen sprechen", "human"},
			{"bist du ein Mensch?", "question"},
			{"auf Deutsch bitte", "language_de"},
			{"Englisch", "language_en"},
			{"Hallo", "greeting"},
			{"vielen Dank", "thanks"},
			{"Abmelden", "stop"},
			{"Bitte keine Nachrichten mehr!", "stop"},
			{"abbrechen", "stop,cancel"},
			{"Bestellung stornieren", "cancel"},
			{"Hilfe", "help"},
			{"das zweite", "#2"},
			{"Nummer 2", "#2"},
		}},
	} {
		for _, p := range language.phrases {
			t.Run(language.tag+"/"+p[0], func(t *testing.T) {
				got := show(Read(p[0], Options{Language: language.tag, Currency: "EUR", List: money.New(2000, "EUR")}))
				if got != p[1] {
					t.Errorf("got %q, want %q", got, p[1])
				}
			})
		}
	}
}

func ExampleRead() {
	r := Read("Wie wär's mit 15,50 €?", Options{Language: "de", Currency: "EUR"})
	fmt.Println(r.Intents, r.Amount, r.Language)
	// Output: [offer] 15.50 EUR de
}
