package bots

import "testing"

// FuzzReadChoice holds that what a network carries for a button is read as it was written, and anything else as no button of ours or
// as one that has its place.
func FuzzReadChoice(f *testing.F) {
	for _, seed := range []string{"", ":", "msg_1:0", "msg_1:-1", "msg_1:99999999999999999999", "a:b:1", "msg_1:+3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		message, index := readChoice(value)
		if index < 0 || message == "" && index != 0 {
			t.Fatalf("%q is choice %d of %q", value, index, message)
		}
		if message == "" {
			return
		}
		if again, n := readChoice(choiceValue(message, index)); again != message || n != index {
			t.Errorf("%q is choice %d of %q, and written anew choice %d of %q", value, index, message, n, again)
		}
	})
}
