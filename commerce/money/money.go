// Package money has the one type for amounts: a whole number of minor units and an ISO 4217 currency. There are no floats,
// no silent conversions and no wrapping: what does not fit is an error.
//
// What does not belong here: reading amounts out of chat text (conversation/understand) and prices' rules (commerce).
package money

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Errors of arithmetic and reading; ask with errors.Is.
var (
	ErrMixed    = errors.New("amounts of two currencies")
	ErrOverflow = errors.New("amount too large")
	ErrSyntax   = errors.New("not an amount")
	ErrCurrency = errors.New("not a currency")
)

// Currency is an ISO 4217 code in upper case. The zero value is no currency.
type Currency string

// digits are the currencies whose minor unit is not a hundredth (ISO 4217 table A.1).
var digits = map[Currency]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "VND": 0,
	"VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0, "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

// ParseCurrency accepts three letters in any case.
func ParseCurrency(s string) (Currency, error) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if len(s) != 3 {
		return "", fmt.Errorf("%w: %q", ErrCurrency, s)
	}
	for _, r := range s {
		if r < 'A' || r > 'Z' {
			return "", fmt.Errorf("%w: %q", ErrCurrency, s)
		}
	}
	return Currency(s), nil
}

// Digits is how many decimals the currency has: 2 for EUR, 0 for JPY, 3 for KWD.
func (c Currency) Digits() int {
	if n, ok := digits[c]; ok {
		return n
	}
	return 2
}

// Amount is an amount of money. The zero Amount is nothing in no currency; adding it to any amount changes nothing.
type Amount struct {
	Minor    int64
	Currency Currency
}

// New is an amount of minor units: New(1299, "EUR") is €12.99.
func New(minor int64, c Currency) Amount { return Amount{Minor: minor, Currency: c} }

// IsZero says that there is nothing, in whatever currency.
func (a Amount) IsZero() bool { return a.Minor == 0 }

func (a Amount) same(b Amount) (Currency, error) {
	switch {
	case a == Amount{}:
		return b.Currency, nil
	case b == Amount{} || a.Currency == b.Currency:
		return a.Currency, nil
	}
	return "", fmt.Errorf("%w: %s and %s", ErrMixed, a.Currency, b.Currency)
}

// Add refuses two currencies and overflow.
func (a Amount) Add(b Amount) (Amount, error) {
	c, err := a.same(b)
	if err != nil {
		return Amount{}, err
	}
	sum := a.Minor + b.Minor
	if (sum > a.Minor) != (b.Minor > 0) && b.Minor != 0 {
		return Amount{}, ErrOverflow
	}
	return Amount{sum, c}, nil
}

// Times is the price of n pieces.
func (a Amount) Times(n int) (Amount, error) {
	neg := (a.Minor < 0) != (n < 0)
	hi, lo := bits.Mul64(abs(a.Minor), abs(int64(n)))
	if neg && hi == 0 && lo <= 1<<63 {
		return Amount{int64(-lo), a.Currency}, nil
	}
	if hi != 0 || lo > 1<<63-1 {
		return Amount{}, ErrOverflow
	}
	return Amount{int64(lo), a.Currency}, nil
}

func abs(n int64) uint64 {
	if n < 0 {
		return uint64(-(n + 1)) + 1
	}
	return uint64(n)
}

// Compare is -1, 0 or 1. Two currencies cannot be compared.
func (a Amount) Compare(b Amount) (int, error) {
	if _, err := a.same(b); err != nil {
		return 0, err
	}
	switch {
	case a.Minor < b.Minor:
		return -1, nil
	case a.Minor > b.Minor:
		return 1, nil
	}
	return 0, nil
}

// Decimal is the number alone, with a point and all digits: "12.99".
func (a Amount) Decimal() string {
	n := a.Currency.Digits()
	s := strconv.FormatUint(abs(a.Minor), 10)
	if n > 0 {
		for len(s) <= n {
			s = "0" + s
		}
		s = s[:len(s)-n] + "." + s[len(s)-n:]
	}
	if a.Minor < 0 {
		s = "-" + s
	}
	return s
}

// String is the canonical form, which Parse reads back: "12.99 EUR". Without a currency it is the number alone.
func (a Amount) String() string {
	if a.Currency == "" {
		return a.Decimal()
	}
	return a.Decimal() + " " + string(a.Currency)
}

// Parse reads the canonical form: a decimal with a point and at most the currency's digits, a space, the currency; or the
// number alone, which gives an Amount without a currency in hundredths. It is for stored values, not for what people type.
func Parse(s string) (Amount, error) {
	number, code, found := strings.Cut(s, " ")
	var c Currency
	if found {
		var err error
		if c, err = ParseCurrency(code); err != nil {
			return Amount{}, err
		}
	}
	return ParseDecimal(number, c)
}

// ParseDecimal reads "12.99" or "12" as an amount of a currency. More decimals than the currency has are refused.
func ParseDecimal(s string, c Currency) (Amount, error) {
	bad := func() error { return fmt.Errorf("%w: %q", ErrSyntax, s) }
	digits, neg := strings.CutPrefix(s, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if whole == "" || point && fraction == "" || len(fraction) > c.Digits() {
		return Amount{}, bad()
	}
	all := whole + fraction + strings.Repeat("0", c.Digits()-len(fraction))
	for _, r := range all {
		if r < '0' || r > '9' {
			return Amount{}, bad()
		}
	}
	if neg {
		all = "-" + all
	}
	minor, err := strconv.ParseInt(all, 10, 64)
	if err != nil {
		return Amount{}, fmt.Errorf("%w: %q", ErrOverflow, s)
	}
	return Amount{minor, c}, nil
}

// symbols are shown before the number in English and behind it in German.
var symbols = map[Currency]string{"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CHF": "CHF"}

// Format is the amount as a person of that language reads it: "€1,234.50" in English, "1.234,50 €" in German.
func (a Amount) Format(language string) string {
	number := a.Decimal()
	number, neg := strings.CutPrefix(number, "-")
	whole, fraction, point := strings.Cut(number, ".")
	group, decimal := ",", "."
	german := strings.HasPrefix(language, "de")
	if german {
		group, decimal = ".", ","
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + group + whole[i:]
	}
	if point {
		whole += decimal + fraction
	}
	sign := ""
	if neg {
		sign = "-"
	}
	symbol, ok := symbols[a.Currency]
	switch {
	case a.Currency == "":
		return sign + whole
	case german && ok:
		return sign + whole + "\u00a0" + symbol
	case german || !ok || len(symbol) == 3 && symbol == string(a.Currency):
		return sign + whole + "\u00a0" + string(a.Currency)
	}
	return sign + symbol + whole
}

type wire struct {
	Amount   json.RawMessage `json:"amount"`
	Currency string          `json:"currency"`
}

// MarshalJSON writes {"amount":1299,"currency":"EUR"}, in minor units.
func (a Amount) MarshalJSON() ([]byte, error) {
	return json.Marshal(wire{strconv.AppendInt(nil, a.Minor, 10), string(a.Currency)})
}

// UnmarshalJSON refuses fractions, strings and a missing or unknown currency.
func (a *Amount) UnmarshalJSON(b []byte) error {
	var w wire
	if err := json.Unmarshal(b, &w); err != nil {
		return fmt.Errorf(`%w: want {"amount": minor units, "currency": "EUR"}`, ErrSyntax)
	}
	if w.Amount == nil || string(w.Amount) == "null" {
		return fmt.Errorf("%w: amount is missing", ErrSyntax)
	}
	minor, err := strconv.ParseInt(string(w.Amount), 10, 64)
	if err != nil {
		return fmt.Errorf("%w: amount %s is not a whole number of minor units", ErrSyntax, w.Amount)
	}
	c, err := ParseCurrency(w.Currency)
	if err != nil {
		return err
	}
	*a = Amount{minor, c}
	return nil
}
