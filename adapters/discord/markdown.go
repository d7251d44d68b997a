package discord

import (
	"regexp"
	"strings"
)

// address is a link as Discord finds it in plain text. Inside one, a backslash would become part of it.
var address = regexp.MustCompile(`https?://[^\s<]+`)

// special has a meaning anywhere in a line.
const special = "\\*_~`|<[]"

// escape makes text appear as it was typed: Discord reads messages as Markdown. It at most doubles the text.
func escape(text string) string {
	var b strings.Builder
	b.Grow(len(text) + len(text)/8)
	fresh := true // only blanks so far in this line
	for text != "" {
		link := address.FindStringIndex(text)
		if link == nil {
			link = []int{len(text), len(text)}
		}
		fresh = escapePlain(&b, text[:link[0]], fresh)
		if link[1] > link[0] {
			b.WriteString(text[link[0]:link[1]])
			fresh = false
		}
		text = text[link[1]:]
	}
	return b.String()
}

func escapePlain(b *strings.Builder, text string, fresh bool) bool {
	number := false // the line has only been digits
	for _, r := range text {
		switch {
		case r == '\n':
			fresh, number = true, false
			b.WriteRune(r)
			continue
		case strings.ContainsRune(special, r), fresh && strings.ContainsRune("#>-+", r), number && (r == '.' || r == ')'):
			b.WriteByte('\\')
		}
		number = r >= '0' && r <= '9' && (fresh || number)
		fresh = fresh && (r == ' ' || r == '\t')
		b.WriteRune(r)
	}
	return fresh
}
