package bots

import (
	"errors"
	"testing"
	"time"

	"parley/store"
)

func TestALinkTokenNamesWhatItWasMadeForAndNothingElse(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	old := LinkKeys{Current: 1, Keys: map[byte][]byte{1: make([]byte, 32)}}
	keys := LinkKeys{Current: 2, Keys: map[byte][]byte{1: make([]byte, 32), 2: []byte("0123456789abcdef0123456789abcdef")}}
	id := store.NewID("qte")
	bits, ok := store.ParseID(id)
	if !ok || store.FormatID("qte", bits) != id {
		t.Fatalf("%s does not survive as bits: %s", id, store.FormatID("qte", bits))
	}
	token := keys.sign(purposeBuy, 7, bits, now.Add(time.Hour))
	merchant, got, err := keys.verify(purposeBuy, token, now)
	if err != nil || merchant != 7 || got != bits {
		t.Fatalf("got merchant %d, %v, %v", merchant, got, err)
	}
	if _, _, err := keys.verify(purposeBuy, old.sign(purposeBuy, 7, bits, now.Add(time.Hour)), now); err != nil {
		t.Errorf("a token of the older key: %v", err)
	}
	if merchant, _, err := keys.verify(purposeBuy, token, now.Add(2*time.Hour)); !errors.Is(err, ErrLinkExpired) || merchant != 7 {
		t.Errorf("after its time: %v, want expired, and still ours", err)
	}
	if _, _, err := keys.verify('x', token, now); !errors.Is(err, ErrLinkForged) {
		t.Errorf("for another purpose: %v, want forged", err)
	}
	for i := range token {
		for _, c := range []byte{'A', 'B', '-', '=', ' '} {
			forged := []byte(token)
			if forged[i] == c {
				continue
			}
			forged[i] = c
			if _, _, err := keys.verify(purposeBuy, string(forged), now); !errors.Is(err, ErrLinkForged) {
				t.Fatalf("character %d changed to %q: %v, want forged", i, c, err)
			}
		}
	}
}

func FuzzVerifyNeverTakesWhatWasNotSigned(f *testing.F) {
	keys := LinkKeys{Current: 1, Keys: map[byte][]byte{1: []byte("0123456789abcdef0123456789abcdef")}}
	now := time.Unix(1_800_000_000, 0)
	token := keys.sign(purposeBuy, 1, [16]byte{1}, now.Add(time.Hour))
	f.Add(token)
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if _, _, err := keys.verify(purposeBuy, s, now); err == nil && s != token {
			t.Errorf("%q was taken", s)
		}
	})
}
