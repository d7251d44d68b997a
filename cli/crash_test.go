package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"parley/store"
	"parley/store/storetest"
)

// customer is a shopper whose shop goes away again and again. As the chat of our pages does, they come back, resume after the
// last message they were shown, and send once more, under the same id, what was not acknowledged.
type customer struct {
	server *server
	name   string
	client *http.Client
	acks   chan<- string // hears of each acknowledgement; nil for nobody

	conn    *websocket.Conn
	last    string            // the last message shown
	shown   []frame           // each message once, in the order of being shown
	known   map[string]bool   // ids of shown
	waiting map[string]any    // the frame that is not acknowledged yet; nil when none is
	acked   map[string]string // client id → the words that the reply holds one of, parted by |
}

// gather makes customers who have subscribed to a product and have been greeted.
func gather(t *testing.T, s *server, n int, sku string) []*customer {
	t.Helper()
	in := s.as(t, "")
	crowd := make([]*customer, n)
	for i := range crowd {
		v := in.visit(sku)
		name := fmt.Sprintf("Shopper %02d", i)
		done := v.subscribe(map[string]string{"sku": sku, "event": "price_below", "price_below.threshold": "5.00", "name": name}, http.StatusOK)
		if done["state"] != "armed" {
			t.Fatalf("subscribed: %v, want it armed", done)
		}
		crowd[i] = &customer{server: s, name: name, client: v.client, known: map[string]bool{}, acked: map[string]string{}}
		t.Cleanup(crowd[i].leave)
	}
	return crowd
}

// leave closes the socket, if there is one.
func (c *customer) leave() {
	if c.conn != nil {
		_ = c.conn.CloseNow()
		c.conn = nil
	}
}

// until reads the chat until done says so, coming back as often as needed.
func (c *customer) until(ctx context.Context, done func() bool) error {
	for !done() {
		if c.conn == nil {
			if err := c.comeBack(ctx); err != nil {
				return err
			}
			continue
		}
		var f frame
		if err := wsjson.Read(ctx, c.conn, &f); err != nil {
			c.leave()
			if ctx.Err() != nil {
				return fmt.Errorf("%s waits in vain, and was shown %s: %w", c.name, c.transcript(), ctx.Err())
			}
			continue
		}
		if err := c.take(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func (c *customer) comeBack(ctx context.Context) error {
	base, err := c.server.address(ctx)
	if err != nil {
		return err
	}
	after := c.last
	if after == "" {
		after = "none"
	}
	conn, resp, err := websocket.Dial(ctx, base+"/chat/ws?after="+after, &websocket.DialOptions{HTTPClient: c.client})
	if resp != nil && resp.StatusCode == http.StatusUnauthorized {
		return fmt.Errorf("%s is no longer known to the shop", c.name)
	}
	if err != nil {
		return nil // it has just gone: wait for it again
	}
	c.conn = conn
	return c.send(ctx)
}

// send sends what is not acknowledged yet.
func (c *customer) send(ctx context.Context) error {
	if c.waiting == nil || c.conn == nil {
		return nil
	}
	if err := wsjson.Write(ctx, c.conn, c.waiting); err != nil {
		c.leave()
	}
	return nil
}

var errRefused = errors.New("the chat refuses")

func (c *customer) take(ctx context.Context, f frame) error {
	switch f.Type {
	case "message":
		c.last = f.ID
		if !c.known[f.ID] {
			c.known[f.ID] = true
			c.shown = append(c.shown, f)
		}
	case "ack":
		if c.waiting != nil && c.waiting["id"] == f.ID {
			c.waiting = nil
		}
	case "error":
		if strings.Contains(f.Text, "did not get through") { // it says itself that it is to be tried again
			return c.send(ctx)
		}
		return fmt.Errorf("%s: %w: %s", c.name, errRefused, f.Text)
	}
	return nil
}

// asks sends a frame, waits for the acknowledgement, and then for a reply that holds one of the words.
func (c *customer) asks(ctx context.Context, id string, f map[string]any, words string) error {
	before := c.count(words)
	f["id"] = id
	c.waiting = f
	if err := c.send(ctx); err != nil {
		return err
	}
	if err := c.until(ctx, func() bool { return c.waiting == nil }); err != nil {
		return err
	}
	c.acked[id] = words
	if c.acks != nil {
		c.acks <- id
	}
	return c.until(ctx, func() bool { return c.count(words) > before })
}

// count is how many messages of the bot were shown that hold one of the words.
func (c *customer) count(words string) int { return len(saying(c.shown, words)) }

// saying lists the places of the bot's messages that hold one of the words.
func saying(messages []frame, words string) (at []int) {
	for i, f := range messages {
		for word := range strings.SplitSeq(words, "|") {
			if f.From == "bot" && strings.Contains(f.Text, word) {
				at = append(at, i)
				break
			}
		}
	}
	return at
}

func (c *customer) transcript() string {
	var b strings.Builder
	for _, f := range c.shown {
		fmt.Fprintf(&b, "\n  %s: %.60q", f.From, f.Text)
	}
	return b.String()
}

// The words that this test knows replies by.
const (
	helpWords    = "STOP ends all messages, START"
	receiptWords = "Thank you!"
	boughtWords  = receiptWords + "|has just sold out"
)

func helpFrame() map[string]any { return map[string]any{"type": "message", "text": "help"} }

// checkHistory reads the whole chat anew and looks whether all that was acknowledged stands in it, once, with its reply.
func (c *customer) checkHistory(ctx context.Context, t *testing.T) {
	t.Helper()
	c.leave()
	c.last, c.shown, c.known = "", nil, map[string]bool{}
	// The acknowledgement of one more message comes behind all that was said before.
	c.waiting = map[string]any{"type": "message", "id": "end", "text": "thanks"}
	if err := c.until(ctx, func() bool { return c.waiting == nil }); err != nil {
		t.Fatal(err)
	}
	asked := map[string]int{} // by the words of the reply
	for id, words := range c.acked {
		asked[words]++
		at := -1
		for i, f := range c.shown {
			if f.ID == id && at >= 0 {
				t.Errorf("%s: message %s stands in the chat twice", c.name, id)
			}
			if f.ID == id {
				at = i
			}
		}
		replies := saying(c.shown, words)
		if at < 0 || len(replies) == 0 || replies[len(replies)-1] < at {
			t.Errorf("%s: message %s was acknowledged, but has no reply in%s", c.name, id, c.transcript())
		}
	}
	for words, n := range asked {
		if got := len(saying(c.shown, words)); got < n {
			t.Errorf("%s: %d replies with %q to %d messages in%s", c.name, got, words, n, c.transcript())
		}
	}
}

// presses finds the button of the notification.
func (c *customer) buyFrame() map[string]any {
	told := saying(c.shown, "now costs")
	return map[string]any{"type": "choice", "value": c.shown[told[0]].Choices[0].Value}
}

// shopping is what each customer does: 4 messages, of which two are the press of the same button.
func (c *customer) shopping(ctx context.Context) error {
	if err := c.until(ctx, func() bool { return c.count("now costs") > 0 }); err != nil {
		return err
	}
	if err := c.asks(ctx, "help-1", helpFrame(), helpWords); err != nil {
		return err
	}
	if err := c.asks(ctx, "buy-1", c.buyFrame(), boughtWords); err != nil {
		return err
	}
	if err := c.asks(ctx, "buy-2", c.buyFrame(), boughtWords); err != nil {
		return err
	}
	return c.asks(ctx, "help-2", helpFrame(), helpWords)
}

func TestAPowerCutDuringPurchasesLosesNothingAndSellsNothingTwice(t *testing.T) {
	path := program(t)
	t.Run("the demo on sqlite", func(t *testing.T) {
		data := t.TempDir()
		s := started(t, path, []string{"PARLEY_API_KEY=" + processKey}, "demo", "-addr", "127.0.0.1:0", "-data", data)
		powerCuts(t, s, processKey, "sqlite://"+filepath.Join(data, "parley.db"))
	})
	t.Run("a shop on postgres", func(t *testing.T) {
		url := storetest.PostgresURL(t)
		dir := shopConfig(t, testShop(fmt.Sprintf("%q", url), ""))
		made := parley(t, "", "key", "new", "test", "-scope", "*")
		if made.code != 0 {
			t.Fatal(made.stderr)
		}
		s := started(t, path, nil, "serve", "-config", filepath.Join(dir, "parley.yaml"), "-addr", "127.0.0.1:0")
		powerCuts(t, s, strings.TrimSpace(made.stdout), url)
	})
}

// powerCuts lets 50 customers buy 45 pieces while the process is killed six times.
func powerCuts(t *testing.T, s *server, key, database string) {
	const customers, pieces, sku = 50, 45, "crash-mug"
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	s.as(t, key).product(sku, "Crash mug", 900, pieces, "")
	crowd := gather(t, s, customers, sku)

	s.as(t, key).reprice(sku, 450)
	s.kill() // the change was acknowledged: all must be told of it
	s.start()

	acks := make(chan string, 8*customers)
	failed := make(chan error, customers)
	var out sync.WaitGroup
	for _, c := range crowd {
		c.acks = acks
		out.Go(func() {
			if err := c.shopping(ctx); err != nil {
				failed <- err
				cancel()
			}
		})
	}
	n := 0
	for _, cut := range []int{20, 60, 100, 140, 180} {
		for ; n < cut; n++ {
			select {
			case <-acks:
			case <-ctx.Done():
				out.Wait()
				t.Fatalf("after %d acknowledgements: %v\n%s", n, <-failed, &s.stderr)
			}
		}
		s.kill()
		s.start()
	}
	out.Wait()
	select {
	case err := <-failed:
		t.Fatalf("%v\n%s", err, &s.stderr)
	default:
	}

	bought := 0
	for _, c := range crowd {
		c.checkHistory(ctx, t)
		if told := c.count("now costs"); told != 1 {
			t.Errorf("%s was told %d times that the price fell, want once", c.name, told)
		}
		if c.count(receiptWords) > 0 {
			bought++
		}
	}
	if bought != pieces {
		t.Errorf("%d customers have a receipt, want %d", bought, pieces)
	}
	after := s.as(t, key)
	buyers := map[any]bool{}
	orders := after.api("GET", "/api/v1/orders?limit=200", "", http.StatusOK)["items"].([]any)
	for _, o := range orders {
		order := o.(map[string]any)
		buyers[order["contact"].(map[string]any)["id"]] = true
		if order["status"] != "paid" {
			t.Errorf("order %v is %v, want it paid", order["id"], order["status"])
		}
	}
	if len(orders) != pieces || len(buyers) != pieces {
		t.Errorf("%d orders of %d buyers, want %d of as many", len(orders), len(buyers), pieces)
	}
	if left := after.stock(sku); left != 0 {
		t.Errorf("%d in stock, want 0", left)
	}
	wantNothingUnderWay(t, database)
	// The windows of all customers are open, and none of them answers the goodbye.
	if code, took := s.stop(); code != 0 || took > 10*time.Second {
		t.Errorf("exit %d after %v, want 0 within 10 s:\n%s", code, took, &s.stderr)
	}
}

// wantNothingUnderWay looks into the tables of a running shop, until everything there has come to its end.
func wantNothingUnderWay(t *testing.T, database string) {
	t.Helper()
	endsWithin(t, database, 10*time.Second)
}

func endsWithin(t *testing.T, database string, patience time.Duration) {
	t.Helper()
	db, err := store.Open(t.Context(), database, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(patience)
	for what, query := range map[string]string{
		"parts on their way":      `SELECT count(*) FROM parts WHERE state NOT IN ('sent', 'delivered', 'read')`,
		"payments not settled":    `SELECT count(*) FROM payment_tasks WHERE state <> 'done'`,
		"deliveries not made":     `SELECT (SELECT count(*) FROM deliveries) + (SELECT count(*) FROM held)`,
		"events that were parked": `SELECT count(*) FROM parked WHERE done_ms = 0`,
		"pieces still held":       `SELECT COALESCE(sum(held), 0) FROM products`,
	} {
		for n := 1; n != 0; <-tick.C {
			if err := db.DB().GetContext(t.Context(), &n, query); err != nil {
				t.Fatal(err)
			}
			if n != 0 && time.Now().After(deadline) {
				t.Errorf("%d %s, want none", n, what)
				break
			}
		}
	}
}
