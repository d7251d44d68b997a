package bots

import (
	"strings"
	"unicode/utf16"
)

// The default alphabet of GSM 03.38 (3GPP TS 23.038, 6.2.1): one septet each, and two for its extension table.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmTwice = "^{}\\[~]|€\f"
)

// septets is what a character costs in the default alphabet; 0 when it is not in it.
func septets(r rune) int {
	switch {
	case strings.ContainsRune(gsmBasic, r):
		return 1
	case strings.ContainsRune(gsmTwice, r):
		return 2
	}
	return 0
}

// measureGSM counts septets, or, as soon as one character is outside the alphabet and the whole message goes out in UCS-2,
// 16-bit units at the price of 160 septets to 70 units.
func measureGSM(runes []rune) int {
	n, wide := 0, 0
	plain := true
	for _, r := range runes {
		s := septets(r)
		plain = plain && s > 0
		n += s
		wide += utf16.RuneLen(r)
	}
	if plain {
		return n
	}
	return (wide*160 + 69) / 70
}

// fittingGSM is how many runes from the front fit. It is not monotone in single runes: the first wide one re-prices all.
func fittingGSM(runes []rune, limit int) int {
	n, wide, fit := 0, 0, 0
	plain := true
	for i, r := range runes {
		s := septets(r)
		plain = plain && s > 0
		n += s
		wide += utf16.RuneLen(r)
		cost := n
		if !plain {
			cost = (wide*160 + 69) / 70
		}
		if cost > limit {
			break
		}
		fit = i + 1
	}
	return max(fit, 1)
}
