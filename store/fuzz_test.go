package store_test

import (
	"strings"
	"testing"

	"parley/store"
)

// FuzzParseID holds that nothing but an id is taken for one, and that an id says all there is in it.
func FuzzParseID(f *testing.F) {
	for _, seed := range []string{"", "_", "msg_", store.NewID("msg"), "msg_00000000000000000000000000", "msg_zzzzzzzzzzzzzzzzzzzzzzzzzz", "ord_0il"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		bits, ok := store.ParseID(text)
		if !ok {
			return
		}
		prefix, _, _ := strings.Cut(text, "_")
		again, ok := store.ParseID(store.FormatID(prefix, bits))
		if !ok || again != bits {
			t.Errorf("%q holds %x, and written anew %x", text, bits, again)
		}
	})
}
