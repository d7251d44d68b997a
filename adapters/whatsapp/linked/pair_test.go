//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"context"
	"errors"
	"strings"
	"testing"

	"parley/adapters"
	"parley/adapters/whatsapp/linked/wafake"
)

func TestLinksByACodeTypedOnThePhone(t *testing.T) {
	s := wafake.Start(t)
	s.Register(shop, "The Shop")
	h := newHouse(t)
	m := h.messenger(s)
	var shown string
	err := m.Pair(t.Context(), "+49 151 00000001", func(code string) {
		h.state.secret(code)
		shown = code
		if err := s.TypeCode(shop, code); err != nil {
			t.Errorf("type the code: %v", err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(shown) != 9 || shown[4] != '-' {
		t.Errorf("shown %q, want eight letters in two halves", shown)
	}
	h.start(m)
	h.reported("ready")
	if got := m.Link("tok"); !strings.Contains(got, shop) {
		t.Errorf("got %q, want a link to %s", got, shop)
	}
	if err := m.Pair(t.Context(), "", func(string) { t.Error("a linked account shows a code") }); err != nil {
		t.Errorf("pair once more: %v", err)
	}
	h.checkSecrets()
}

func TestRunTakesUpAPhoneThatIsLinkedWhileItWaits(t *testing.T) {
	s := wafake.Start(t)
	s.Register(shop, "The Shop")
	h := newHouse(t)
	m := h.messenger(s)
	h.start(m)
	h.reported("no phone is linked")
	_, err := m.Send(t.Context(), adapters.Part{Chat: ann, Text: "x", Key: "k"})
	if failed, ok := errors.AsType[*adapters.SendError](err); !ok || failed.Consequence != adapters.Broken {
		t.Errorf("send: %v, want the account broken", err)
	}
	if got := m.Link("tok"); got != "" {
		t.Errorf("got the link %q, want none yet", got)
	}
	link := func() {
		if err := m.Pair(t.Context(), "", func(code string) {
			h.state.secret(code)
			if err := s.ScanQR(shop, code); err != nil {
				t.Error(err)
			}
		}); err != nil {
			t.Fatal(err)
		}
		h.reported("ready")
	}
	link()
	h.clearReports()
	s.LogOut(shop)
	h.reported("unlinked")
	h.clearReports()
	link()
	s.Person(ann, "Ann").Type(shop, "you are back")
	if e := h.inbox.said(t, 0); e.Text != "you are back" {
		t.Errorf("got %+v", e)
	}
	h.checkSecrets()
}

func TestPairingThatFailsSaysWhy(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	m := h.messenger(s)
	for phone, want := range map[string]string{"151": "country code", "0151 23456789": "country code"} {
		if err := m.Pair(t.Context(), phone, func(string) { t.Error("a code is shown") }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want advice", phone, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := m.Pair(ctx, "", func(string) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the cancelled context's error", err)
	}
	if got := h.state.values[stateJID]; got != "" {
		t.Errorf("linked as %q without a phone", got)
	}
}

func TestAccountsShareADatabase(t *testing.T) {
	s := wafake.Start(t)
	one, two := newHouse(t), newHouse(t)
	two.env.DB = one.env.DB
	const other = "4915100000003"
	first, _ := one.linked(s, shop)
	second, _ := two.linked(s, other)
	person := s.Person(ann, "Ann")
	person.Type(shop, "to the first")
	person.Type(other, "to the second")
	if a, b := one.inbox.said(t, 0).Text, two.inbox.said(t, 0).Text; a != "to the first" || b != "to the second" {
		t.Errorf("got %q and %q", a, b)
	}
	for m, number := range map[*Messenger]string{first: shop, second: other} {
		if _, err := m.Send(t.Context(), adapters.Part{Chat: ann, Text: "from " + number, Key: "k"}); err != nil {
			t.Error(err)
		}
		if got := person.Read(number, 0).Text; got != "from "+number {
			t.Errorf("got %q from %s", got, number)
		}
	}
}

// checkSecrets looks for codes and keys in what was logged and reported.
func (h *house) checkSecrets() {
	h.t.Helper()
	h.mu.Lock()
	shown := h.said.String() + strings.Join(h.reports, "\n")
	h.mu.Unlock()
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	for _, secret := range h.state.secrets {
		for _, part := range strings.FieldsFunc(secret, func(r rune) bool { return r == ',' || r == '#' }) {
			if len(part) >= 8 && strings.Contains(shown, part) && !strings.HasPrefix(part, "https:") {
				h.t.Errorf("%q is shown in:\n%s", part, shown)
			}
		}
	}
}
