package bots

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/adapters"
	"parley/commerce"
	"parley/commerce/money"
	"parley/commerce/payment"
	"parley/conversation"
	"parley/conversation/flow"
	"parley/store"
	"parley/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// network is a messenger of the tests: it keeps what it is given to send and fails as it is told.
type network struct {
	limits adapters.Limits

	mu      sync.Mutex
	sink    adapters.Sink
	sent    []adapters.Part // what arrived
	tried   []try           // every call of Send
	fail    func(adapters.Part) error
	read    map[string]int // by chat: how many of sent the test has read
	arrived chan struct{}
}

type try struct {
	part adapters.Part
	at   time.Time
}

var chatty = adapters.Limits{Text: 4096, Caption: 1024, Buttons: adapters.Buttons{Max: 8, Label: 64, Value: 64}, Repeatable: true}

func newNetwork(l adapters.Limits) *network {
	return &network{limits: l, read: map[string]int{}, arrived: make(chan struct{}, 1)}
}

func (n *network) Limits() adapters.Limits { return n.limits }

func (n *network) Run(ctx context.Context, sink adapters.Sink) error {
	n.mu.Lock()
	n.sink = sink
	n.mu.Unlock()
	<-ctx.Done()
	return nil
}

func (n *network) Send(_ context.Context, p adapters.Part) (adapters.Sent, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tried = append(n.tried, try{p, time.Now()})
	if n.fail != nil {
		if err := n.fail(p); err != nil {
			return adapters.Sent{}, err
		}
	}
	n.sent = append(n.sent, p)
	nudge(n.arrived)
	return adapters.Sent{ID: fmt.Sprintf("net%d", len(n.sent))}, nil
}

// failing has each Send ask f, which may be nil again.
func (n *network) failing(f func(adapters.Part) error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fail = f
}

// all is what arrived in a chat; with "" in any.
func (n *network) all(chat string) []adapters.Part {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []adapters.Part
	for _, p := range n.sent {
		if chat == "" || p.Chat == chat {
			out = append(out, p)
		}
	}
	return out
}

func (n *network) tries() []try {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]try{}, n.tried...)
}

// linked is a network on which a link begins the conversation.
type linked struct{ *network }

func (linked) Link(token string) string { return "https://net.example/?start=" + token }

// till is a payment provider that remembers the keys of its charges, as real ones do.
type till struct {
	mu      sync.Mutex
	calls   []string                                       // the key of every call
	charged map[string]bool                                // by key
	answer  func(c payment.Charge) (payment.Result, error) // nil: paid
	after   func()                                         // runs once money was taken, before the answer gets back
	refund  func(r payment.Refund) (payment.Result, error) // nil: paid
	info    payment.Info
}

func newTill() *till {
	return &till{charged: map[string]bool{}, info: payment.Info{Name: "till", Outside: true, Refunds: true}}
}

func (p *till) Info() payment.Info { return p.info }

func (p *till) Charge(_ context.Context, c payment.Charge) (payment.Result, error) {
	p.mu.Lock()
	p.calls = append(p.calls, c.Key)
	answer, after := p.answer, p.after
	p.mu.Unlock()
	r, err := payment.Result{State: payment.Paid, Reference: "R-" + c.Key}, error(nil)
	if answer != nil {
		r, err = answer(c)
	}
	if err == nil && r.State == payment.Paid {
		p.mu.Lock()
		p.charged[c.Key] = true
		p.mu.Unlock()
		if after != nil {
			after()
		}
	}
	return r, err
}

func (p *till) Refund(_ context.Context, r payment.Refund) (payment.Result, error) {
	if p.refund != nil {
		return p.refund(r)
	}
	return payment.Result{State: payment.Paid, Reference: "B-" + r.Key}, nil
}

func (p *till) Instructions(c payment.Charge) string { return "transfer " + c.Amount.Format("en") }

func (p *till) asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.calls...)
}

// shop is a merchant with a bot that runs.
type shop struct {
	t        *testing.T
	store    *store.Store
	house    *House
	net      *network
	till     *till
	merchant commerce.MerchantID
	poll     time.Duration
	sinks    string // the account that events come in by
	next     int
	stop     func()
}

// opening is what a shop may be told before it opens.
type opening struct {
	limits    adapters.Limits
	linked    bool
	wrap      func(*network) adapters.Messenger // gives the network more abilities
	flows     *flow.Set
	policy    commerce.Policy
	quiet     Quiet
	poll      time.Duration // 0 means an hour: then only wake-ups bring things about
	messenger *network
	till      *till
	closed    bool // do not run yet
	now       func() time.Time
	zone      *time.Location // of the merchant
}

func builtInFlows(t testing.TB) *flow.Set {
	t.Helper()
	set, problems := flow.Load(Shop(), ".")
	if flow.HasErrors(problems) {
		t.Fatal(problems[0])
	}
	return set
}

var testKeys = LinkKeys{Current: 1, Keys: map[byte][]byte{1: []byte("0123456789abcdef0123456789abcdef")}}

// openShop runs a shop with one account, "chat". The mug costs €20, ten of them are there, and it goes for €14 at least.
func openShop(t *testing.T, s *store.Store, o opening) *shop {
	t.Helper()
	if o.limits == (adapters.Limits{}) {
		o.limits = chatty
	}
	if o.flows == nil {
		o.flows = builtInFlows(t)
	}
	if o.poll == 0 {
		o.poll = time.Hour
	}
	if o.messenger == nil {
		o.messenger = newNetwork(o.limits)
	}
	if o.till == nil {
		o.till = newTill()
	}
	o.policy.Currency = "EUR"
	sh := &shop{t: t, store: s, net: o.messenger, till: o.till, sinks: "chat", poll: o.poll}
	sh.do(func(ctx context.Context, tx *store.Tx) (err error) {
		sh.merchant, err = tx.SetMerchant(ctx, "demo", "Demo")
		return err
	})
	var m adapters.Messenger = o.messenger
	if o.linked {
		m = linked{o.messenger}
	}
	if o.wrap != nil {
		m = o.wrap(o.messenger)
	}
	var err error
	sh.house, err = New(Options{
		Store: s, Log: slog.New(slog.DiscardHandler), Keys: testKeys, PublicURL: func() string { return "https://shop.example" }, Poll: o.poll, Now: o.now,
		Merchants: []Merchant{{
			ID: sh.merchant, Name: "demo", Title: "Demo", Policy: o.policy, Flows: o.flows, Payment: o.till, Quiet: o.quiet, TimeZone: o.zone,
			Accounts: []Account{{Name: "chat", Channel: "webchat", Messenger: m, MayWriteFirst: !o.linked}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !o.closed {
		sh.run()
	}
	return sh
}

// run starts the house; stop ends it and waits.
func (s *shop) run() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- s.house.Run(ctx, ready) }()
	<-ready
	var once sync.Once
	s.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				s.t.Error(err)
			}
		})
	}
	s.t.Cleanup(s.stop)
}

// bubble runs a test over SQLite in fake time.
func bubble(t *testing.T, o opening, test func(t *testing.T, s *shop)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := openShop(t, storetest.SQLite(t), o)
		rests()
		test(t, s)
	})
}

func (s *shop) do(f func(ctx context.Context, tx *store.Tx) error) {
	s.t.Helper()
	ctx := context.Background()
	if err := s.store.Tx(ctx, func(tx *store.Tx) error { return f(ctx, tx) }); err != nil {
		s.t.Fatal(err)
	}
}

// stock puts a product of €20 with a floor of €14 and an auto-accept of €18.
func (s *shop) stock(sku string, pieces int) {
	s.t.Helper()
	title, price, floor, accept := "Harbour mug", eur(2000), eur(1400), eur(1800)
	_, err := s.house.PutProduct(s.t.Context(), s.merchant, commerce.ProductChange{SKU: sku, Title: &title, Price: &price, Stock: &pieces, Floor: &floor, AutoAccept: &accept})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) reprice(sku string, cents int64) {
	s.t.Helper()
	price := eur(cents)
	if _, err := s.house.PutProduct(s.t.Context(), s.merchant, commerce.ProductChange{SKU: sku, Price: &price}); err != nil {
		s.t.Fatal(err)
	}
}

func eur(cents int64) money.Amount { return money.New(cents, "EUR") }

var consent = conversation.Consent{Purpose: conversation.Alert, Wording: "Yes, tell me here.", Version: "1"}

// subscribes has a proven visitor ask to be told when the mug falls to an amount.
func (s *shop) subscribes(visitor, below string) Subscription {
	return Subscription{
		Merchant: s.merchant, SKU: "mug", Event: commerce.PriceBelow, Fields: map[string]string{"threshold": below}, Name: "Ada",
		Account: "chat", Address: visitor, Proven: true, Language: "en", Consent: consent,
	}
}

func (s *shop) subscribe(sub Subscription) Subscribed {
	s.t.Helper()
	done, err := s.house.Subscribe(s.t.Context(), sub)
	if err != nil {
		s.t.Fatal(err)
	}
	return done
}

// told subscribes a visitor, lets the price fall to €17 and returns the alert, read.
func (s *shop) told(visitor string) adapters.Part {
	s.t.Helper()
	s.stock("mug", 10)
	s.subscribe(s.subscribes(visitor, "17.50"))
	s.reprice("mug", 1700)
	rests()
	parts := s.hears(visitor)
	if len(parts) != 2 || !strings.Contains(parts[1].Text, "now costs €17.00") {
		s.t.Fatalf("got %v, want a welcome and the alert", texts(parts))
	}
	return parts[1]
}

// gives hands an event to the bot as its network would.
func (s *shop) gives(e conversation.Event) error {
	return s.house.Sink(s.sinks)(context.Background(), []conversation.Event{e})
}

func (s *shop) event(chat string, kind conversation.Kind) conversation.Event {
	s.next++
	return conversation.Event{Kind: kind, Chat: chat, Sender: chat, ID: fmt.Sprintf("in%d", s.next)}
}

func (s *shop) takes(e conversation.Event) {
	s.t.Helper()
	if err := s.gives(e); err != nil {
		s.t.Fatal(err)
	}
	rests()
}

// says has somebody write a text, and waits until the house has nothing left to do.
func (s *shop) says(chat, text string) {
	s.t.Helper()
	e := s.event(chat, conversation.Text)
	e.Text = text
	s.takes(e)
}

// presses has somebody press the button of a message whose label begins so.
func (s *shop) presses(chat string, p adapters.Part, label string) {
	s.t.Helper()
	e := s.event(chat, conversation.Choice)
	e.Value = s.value(p, label)
	s.takes(e)
}

func (s *shop) value(p adapters.Part, label string) string {
	s.t.Helper()
	for _, c := range p.Choices {
		if strings.HasPrefix(c.Label, label) {
			return c.Value
		}
	}
	s.t.Fatalf("no button %q in %+v", label, p)
	return ""
}

// hears is what arrived in a chat since it was last asked for.
func (s *shop) hears(chat string) []adapters.Part {
	parts := s.net.all(chat)
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	from := s.net.read[chat]
	s.net.read[chat] = len(parts)
	return parts[from:]
}

// hearsOnly fails unless exactly these texts arrived since, each given by a part of it.
func (s *shop) hearsOnly(chat string, want ...string) []adapters.Part {
	s.t.Helper()
	parts := s.hears(chat)
	ok := len(parts) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = strings.Contains(parts[i].Text, want[i])
	}
	if !ok {
		s.t.Fatalf("%s heard %q, want %q", chat, texts(parts), want)
	}
	return parts
}

func texts(parts []adapters.Part) []string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = p.Text
	}
	return out
}

// thread is the conversation of a chat.
func (s *shop) thread(chat string) (th *store.Thread) {
	s.t.Helper()
	s.do(func(ctx context.Context, tx *store.Tx) (err error) {
		th, err = tx.ThreadOfChat(ctx, s.merchant, s.sinks, chat)
		return err
	})
	return th
}

func (s *shop) transcript(chat string) (lines []store.Message) {
	s.t.Helper()
	th := s.thread(chat)
	s.do(func(ctx context.Context, tx *store.Tx) (err error) {
		lines, err = tx.Messages(ctx, s.merchant, th.Key, "", 1000)
		return err
	})
	return lines
}

// last is the newest message that went out in a chat.
func (s *shop) last(chat string) store.Message {
	s.t.Helper()
	lines := s.transcript(chat)
	for i := len(lines) - 1; i >= 0; i-- {
		if lines[i].Kind == "reply" {
			return lines[i]
		}
	}
	s.t.Fatalf("nothing went out to %s", chat)
	return store.Message{}
}

func (s *shop) orders() (orders []commerce.Order) {
	s.t.Helper()
	s.do(func(ctx context.Context, tx *store.Tx) (err error) {
		orders, err = tx.ListOrders(ctx, s.merchant, store.OrderFilter{})
		return err
	})
	return orders
}

func (s *shop) product(sku string) (p commerce.Product) {
	s.t.Helper()
	s.do(func(ctx context.Context, tx *store.Tx) (err error) {
		p, err = tx.Product(ctx, s.merchant, sku)
		return err
	})
	return p
}

// count asks the database a question whose answer is a number.
func (s *shop) count(query string, args ...any) (n int) {
	s.t.Helper()
	if err := s.store.DB().Get(&n, query, args...); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// passes lets time go by.
func passes(d time.Duration) {
	time.Sleep(d) // in a bubble, where it takes none
	synctest.Wait()
}

// rests waits until the house has done what it can do at once, and for what is noted a moment later.
func rests() { passes(50 * time.Millisecond) }

func refused(c adapters.Consequence) error {
	return &adapters.SendError{Consequence: c, Reason: "as the test says"}
}

var errCut = errors.New("the line was cut")
