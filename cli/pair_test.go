package cli

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"rsc.io/qr"

	"parley/commerce"
	"parley/web"
)

func TestPairSaysWhatItCannotLink(t *testing.T) {
	shopConfig(t, testShop("sqlite://parley.db", ""))
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"an account that is not there", []string{"pair", "phone"}, 2, `no account "phone"`},
		{"an account that needs no phone", []string{"pair", "webchat"}, 1, "account webchat (webchat) needs no phone"},
		{"a number without its country", []string{"pair", "webchat", "-phone", "0151 23456789"}, 2, "with its country"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := parley(t, "", c.args...)
			if got.code != c.code || got.stdout != "" {
				t.Errorf("exit %d with stdout %q, want %d and nothing", got.code, got.stdout, c.code)
			}
			wantIn(t, "stderr", got.stderr, c.want)
		})
	}
}

func TestAQRIsDrawnForATerminalAsItIs(t *testing.T) {
	const text = "2@0123456789,abcdefghijklmnopqrstuvwxyz+/=,ABCDEFGHIJ"
	var b bytes.Buffer
	if err := printQR(&b, text); err != nil {
		t.Fatal(err)
	}
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	for i, line := range lines {
		line, coloured := strings.CutPrefix(line, "\x1b[38;5;16;48;5;231m")
		line, ended := strings.CutSuffix(line, "\x1b[0m")
		modules := []rune(line)
		if !coloured || !ended || len(modules) != code.Size+4 {
			t.Fatalf("line %d has %d modules, coloured %v; want %d", i, len(modules), coloured && ended, code.Size+4)
		}
		for j, r := range modules {
			x, y := j-2, 2*i-2
			if top, bottom := strings.ContainsRune("█▀", r), strings.ContainsRune("█▄", r); top != code.Black(x, y) || bottom != code.Black(x, y+1) {
				t.Fatalf("at %d,%d it is %q", x, y, r)
			}
		}
	}
	if want := (code.Size + 4 + 1) / 2; len(lines) != want {
		t.Errorf("%d lines, want %d", len(lines), want)
	}
}

// telephone is an account whose phone answers when the test says so.
type telephone struct {
	show   chan string
	answer chan error
}

func (p telephone) CanPair(commerce.MerchantID, string) bool { return true }

func (p telephone) Pair(ctx context.Context, _ commerce.MerchantID, _, _ string, show func(string)) error {
	for {
		select {
		case code := <-p.show:
			show(code)
		case err := <-p.answer:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func TestAPairingIsToldStepByStepAndEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phone := telephone{make(chan string), make(chan error)}
		told := 0
		p := &pairings{house: phone, log: slog.New(slog.DiscardHandler), under: map[string]*pairing{},
			tell: func(context.Context, commerce.MerchantID, string) error { told++; return nil }}
		want := func(s web.PairState) {
			t.Helper()
			synctest.Wait()
			got := p.State("phone")
			got.Number = 0
			if diff := cmp.Diff(s, got); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		}
		want(web.PairState{})
		p.Begin(1, "phone", "")
		want(web.PairState{Step: web.PairWaiting})
		phone.show <- "first"
		want(web.PairState{Step: web.PairCode, Code: "first"})
		phone.show <- "second"
		want(web.PairState{Step: web.PairCode, Code: "second"})
		p.Begin(1, "phone", "4915123456789") // instead: the first one ends, and says no more
		want(web.PairState{Step: web.PairWaiting, Typed: true})
		phone.show <- "ABCD-EFGH"
		want(web.PairState{Step: web.PairCode, Code: "ABCD-EFGH", Typed: true})
		phone.answer <- nil
		want(web.PairState{Step: web.PairLinked, Typed: true})
		if told != 4 {
			t.Errorf("pages were told %d times, want 4", told)
		}

		p.Begin(1, "phone", "")
		synctest.Wait()
		phone.answer <- errors.New("the phone said no")
		want(web.PairState{Step: web.PairFailed, Problem: "the phone said no"})
		p.Begin(1, "phone", "")
		phone.show <- "third"
		time.Sleep(pairingTime) // in the bubble, where it takes none
		want(web.PairState{})
		p.Begin(1, "phone", "")
		synctest.Wait()
		p.end("phone", "other")
		want(web.PairState{})
		p.Begin(1, "phone", "")
		p.close()
		p.Begin(1, "phone", "")
		want(web.PairState{})
	})
}
