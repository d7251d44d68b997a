package money

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFormatWritesAmountsAsPeopleReadThem(t *testing.T) {
	for _, c := range []struct {
		amount Amount
		en, de string
	}{
		{New(0, "EUR"), "€0.00", "0,00\u00a0€"},
		{New(5, "EUR"), "€0.05", "0,05\u00a0€"},
		{New(3550, "EUR"), "€35.50", "35,50\u00a0€"},
		{New(99999, "EUR"), "€999.99", "999,99\u00a0€"},
		{New(123450, "EUR"), "€1,234.50", "1.234,50\u00a0€"},
		{New(123456789012, "EUR"), "€1,234,567,890.12", "1.234.567.890,12\u00a0€"},
		{New(-123450, "EUR"), "-€1,234.50", "-1.234,50\u00a0€"},
		{New(1500, "USD"), "$15.00", "15,00\u00a0$"},
		{New(1500, "GBP"), "£15.00", "15,00\u00a0£"},
		{New(1500, "JPY"), "¥1,500", "1.500\u00a0¥"},
		{New(123450, "CHF"), "1,234.50\u00a0CHF", "1.234,50\u00a0CHF"},
		{New(1234500, "KWD"), "1,234.500\u00a0KWD", "1.234,500\u00a0KWD"},
		{New(1500, "SEK"), "15.00\u00a0SEK", "15,00\u00a0SEK"},
		{New(1500, ""), "15.00", "15,00"},
		{New(math.MinInt64, "EUR"), "-€92,233,720,368,547,758.08", "-92.233.720.368.547.758,08\u00a0€"},
	} {
		for language, want := range map[string]string{"en": c.en, "de": c.de, "de-AT": c.de, "": c.en} {
			if got := c.amount.Format(language); got != want {
				t.Errorf("%s in %q is %q, want %q", c.amount, language, got, want)
			}
		}
	}
}

func TestAddRefusesMixedCurrenciesAndOverflow(t *testing.T) {
	for _, c := range []struct {
		name       string
		a, b, want Amount
		err        error
	}{
		{"one currency", New(1299, "EUR"), New(1, "EUR"), New(1300, "EUR"), nil},
		{"nothing before", Amount{}, New(1, "EUR"), New(1, "EUR"), nil},
		{"nothing behind", New(1, "EUR"), Amount{}, New(1, "EUR"), nil},
		{"below zero", New(1, "EUR"), New(-2, "EUR"), New(-1, "EUR"), nil},
		{"two currencies", New(1, "EUR"), New(1, "USD"), Amount{}, ErrMixed},
		{"zero of another currency", New(1, "EUR"), New(0, "USD"), Amount{}, ErrMixed},
		{"too much", New(math.MaxInt64, "EUR"), New(1, "EUR"), Amount{}, ErrOverflow},
		{"too little", New(math.MinInt64, "EUR"), New(-1, "EUR"), Amount{}, ErrOverflow},
		{"the most", New(math.MaxInt64-1, "EUR"), New(1, "EUR"), New(math.MaxInt64, "EUR"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.a.Add(c.b)
			if !errors.Is(err, c.err) || got != c.want {
				t.Errorf("got %v, %v; want %v, %v", got, err, c.want, c.err)
			}
		})
	}
}

func TestTimesNeverWraps(t *testing.T) {
	numbers := []int64{0, 1, -1, 2, -2, 3, 1299, -1299, 1 << 31, 1 << 32, -1 << 32, 3037000500, math.MaxInt64, math.MinInt64, math.MaxInt64 / 2, math.MinInt64 / 2}
	for _, a := range numbers {
		for _, n := range numbers {
			got, err := New(a, "EUR").Times(int(n))
			want := new(big.Int).Mul(big.NewInt(a), big.NewInt(n))
			switch {
			case err == nil && (want.Cmp(big.NewInt(got.Minor)) != 0 || got.Currency != "EUR"):
				t.Errorf("%d × %d is %v", a, n, got)
			case err != nil && (!errors.Is(err, ErrOverflow) || want.IsInt64()):
				t.Errorf("%d × %d: %v, want %v", a, n, err, want)
			}
		}
	}
}

func TestCompareRefusesTwoCurrencies(t *testing.T) {
	if _, err := New(1, "EUR").Compare(New(1, "USD")); !errors.Is(err, ErrMixed) {
		t.Errorf("got %v, want ErrMixed", err)
	}
	for _, c := range []struct {
		a, b int64
		want int
	}{{1, 2, -1}, {2, 2, 0}, {3, 2, 1}, {math.MinInt64, math.MaxInt64, -1}} {
		if got, err := New(c.a, "EUR").Compare(New(c.b, "EUR")); got != c.want || err != nil {
			t.Errorf("%d and %d compare as %d, %v; want %d", c.a, c.b, got, err, c.want)
		}
	}
}

func TestParseReadsOnlyTheCanonicalForm(t *testing.T) {
	for s, want := range map[string]Amount{
		"12.99 EUR": New(1299, "EUR"), "12 EUR": New(1200, "EUR"), "12.9 EUR": New(1290, "EUR"), "-0.05 EUR": New(-5, "EUR"), "1500 JPY": New(1500, "JPY"),
		"1.234 KWD": New(1234, "KWD"), "12.99": New(1299, ""), "0 EUR": New(0, "EUR"), "12 eur": New(1200, "EUR"),
		"92233720368547758.07 EUR": New(math.MaxInt64, "EUR"), "-92233720368547758.08 EUR": New(math.MinInt64, "EUR"),
	} {
		if got, err := Parse(s); err != nil || got != want {
			t.Errorf("%q is %v, %v; want %v", s, got, err, want)
		}
	}
	for s, want := range map[string]error{
		"": ErrSyntax, "EUR": ErrSyntax, "12,99 EUR": ErrSyntax, "12.999 EUR": ErrSyntax, "1.5 JPY": ErrSyntax, ".5 EUR": ErrSyntax, "5. EUR": ErrSyntax, "+5 EUR": ErrSyntax,
		"--5 EUR": ErrSyntax, "1_000 EUR": ErrSyntax, "1e3 EUR": ErrSyntax, "٢٥ EUR": ErrSyntax, " 5 EUR": ErrCurrency, "5 EURO": ErrCurrency, "5 €": ErrCurrency, "5 ": ErrCurrency,
		"92233720368547758.08 EUR": ErrOverflow, "99999999999999999999 EUR": ErrOverflow,
	} {
		if got, err := Parse(s); !errors.Is(err, want) || got != (Amount{}) {
			t.Errorf("%q is %v, %v; want %v", s, got, err, want)
		}
	}
}

func TestJSONKeepsAmountsWhole(t *testing.T) {
	type product struct {
		Price Amount  `json:"price"`
		Floor *Amount `json:"floor,omitempty"`
	}
	floor := New(math.MaxInt64, "EUR")
	want := product{Price: New(1299, "EUR"), Floor: &floor}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if text := `{"price":{"amount":1299,"currency":"EUR"},"floor":{"amount":9223372036854775807,"currency":"EUR"}}`; string(b) != text {
		t.Errorf("got %s, want %s", b, text)
	}
	var got product
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestJSONRefusesWhatIsNoAmount(t *testing.T) {
	for s, want := range map[string]error{
		`{"amount":12.99,"currency":"EUR"}`: ErrSyntax, `{"amount":"1299","currency":"EUR"}`: ErrSyntax, `{"currency":"EUR"}`: ErrSyntax, `{"amount":null,"currency":"EUR"}`: ErrSyntax,
		`{"amount":1e2,"currency":"EUR"}`: ErrSyntax, `{"amount":99999999999999999999,"currency":"EUR"}`: ErrSyntax, `1299`: ErrSyntax, `"12.99 EUR"`: ErrSyntax, `[]`: ErrSyntax,
		`{"amount":1299}`: ErrCurrency, `{"amount":1299,"currency":"€"}`: ErrCurrency, `{"amount":1299,"currency":"EURO"}`: ErrCurrency, `null`: ErrSyntax,
	} {
		got := New(7, "USD")
		if err := json.Unmarshal([]byte(s), &got); !errors.Is(err, want) || got != New(7, "USD") {
			t.Errorf("%s is %v, %v; want %v and nothing changed", s, got, err, want)
		}
	}
}

// FuzzParse checks that whatever Parse accepts, String writes back and Parse reads again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"12.99 EUR", "-0.05 USD", "1500 JPY", "1.234 KWD", "12", "", "x", "92233720368547758.08 EUR", "-92233720368547758.08 EUR", "0005 eur", "-0 EUR", "1 EUR EUR"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := Parse(s)
		if err != nil {
			if a != (Amount{}) || !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrOverflow) && !errors.Is(err, ErrCurrency) {
				t.Errorf("%q: %v, %v", s, a, err)
			}
			return
		}
		if again, err := Parse(a.String()); err != nil || again != a {
			t.Errorf("%q is %v, which is read as %v, %v", s, a, again, err)
		}
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var back Amount
		if err := json.Unmarshal(b, &back); a.Currency != "" && (err != nil || back != a) {
			t.Errorf("%s is read as %v, %v", b, back, err)
		}
		a.Format("de")
	})
}
