package telegramtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// PaymentsToken is the bot's at a payment provider in its test mode; every other is refused.
const PaymentsToken = "284685063:TEST:StrictFakePaymentsToken"

// Invoice is a request for money under a message of the bot.
type Invoice struct {
	Title, Description string
	Payload            string
	Currency           string
	Amount             int // in the currency's smallest unit
	Photo              string
}

// amounts are the least and the most that may be asked for, as Telegram publishes them day by day.
var amounts = map[string][2]int{"EUR": {87, 877155}, "USD": {100, 1000000}, "GBP": {75, 757605}, "JPY": {109, 1095549}, "CHF": {99, 993220}}

// checkoutTime is how long the bot may take to answer a pre-checkout query; then the person reads that the shop does not answer.
const checkoutTime = 10 * time.Second

func (s *Server) sendInvoice(r *http.Request) (any, *failure) {
	invoice, failed := readInvoice(r)
	if failed != nil {
		return nil, failed
	}
	return s.show(r, &Message{Text: invoice.Title + "\n" + invoice.Description, Image: invoice.Photo, Invoice: invoice})
}

func readInvoice(r *http.Request) (*Invoice, *failure) {
	in := &Invoice{
		Title: r.Form.Get("title"), Description: r.Form.Get("description"), Payload: r.Form.Get("payload"), Currency: r.Form.Get("currency"),
		Photo: r.Form.Get("photo_url"),
	}
	switch n := utf8.RuneCountInString; {
	case n(strings.TrimSpace(in.Title)) < 1 || n(in.Title) > 32:
		return nil, bad("invoice title must be of 1-32 characters")
	case n(strings.TrimSpace(in.Description)) < 1 || n(in.Description) > 255:
		return nil, bad("invoice description must be of 1-255 characters")
	case len(in.Payload) < 1 || len(in.Payload) > 128:
		return nil, bad("INVOICE_PAYLOAD_INVALID")
	case r.Form.Get("provider_token") != PaymentsToken:
		return nil, bad("PAYMENT_PROVIDER_INVALID")
	}
	if in.Photo != "" {
		if u, err := url.Parse(in.Photo); err != nil || u.Scheme != "http" && u.Scheme != "https" {
			return nil, bad("WEBDOCUMENT_URL_INVALID")
		}
	}
	var prices []struct {
		Label  string `json:"label"`
		Amount *int   `json:"amount"`
	}
	dec := json.NewDecoder(strings.NewReader(r.Form.Get("prices")))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&prices); err != nil || len(prices) == 0 {
		return nil, bad("can't parse prices JSON object")
	}
	for _, p := range prices {
		if p.Label == "" || p.Amount == nil {
			return nil, bad("can't parse prices JSON object")
		}
		in.Amount += *p.Amount
	}
	limits, known := amounts[in.Currency]
	switch {
	case !known:
		return nil, bad("CURRENCY_INVALID")
	case in.Amount < limits[0] || in.Amount > limits[1]:
		return nil, bad("CURRENCY_TOTAL_AMOUNT_INVALID")
	}
	return in, nil
}

// payable says what is wrong with the buttons under a message: the first under an invoice pays, and no other does anywhere.
func payable(msg *Message) *failure {
	for i, b := range msg.Buttons {
		if b.Pay != (msg.Invoice != nil && i == 0) {
			return bad("BUTTON_TYPE_INVALID")
		}
	}
	return nil
}

// Purchase is somebody paying an invoice.
type Purchase struct {
	ID string // of the pre-checkout query

	p       *Person
	invoice Invoice
	asked   time.Time
	answer  *answered // nil until the bot has answered
	charges int
}

type answered struct {
	ok    bool
	words string
}

// Pay presses the button of the latest invoice that holds words and fills in the card: Telegram asks the bot.
func (p *Person) Pay(words string) *Purchase {
	p.s.tb.Helper()
	for _, msg := range slices.Backward(p.Messages()) {
		if msg.Invoice != nil && strings.Contains(msg.Text, words) {
			return p.PayInvoice(*msg.Invoice)
		}
	}
	p.s.tb.Fatalf("telegram: %s sees no invoice %q", p.Name, words)
	return nil
}

// PayInvoice pays an invoice wherever it was seen: it may be another's, or changed on its way.
func (p *Person) PayInvoice(invoice Invoice) *Purchase {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	c := &Purchase{ID: fmt.Sprint(p.s.next("callback")), p: p, invoice: invoice, asked: time.Now()}
	p.s.purchases[c.ID] = c
	c.ask()
	return c
}

func (c *Purchase) ask() {
	c.p.s.enqueue("pre_checkout_query", map[string]any{
		"id": c.ID, "from": c.p.from(), "currency": c.invoice.Currency, "total_amount": c.invoice.Amount, "invoice_payload": c.invoice.Payload,
	})
}

// AskAgain delivers the question once more, under a new update id.
func (c *Purchase) AskAgain() { c.p.s.change(c.ask) }

// Lapse lets the ten seconds pass in which the bot may answer.
func (c *Purchase) Lapse() { c.p.s.change(func() { c.asked = c.asked.Add(-checkoutTime) }) }

// Approved waits for the bot to let them pay.
func (c *Purchase) Approved() {
	c.p.s.tb.Helper()
	if a := c.wait(); !a.ok {
		c.p.s.tb.Fatalf("telegram: %s may not pay: %s", c.p.Name, a.words)
	}
}

// Refused waits for the bot to refuse, and returns what the person reads.
func (c *Purchase) Refused() string {
	c.p.s.tb.Helper()
	a := c.wait()
	if a.ok {
		c.p.s.tb.Fatalf("telegram: %s may pay", c.p.Name)
	}
	return a.words
}

func (c *Purchase) wait() (a answered) {
	c.p.s.tb.Helper()
	c.p.s.Wait("the pre-checkout query to be answered", func() bool {
		c.p.s.mu.Lock()
		defer c.p.s.mu.Unlock()
		if c.answer != nil {
			a = *c.answer
		}
		return c.answer != nil
	})
	return a
}

// Complete takes the money, which the bot must have allowed, and tells the bot.
func (c *Purchase) Complete() {
	c.p.s.tb.Helper()
	c.Approved()
	c.p.s.change(func() { c.charges++ })
	c.Tell()
}

// Tell tells the bot of the money, as Complete does; again, when it was told before.
func (c *Purchase) Tell() {
	c.p.say(map[string]any{"successful_payment": map[string]any{
		"currency": c.invoice.Currency, "total_amount": c.invoice.Amount, "invoice_payload": c.invoice.Payload,
		"telegram_payment_charge_id": c.Charge(), "provider_payment_charge_id": "ch_" + c.ID,
	}})
}

// Charge is Telegram's id of the payment.
func (c *Purchase) Charge() string { return "tgch_" + c.ID }

func (s *Server) answerPreCheckoutQuery(r *http.Request) (any, *failure) {
	ok, err := strconv.ParseBool(r.Form.Get("ok"))
	words := strings.TrimSpace(r.Form.Get("error_message"))
	switch {
	case err != nil:
		return nil, bad("can't parse ok")
	case ok == (words != ""):
		return nil, bad("an error message is for a refusal, and every refusal has one")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.purchases[r.Form.Get("pre_checkout_query_id")]
	if c == nil || c.answer != nil || time.Since(c.asked) > checkoutTime {
		return nil, bad("query is too old and response timeout expired or query ID is invalid")
	}
	c.answer = &answered{ok, words}
	s.wake()
	return true, nil
}
