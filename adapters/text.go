package adapters

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text that a stranger typed safe to store and show: it drops control characters other than line breaks
// and tabs, mends invalid UTF-8, writes every line break as \n and trims the ends. Nothing visible is lost.
func Clean(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, text)
	return strings.TrimSpace(text)
}

// gsm7 is the basic character set of GSM 03.38, gsm7Extended what costs a second septet for the escape.
const (
	gsm7 = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsm7Extended = "\f^{}\\[~]|€"
)

// Count is how long text is to a network that counts in u.
func (u Unit) Count(text string) int {
	switch u {
	case Bytes:
		return len(text)
	case UTF16:
		return utf16Units(text)
	case GSM7:
		septets := 0
		for _, r := range text {
			switch {
			case strings.ContainsRune(gsm7, r):
				septets++
			case strings.ContainsRune(gsm7Extended, r):
				septets += 2
			default:
				return utf16Units(text)
			}
		}
		return septets
	default:
		return utf8.RuneCountInString(text)
	}
}

func utf16Units(text string) int {
	n := 0
	for _, r := range text {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}
