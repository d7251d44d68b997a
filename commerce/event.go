package commerce

import (
	"slices"
	"strconv"
	"strings"

	"parley/commerce/money"
)

// The events that a shopper can watch for.
const (
	PriceBelow  = "price_below"
	BackInStock = "back_in_stock"
)

// Words is one text in several languages, by language code.
type Words map[string]string

// In is the text in a language, or in English where there is none.
func (w Words) In(language string) string {
	if s, ok := w[language]; ok {
		return s
	}
	return w["en"]
}

// FieldType is what a field of an event takes.
type FieldType string

const (
	AmountField FieldType = "amount" // in the product's currency: "17.20 EUR", or "17.20"
	CountField  FieldType = "count"  // a whole number from 1
	TextField   FieldType = "text"
	BoolField   FieldType = "bool" // "true" or ""
)

// FieldSpec is one field that the form of an event asks for.
type FieldSpec struct {
	Name     string
	Type     FieldType
	Label    Words
	Required bool
}

// EventSpec describes an event: its form, what is checked, and what the API lists.
type EventSpec struct {
	Name   string
	Title  Words // as the shopper picks it
	Fires  Words // when the shopper is told
	Fields []FieldSpec
}

// Events are those that can be watched, in the order in which a form shows them.
func Events() []EventSpec {
	return []EventSpec{
		{
			Name:  PriceBelow,
			Title: Words{"en": "The price falls", "de": "Der Preis fällt"},
			Fires: Words{"en": "when it costs your price or less and can be bought", "de": "sobald es höchstens Ihren Preis kostet und lieferbar ist"},
			Fields: []FieldSpec{
				{Name: "threshold", Type: AmountField, Required: true, Label: Words{"en": "Your price", "de": "Ihr Preis"}},
			},
		},
		{
			Name:  BackInStock,
			Title: Words{"en": "It is back in stock", "de": "Es ist wieder da"},
			Fires: Words{"en": "when it can be bought again", "de": "sobald es wieder lieferbar ist"},
			Fields: []FieldSpec{
				{Name: "quantity", Type: CountField, Label: Words{"en": "How many you need", "de": "Wie viele Sie brauchen"}},
			},
		},
	}
}

// FindEvent is the event of that name.
func FindEvent(name string) (EventSpec, bool) {
	all := Events()
	i := slices.IndexFunc(all, func(e EventSpec) bool { return e.Name == name })
	if i < 0 {
		return EventSpec{}, false
	}
	return all[i], true
}

// maxText is the longest text field; maxQuantity the most pieces of one order, offer or watch.
const (
	maxText     = 500
	maxQuantity = 999
)

// Check reads the fields that a form gave into their canonical form, and refuses what the event does not declare. Amounts
// are checked against the currency c.
func (e EventSpec) Check(given map[string]string, c money.Currency) (map[string]string, error) {
	fields := map[string]string{}
	for _, f := range e.Fields {
		value := strings.TrimSpace(given[f.Name])
		if value == "" {
			if f.Required {
				return nil, invalid(f.Name, "%s needs this field", e.Name)
			}
			continue
		}
		var err error
		if fields[f.Name], err = f.canonical(value, c); err != nil {
			return nil, err
		}
	}
	for name, value := range given {
		declared := slices.ContainsFunc(e.Fields, func(f FieldSpec) bool { return f.Name == name })
		if !declared && value != "" {
			return nil, invalid(name, "%s has no such field", e.Name)
		}
	}
	return fields, nil
}

func (f FieldSpec) canonical(value string, c money.Currency) (string, error) {
	switch f.Type {
	case AmountField:
		number, code, _ := strings.Cut(value, " ")
		if code != "" && code != string(c) {
			return "", invalid(f.Name, "the amount must be in %s, the currency of this product, not in %s", c, code)
		}
		if i := strings.IndexByte(number, ','); i >= 0 && i == len(number)-1-c.Digits() { // 17,20 as German forms have it
			number = number[:i] + "." + number[i+1:]
		}
		a, err := money.ParseDecimal(number, c)
		if err != nil {
			return "", invalid(f.Name, "%q is not an amount like 12.50", value)
		}
		if err := checkAmount(f.Name, a, c, 1); err != nil {
			return "", err
		}
		return a.String(), nil
	case CountField:
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > maxQuantity {
			return "", invalid(f.Name, "%q is not a whole number from 1 to %d", value, maxQuantity)
		}
		return strconv.Itoa(n), nil
	case BoolField:
		if value != "true" && value != "false" {
			return "", invalid(f.Name, "%q is neither true nor false", value)
		}
		return strings.TrimPrefix(value, "false"), nil
	}
	return value, checkTextField(f.Name, value)
}

// checkTextField keeps the interface nil when there is nothing to complain of.
func checkTextField(name, value string) error { return checkText(name, value, maxText, "\n\r\t") }
