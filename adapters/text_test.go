package adapters

import "testing"

func TestCleanDropsControlsAndKeepsWhatIsSeen(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "hello", "hello"},
		{"nul and bell", "a\x00b\x07c", "abc"},
		{"escape sequence", "\x1b[31mred", "[31mred"},
		{"C1 control", "a\u0085b", "ab"},
		{"line breaks", "a\r\nb\rc\nd\te", "a\nb\nc\nd\te"},
		{"ends", " \n hi \t", "hi"},
		{"invalid UTF-8", "a\xffb", "a\uFFFDb"},
		{"emoji of several runes", "👩‍👩‍👧 ok", "👩‍👩‍👧 ok"},
		{"markup is text", "*a* <b> [c](d)", "*a* <b> [c](d)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Clean(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEachUnitCountsAsItsNetworkDoes(t *testing.T) {
	tests := []struct {
		text                       string
		runes, utf16, bytes, gsm16 int
	}{
		{"", 0, 0, 0, 0},
		{"abc", 3, 3, 3, 3},
		{"10 €", 4, 4, 6, 5},
		{"Größe", 5, 5, 7, 5},
		{"价格", 2, 2, 6, 2},
		{"👍", 1, 2, 4, 2},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got := [4]int{Runes.Count(tt.text), UTF16.Count(tt.text), Bytes.Count(tt.text), GSM7.Count(tt.text)}
			if want := [4]int{tt.runes, tt.utf16, tt.bytes, tt.gsm16}; got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}
