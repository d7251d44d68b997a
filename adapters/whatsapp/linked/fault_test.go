//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/adapters/whatsapp/linked/wafake"
	"parley/conversation"
)

func TestWhatCouldNotBeStoredComesAgainBeforeWhatFollows(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	h.linked(s, shop)
	person := s.Person(ann, "Ann")
	for _, fault := range []struct {
		name           string
		refuse, panics int
	}{{"refused", 2, 0}, {"panic", 0, 1}} {
		h.inbox.set(fault.refuse, fault.panics)
		before := len(h.inbox.texts())
		want := []string{fault.name + " 1", fault.name + " 2", fault.name + " 3"}
		for _, text := range want {
			person.Type(shop, text)
		}
		h.inbox.said(t, before+2)
		if diff := cmp.Diff(want, h.inbox.texts()[before:]); diff != "" {
			t.Errorf("%s: stored (-want +got):\n%s", fault.name, diff)
		}
		s.Wait("all to be confirmed", func() bool { return s.Pending(shop) == 0 })
	}
}

func TestAReceiptThatCouldNotBeStoredComesAgain(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	m, _ := h.linked(s, shop)
	person := s.Person(ann, "Ann")
	sent, err := m.Send(t.Context(), adapters.Part{Chat: ann, Text: "hello", Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	person.Read(shop, 0)
	h.inbox.set(1, 0)
	person.Seen(shop, sent.ID)
	h.inbox.await(t, "that it was read", func(events []conversation.Event) bool {
		return slices.ContainsFunc(events, func(e conversation.Event) bool { return e.Name == "read" && e.Value == sent.ID })
	})
}

func TestAMessageThatWeCrashedOnIsHandledOnceByTheNextProcess(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	_, stop := h.linked(s, shop)
	person := s.Person(ann, "Ann")
	person.Type(shop, "before")
	h.inbox.said(t, 0)
	h.inbox.set(-1, 0) // from here on nothing is stored, until the process is another
	person.Type(shop, "must survive")
	h.inbox.await(t, "the hand-over", func([]conversation.Event) bool { return h.inbox.offered() > 1 })
	stop()
	if n := s.Pending(shop); n != 1 {
		t.Errorf("%d messages wait at WhatsApp, want the one", n)
	}
	person.Type(shop, "while we were away")
	h.inbox.set(0, 0)
	h.clearReports()
	h.start(h.messenger(s))
	h.inbox.said(t, 2)
	if diff := cmp.Diff([]string{"before", "must survive", "while we were away"}, h.inbox.texts()); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	s.Wait("all to be confirmed", func() bool { return s.Pending(shop) == 0 })
}

func TestARepeatIsConfirmedAndStoredOnce(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	h.linked(s, shop)
	person := s.Person(ann, "Ann")
	id := person.Type(shop, "once")
	h.inbox.said(t, 0)
	s.Redeliver(shop)               // the same ciphertext
	person.TypeAs(shop, id, "once") // encrypted anew
	person.Type(shop, "then")
	h.inbox.said(t, 1)
	if diff := cmp.Diff([]string{"once", "then"}, h.inbox.texts()); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	s.Wait("all to be confirmed", func() bool { return s.Pending(shop) == 0 })
}

func TestComesBackAfterACut(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	m, _ := h.linked(s, shop)
	person := s.Person(ann, "Ann")
	s.Away(shop)
	h.reported("connecting")
	person.Type(shop, "anybody there?")
	_, err := m.Send(t.Context(), adapters.Part{Chat: ann, Text: "hi", Key: "k"})
	if failed, ok := errors.AsType[*adapters.SendError](err); !ok || failed.Consequence != adapters.Temporary {
		t.Errorf("sent without a connection: %v, want it temporary", err)
	}
	s.Allow(shop)
	if e := h.inbox.said(t, 0); e.Text != "anybody there?" {
		t.Errorf("got %+v", e)
	}
	s.Wait("the line", func() bool { return s.Online(shop) == 1 })
}

// The library sends the same frame again when the line was cut before WhatsApp's answer, and the other end cannot decrypt one
// ciphertext twice.
func TestAMessageCutOffBeforeItsAnswerIsReadOnce(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	m, _ := h.linked(s, shop)
	person := s.Person(ann, "Ann")
	s.Cut(shop, false)
	if _, err := m.Send(t.Context(), adapters.Part{Chat: ann, Text: "did you get it?", Key: "k1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Send(t.Context(), adapters.Part{Chat: ann, Text: "and this?", Key: "k2"}); err != nil {
		t.Fatal(err)
	}
	person.Read(shop, 1)
	var got []string
	for _, msg := range person.Messages(shop) {
		got = append(got, msg.Text)
	}
	if diff := cmp.Diff([]string{"did you get it?", "and this?"}, got); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
}

func TestAPartHasTheSameIDEachTimeItIsSent(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	m, _ := h.linked(s, shop)
	person := s.Person(ann, "Ann")
	part := adapters.Part{Chat: "+" + ann, Text: "hello", Key: "msg_1"}
	first, err := m.Send(t.Context(), part)
	if err != nil {
		t.Fatal(err)
	}
	second, err := m.Send(t.Context(), part)
	if err != nil || first != second {
		t.Errorf("got %v, %v, want %v again", second, err, first)
	}
	if got := person.Read(shop, 0).ID; got != first.ID || !strings.HasPrefix(got, "3EB0") || len(got) != 22 {
		t.Errorf("got %s, want %s in the form of WhatsApp Web", got, first.ID)
	}
}

func TestFailedSendsSayWhatFollows(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	m, _ := h.linked(s, shop)
	s.Person(ann, "Ann")
	for _, c := range []struct {
		name   string
		answer int
		part   adapters.Part
		want   adapters.Consequence
		code   string
	}{
		{"too many", 429, adapters.Part{Chat: ann, Text: "x"}, adapters.Throttled, "429"},
		{"refused", 400, adapters.Part{Chat: ann, Text: "x"}, adapters.Rejected, "400"},
		{"time lock", 463, adapters.Part{Chat: ann, Text: "x"}, adapters.Rejected, "463"},
		{"their trouble", 503, adapters.Part{Chat: ann, Text: "x"}, adapters.Temporary, "503"},
		{"a stranger to WhatsApp", 0, adapters.Part{Chat: "4915199999999", Text: "x"}, adapters.Gone, "not_on_whatsapp"},
		{"no number", 0, adapters.Part{Chat: "ann", Text: "x"}, adapters.Rejected, "bad_chat"},
		{"a number without country", 0, adapters.Part{Chat: "0151234567", Text: "x"}, adapters.Rejected, "bad_chat"},
		{"too long", 0, adapters.Part{Chat: ann, Text: strings.Repeat("价", 4097)}, adapters.Rejected, "too_long"},
	} {
		if c.answer != 0 {
			s.Answer(shop, c.answer)
		}
		_, err := m.Send(t.Context(), c.part)
		failed, ok := errors.AsType[*adapters.SendError](err)
		if !ok || failed.Consequence != c.want || failed.Code != c.code {
			t.Errorf("%s: got %v, want %s (%s)", c.name, err, c.want, c.code)
		}
		if ok && c.want == adapters.Throttled && failed.RetryAfter <= 0 {
			t.Errorf("%s: no pause", c.name)
		}
	}
}

func TestStopsWhileSending(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	m, stop := h.linked(s, shop)
	s.Person(ann, "Ann")
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			_, err := m.Send(t.Context(), adapters.Part{Chat: ann, Text: fmt.Sprint("part ", i), Key: fmt.Sprint("key", i)})
			if _, ok := errors.AsType[*adapters.SendError](err); err != nil && !ok {
				t.Errorf("got %T %v, want a *SendError", err, err)
			}
		})
	}
	began := time.Now()
	stop()
	wg.Wait()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %v", took)
	}
}

func TestTheAdminIsToldWhatToDo(t *testing.T) {
	for _, c := range []struct {
		name   string
		happen func(s *wafake.Server)
		want   []string
	}{
		{"unlinked on the phone", func(s *wafake.Server) { s.LogOut(shop) }, []string{"failed", "unlinked", "parley pair phone"}},
		{"logged out", func(s *wafake.Server) { s.Refuse(shop, 401) }, []string{"failed", "unlinked", "parley pair phone"}},
		{"locked", func(s *wafake.Server) { s.Refuse(shop, 403) }, []string{"failed", "locked", "parley pair phone"}},
		{"banned for good", func(s *wafake.Server) { s.Refuse(shop, 406) }, []string{"failed", "banned", "parley pair phone"}},
		{"banned for a while", func(s *wafake.Server) { s.Refuse(shop, 402, "code", "104", "expire", "3600") }, []string{"failed", "banned", "until", "same message"}},
		{"replaced", func(s *wafake.Server) { s.Replace(shop) }, []string{"failed", "another program"}},
		{"refused", func(s *wafake.Server) { s.Refuse(shop, 409) }, []string{"failed", "409"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := wafake.Start(t)
			h := newHouse(t)
			m, stop := h.linked(s, shop)
			h.clearReports()
			c.happen(s)
			for _, text := range c.want {
				h.reported(text)
			}
			_, err := m.Send(t.Context(), adapters.Part{Chat: ann, Text: "x", Key: "k"})
			failed, ok := errors.AsType[*adapters.SendError](err)
			if !ok || failed.Consequence != adapters.Broken {
				t.Fatalf("got %v, want messages to wait for an account that is broken", err)
			}
			for _, text := range c.want[1:] {
				if !strings.Contains(failed.Reason, text) {
					t.Errorf("got %q, want %q in it: the admin is shown this last", failed.Reason, text)
				}
			}
			stop()
		})
	}
}

func TestAnOutdatedVersionEndsTheAccount(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	m, stop := h.linked(s, shop)
	stop()
	s.Refuse(shop, 405)
	if err := m.Run(t.Context(), h.inbox.sink); err == nil || !strings.Contains(err.Error(), "update") {
		t.Errorf("got %v, want the advice to update", err)
	}
}

func TestAPhoneThatIsLinkedAgainAfterABanSendsAgain(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	m, _ := h.linked(s, shop)
	person := s.Person(ann, "Ann")
	h.clearReports()
	s.Refuse(shop, 406)
	h.reported("banned")
	s.Allow(shop)
	h.clearReports()
	if err := m.Pair(t.Context(), "", func(code string) {
		if err := s.ScanQR(shop, code); err != nil {
			t.Errorf("scan: %v", err)
		}
	}); err != nil {
		t.Fatalf("pair: %v", err)
	}
	h.reported("ready")
	if _, err := m.Send(t.Context(), adapters.Part{Chat: ann, Text: "we are back", Key: "k"}); err != nil {
		t.Fatal(err)
	}
	if got := person.Read(shop, 0); got.Text != "we are back" {
		t.Errorf("got %+v", got)
	}
}
