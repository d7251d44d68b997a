package understand

import (
	"math"
	"strings"

	"parley/commerce/money"
)

// numeral is an exact number: units divided by ten to the power of decimals.
type numeral struct {
	units    int64
	decimals int
	unsure   bool // written so that it could be two numbers
	soft     bool // "one", "ein": a number only where a number is looked for
	words    bool // spelt out
}

// numeralOf reads digits with their signs. group is the sign that the language groups thousands with, zero when the
// language is not known. It is false for what is no number at all, such as a date.
func numeralOf(text string, group rune) (numeral, bool) {
	var n numeral
	whole, fraction := text, ""
	dots, commas := strings.Count(text, "."), strings.Count(text, ",")
	last := strings.LastIndexAny(text, ".,")
	apart := strings.ContainsAny(text, "' \u00a0")
	switch {
	case dots+commas == 0:
		n.unsure = strings.Contains(text, " ")
	case dots > 0 && commas > 0, apart && dots+commas == 1:
		if strings.ContainsRune(text[last+1:], rune(text[last])) || strings.Count(text, text[last:last+1]) > 1 {
			return n, false
		}
		whole, fraction = text[:last], text[last+1:]
		if strings.ContainsAny(fraction, "' \u00a0") {
			return n, false
		}
	case dots+commas == 1:
		first := text[:last]
		switch {
		case len(text)-last-1 != 3 || len(first) > 3 || first[0] == '0':
			whole, fraction = first, text[last+1:]
		case rune(text[last]) != group:
			n.unsure = true
		}
	}
	if !grouped(whole) || len(whole) > 1 && whole[0] == '0' {
		return n, false
	}
	digits := strings.Map(func(r rune) rune {
		if isDigit(r) {
			return r
		}
		return -1
	}, whole+fraction)
	if len(digits) > 15 {
		return n, false
	}
	for _, r := range digits {
		n.units = n.units*10 + int64(r-'0')
	}
	n.decimals = len(fraction)
	return n, true
}

// grouped says whether digits are grouped by threes with one sign, or in the Indian way (12,34,567), or not at all.
func grouped(whole string) bool {
	at := strings.IndexFunc(whole, func(r rune) bool { return !isDigit(r) })
	if at < 0 {
		return whole != ""
	}
	sign := []rune(whole[at:])[0]
	parts := strings.Split(strings.ReplaceAll(whole, "\u00a0", " "), strings.ReplaceAll(string(sign), "\u00a0", " "))
	middle := len(parts[1])
	for i, p := range parts {
		if strings.ContainsFunc(p, func(r rune) bool { return !isDigit(r) }) {
			return false
		}
		switch {
		case i == 0 && (p == "" || len(p) > middle),
			i == len(parts)-1 && len(p) != 3,
			i > 0 && i < len(parts)-1 && len(p) != middle:
			return false
		}
	}
	return middle == 3 || middle == 2 && sign == ','
}

// times multiplies by a scale such as a thousand.
func (n numeral) times(scale int64) (numeral, bool) {
	for scale%10 == 0 && n.decimals > 0 {
		scale /= 10
		n.decimals--
	}
	if n.units > math.MaxInt64/scale {
		return n, false
	}
	n.units *= scale
	n.soft = false
	return n, true
}

// whole is the number if it has no fraction.
func (n numeral) whole() (int64, bool) {
	d := n.units
	for range n.decimals {
		if d%10 != 0 {
			return 0, false
		}
		d /= 10
	}
	return d, true
}

// minor is the number as minor units of a currency, or of its hundredths when cents are named. It is false when that is
// not a whole number of them: nothing is rounded.
func (n numeral) minor(c money.Currency, cents bool) (int64, bool) {
	digits := c.Digits()
	if cents {
		if digits != 2 {
			return 0, false
		}
		digits = 0
	}
	v := n.units
	for d := n.decimals; d > digits; d-- {
		if v%10 != 0 {
			return 0, false
		}
		v /= 10
	}
	for d := n.decimals; d < digits; d++ {
		if v > math.MaxInt64/10 {
			return 0, false
		}
		v *= 10
	}
	return v, true
}
