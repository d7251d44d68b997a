package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/commerce"
	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

// chance is a turn of random doings, whose end may be bad. What it wrote must be there as a whole or not at all.
type chance struct {
	id, chat string
	doings   []int
	bad      string // "", error, panic, refused (by the database) or collected (refused when the rows are written)
}

func draw(r *rand.Rand, n int) chance {
	c := chance{id: fmt.Sprint("e", n), chat: fmt.Sprint("vis_", r.IntN(12))}
	for range 1 + r.IntN(5) {
		c.doings = append(c.doings, r.IntN(6))
	}
	switch r.IntN(60) {
	case 0, 1:
		c.bad = "error"
	case 2:
		c.bad = "panic"
	case 3:
		c.bad = "refused"
	case 4:
		c.bad = "collected"
	}
	return c
}

func (c chance) turn(m commerce.MerchantID) store.Turn {
	e := conversation.Event{Kind: conversation.Text, Account: "chat", Chat: c.chat, Sender: c.chat, ID: c.id, Text: c.id}
	return store.Turn{Merchant: m, Channel: "webchat", Event: e, Apply: func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
		th.Session.Misses++
		for i, doing := range c.doings {
			if err := c.do(ctx, tx, th, i, doing); err != nil {
				return err
			}
		}
		switch c.bad {
		case "error":
			return errors.New("boom")
		case "panic":
			panic("bug")
		case "refused":
			return tx.AddConsent(ctx, th.Merchant, -1, 0, conversation.Consent{})
		case "collected":
			for range 2 { // an id twice
				if _, err := tx.AddMessage(ctx, th, store.Message{ID: "msg_" + c.id}, ""); err != nil {
					return err
				}
			}
		}
		return nil
	}}
}

func (c chance) do(ctx context.Context, tx *store.Tx, th *store.Thread, i, doing int) error {
	line := fmt.Sprintf("%s.%d", c.id, i)
	switch doing {
	case 0, 1:
		m := store.Message{ID: "msg_" + line, Author: store.FromBot, Kind: "reply", Text: line}
		var err error
		if m.Key, err = tx.AddMessage(ctx, th, m, ""); err != nil {
			return err
		}
		_, err = tx.AddParts(ctx, th, m, []store.Part{{Text: line}}, time.Time{}, doing == 0)
		return err
	case 2:
		if err := tx.Event(ctx, th.Merchant, "line", line, nil); err != nil {
			return err
		}
		return tx.SetTimer(ctx, th, line, conversation.Context{}, tx.Now().Add(time.Hour))
	case 3: // writes beside the collected rows
		return tx.Await(ctx, th, line, conversation.Context{})
	case 4: // reads what was collected
		_, err := tx.Messages(ctx, th.Merchant, th.Key, "", 1000)
		return err
	default: // changes the conversation's person behind the group's back
		th.Contact.Name = line
		return tx.SetAddressState(ctx, th.Merchant, th.AddressKey, conversation.Linked)
	}
}

// told is what a database has to tell after turns: by chat, or by kind of row.
func told(t *testing.T, s *store.Store) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for name, query := range map[string]string{
		"lines":    `SELECT v.chat || ' ' || m.text FROM messages m JOIN conversations v ON v.key = m.conversation_key ORDER BY v.chat, m.key`,
		"parts":    `SELECT v.chat || ' ' || p.text FROM parts p JOIN conversations v ON v.key = p.conversation_key ORDER BY v.chat, p.key`,
		"events":   `SELECT subject FROM events WHERE kind = 'line' ORDER BY key`,
		"timers":   `SELECT event FROM timers ORDER BY event`,
		"awaited":  `SELECT subject FROM awaited ORDER BY subject`,
		"contacts": `SELECT v.chat || ' ' || c.name FROM conversations v JOIN contacts c ON c.key = v.contact_key ORDER BY v.chat`,
		"sessions": `SELECT chat || ' ' || session FROM conversations ORDER BY chat`,
		"inbound":  `SELECT network_id FROM inbound ORDER BY network_id`,
		"repeats":  `SELECT i.network_id FROM repeats r JOIN inbound i ON i.key = r.log ORDER BY i.network_id`,
	} {
		var rows []string
		if err := s.DB().Select(&rows, query); err != nil {
			t.Fatal(err)
		}
		out[name] = rows
	}
	return out
}

func TestTurnsInGroupsLeaveWhatTheyLeaveOneByOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		for seed := range uint64(2) {
			r := rand.New(rand.NewPCG(seed, 7))
			grouped, single := open(t), open(t)
			m, n := merchant(t, grouped), merchant(t, single)
			var all, handed []chance
			for i := range 240 {
				c := draw(r, i)
				all, handed = append(all, c), append(handed, c)
				if r.IntN(10) == 0 { // the network delivers again
					handed = append(handed, all[r.IntN(len(all))])
				}
			}
			bad := map[string]bool{}
			for len(handed) > 0 {
				size := min(1+r.IntN(80), len(handed))
				var turns []store.Turn
				for _, c := range handed[:size] {
					turns = append(turns, c.turn(m))
				}
				out, err := grouped.ApplyTurns(t.Context(), turns)
				if err != nil {
					t.Fatal(err)
				}
				for i, o := range out {
					if o.Parked {
						bad[handed[i].id] = true
					}
				}
				handed = handed[size:]
			}
			for _, c := range all {
				if bad[c.id] != (c.bad != "") {
					t.Errorf("seed %d: turn %s, which is bad by %q, is parked: %t", seed, c.id, c.bad, bad[c.id])
				}
				if _, err := single.ApplyTurns(t.Context(), []store.Turn{c.turn(n)}); err != nil {
					t.Fatal(err)
				}
			}
			got, want := told(t, grouped), told(t, single)
			// A turn that failed is tried again after its group, so events of one group may be in another order.
			slices.Sort(got["events"])
			slices.Sort(want["events"])
			for _, name := range slices.Sorted(maps.Keys(want)) {
				if diff := cmp.Diff(want[name], got[name]); diff != "" {
					t.Errorf("seed %d: %s differ (-one by one +in groups):\n%s", seed, name, diff)
				}
			}
		}
	})
}

func TestWhoseRowsTheDatabaseRefusesAloneIsParked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		bad := chance{id: "bad", chat: "vis_1", doings: []int{0}, bad: "collected"}
		rode := 0
		rider := func(ctx context.Context, tx *store.Tx) error { rode++; return tx.Event(ctx, m, "line", "rider", nil) }
		out, failures, err := s.ApplyGroup(t.Context(), []store.Turn{echo(m, text("1", "one")), bad.turn(m), echo(m, text("2", "two"))}, []store.Rider{rider})
		if err != nil || failures[0] != nil || !out[1].Parked || out[0].Parked || out[2].Parked {
			t.Fatalf("got %+v, %v, %v; want the second parked alone", out, failures, err)
		}
		got := told(t, s)
		want := []string{"vis_1 one", "vis_1 two"}
		if diff := cmp.Diff(want, got["lines"]); diff != "" || !slices.Equal(got["events"], []string{"rider"}) {
			t.Errorf("events %q, want the rider's; lines differ:\n%s", got["events"], diff)
		}
	})
}

func TestARiderThatFailsSpoilsNobody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		good := func(ctx context.Context, tx *store.Tx) error { return tx.Event(ctx, m, "line", "good", nil) }
		ill := func(ctx context.Context, tx *store.Tx) error {
			if err := tx.Event(ctx, m, "line", "ill", nil); err != nil {
				return err
			}
			return tx.AddConsent(ctx, m, -1, 0, conversation.Consent{})
		}
		bug := func(context.Context, *store.Tx) error { panic("bug") }
		_, failures, err := s.ApplyGroup(t.Context(), []store.Turn{echo(m, text("1", "one"))}, []store.Rider{good, ill, bug})
		if err != nil || failures[0] != nil || failures[1] == nil || failures[2] == nil {
			t.Fatalf("got %v, %v; want the second and the third to fail", failures, err)
		}
		if got := told(t, s); !slices.Equal(got["events"], []string{"good"}) || len(got["lines"]) != 1 {
			t.Errorf("got %v", got)
		}
	})
}

func TestAnAnswerIsHandedOverWhenNothingElseOfItsChatIsOpen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		var handed []string
		says := func(id, line string) store.Turn {
			return store.Turn{Merchant: m, Channel: "webchat", Event: text(id, "hi"), Apply: func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
				if _, err := tx.AddMessage(ctx, th, store.Message{Author: store.FromContact, Kind: "text", Text: "hi"}, id); err != nil {
					return err
				}
				msg := store.Message{ID: tx.NewID("msg"), Author: store.FromBot, Kind: "reply", Text: line, Class: conversation.Answer}
				var err error
				if msg.Key, err = tx.AddMessage(ctx, th, msg, ""); err != nil {
					return err
				}
				p, err := tx.AddParts(ctx, th, msg, []store.Part{{Text: line}}, time.Time{}, true)
				if p != nil {
					tx.AfterCommit(func() { handed = append(handed, p.Text) })
				}
				return err
			}}
		}
		settle := func() {
			if _, err := s.DB().Exec(`UPDATE parts SET state = 'sent' WHERE state IN ('queued', 'sending')`); err != nil {
				t.Fatal(err)
			}
		}
		apply := func(turns ...store.Turn) {
			if _, err := s.ApplyTurns(t.Context(), turns); err != nil {
				t.Fatal(err)
			}
		}
		apply(says("1", "one"), says("2", "two"))
		apply(says("3", "three"))
		settle()
		apply(says("4", "four"))
		if got, want := strings.Join(handed, " "), "one four"; got != want {
			t.Errorf("handed over %q, want %q: what is behind another waits in the table", got, want)
		}
		var rows []struct {
			State    string
			Attempts int
			By       bool
		}
		if err := s.DB().Select(&rows, `SELECT state, attempts, claimed_by <> '' AS by FROM parts WHERE text = 'four'`); err != nil {
			t.Fatal(err)
		}
		if len(rows) != 1 || rows[0].State != "sending" || rows[0].Attempts != 1 || !rows[0].By {
			t.Errorf("the part that was handed over stands as %+v, want it claimed", rows)
		}
	})
}

func TestAFullDiskRefusesTurnsAndParksNone(t *testing.T) {
	s := storetest.SQLite(t)
	m := merchant(t, s)
	limit := func(pages string) {
		var n int
		if err := s.DB().Get(&n, "PRAGMA max_page_count = "+pages); err != nil {
			t.Fatal(err)
		}
	}
	var used string
	if err := s.DB().Get(&used, "PRAGMA page_count"); err != nil {
		t.Fatal(err)
	}
	limit(used)
	long := strings.Repeat("long ", 20_000)
	turns := []store.Turn{echo(m, text("1", long)), echo(m, text("2", long))}
	if out, err := s.ApplyTurns(t.Context(), turns); err == nil {
		t.Fatalf("taken as %+v although there is no room", out)
	}
	if err := s.View(t.Context(), func(tx *store.Tx) error { _, err := tx.Threads(t.Context(), m, store.ThreadFilter{}); return err }); err != nil {
		t.Errorf("reading fails too: %v", err)
	}
	limit("1000000")
	out, err := s.ApplyTurns(t.Context(), turns)
	if err != nil || out[0] != (store.Applied{}) || out[1] != (store.Applied{}) {
		t.Fatalf("with room again: %+v, %v", out, err)
	}
	if _, lines := transcript(t, s, m); len(lines) != 2 {
		t.Errorf("%d lines, want each once", len(lines))
	}
}
