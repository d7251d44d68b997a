package web

import (
	"strings"

	"parley/commerce/money"
)

// amountTyped reads an amount as people type it into a form: "17,50", "17.5", "€17.50", "1.234,50 EUR". A mark before three
// last digits groups thousands; any other divides off the cents. The problem is the key of a text, "" when there is none.
func amountTyped(typed string, c money.Currency) (amount money.Amount, problem string) {
	number, problem := withoutCurrency(typed, c)
	if problem != "" {
		return money.Amount{}, problem
	}
	whole, fraction := number, ""
	if i := strings.LastIndexAny(number, ".,"); i >= 0 {
		mark := number[i : i+1]
		grouping := len(number)-i-1 == 3 && c.Digits() != 3 && !strings.ContainsAny(strings.ReplaceAll(number[:i], mark, ""), ".,")
		if !grouping {
			whole, fraction = number[:i], number[i+1:]
			if fraction == "" || strings.Contains(whole, mark) {
				return money.Amount{}, "wrong.amount"
			}
		}
	}
	groups := strings.FieldsFunc(whole, func(r rune) bool { return r == '.' || r == ',' || r == '\'' || r == ' ' })
	for i, g := range groups {
		if i > 0 && len(g) != 3 || i == 0 && len(groups) > 1 && len(g) > 3 {
			return money.Amount{}, "wrong.amount"
		}
	}
	text := strings.Join(groups, "")
	if fraction != "" {
		text += "." + fraction
	}
	amount, err := money.ParseDecimal(text, c)
	if err != nil {
		return money.Amount{}, "wrong.amount"
	}
	if amount.Minor <= 0 {
		return money.Amount{}, "wrong.positive"
	}
	return amount, ""
}

var signs = map[string]money.Currency{"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "fr.": "CHF", "euro": "EUR", "euros": "EUR"}

// withoutCurrency takes a currency off either end. Any other than c is a problem.
func withoutCurrency(typed string, c money.Currency) (number, problem string) {
	isNumber := func(r rune) bool { return r >= '0' && r <= '9' || strings.ContainsRune(".,-' ", r) }
	first := strings.IndexFunc(typed, func(r rune) bool { return r >= '0' && r <= '9' || r == '-' })
	if first < 0 {
		return "", "wrong.amount"
	}
	end := first
	for end < len(typed) && isNumber(rune(typed[end])) {
		end++
	}
	for _, word := range []string{typed[:first], typed[end:]} {
		word = strings.TrimSpace(word)
		if word == "" {
			continue
		}
		named, ok := signs[strings.ToLower(word)]
		if !ok {
			var err error
			if named, err = money.ParseCurrency(word); err != nil {
				return "", "wrong.amount"
			}
		}
		if named != c {
			return "", "wrong.currency"
		}
	}
	return strings.TrimSpace(typed[first:end]), ""
}
