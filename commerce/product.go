package commerce

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/commerce/money"
)

// Product is one thing for sale.
type Product struct {
	Merchant MerchantID
	Key      int64
	SKU      string

	Title       string
	Description string
	URL, Image  string // absolute, or a path on the shop's own site; "" for none

	Price    money.Amount
	WasPrice money.Amount // the price before the latest change; zero when it never changed
	// Floor and AutoAccept are the limits of haggling: secret, zero where the policy's percentages hold.
	Floor, AutoAccept money.Amount

	OnHand, Held int // pieces in the shop, and those of them that orders wait for
	Wave         Wave
	Version      int64
	Created      time.Time
	Changed      time.Time
}

// Available is how many pieces can be bought now.
func (p Product) Available() int { return p.OnHand - p.Held }

// Movement is one counted change of a product's stock.
type Movement struct {
	Merchant MerchantID
	Product  int64
	OnHand   int    // added to on_hand
	Held     int    // added to held
	Cause    string // set, hold, release, sold, returned
	Order    int64  // 0 when no order is behind it
	At       time.Time
}

// ProductChange is what a merchant or their shop system says about a product. A nil field leaves things as they are; a new
// product needs title and price.
type ProductChange struct {
	SKU                            string
	Title, Description, URL, Image *string
	Price                          *money.Amount
	Stock                          *int          // the figure available, without what orders hold
	Floor, AutoAccept              *money.Amount // an amount of 0 takes the limit away
}

// The bounds of what a product may be. With them no total of an order can overflow.
const (
	maxPrice       = 1_000_000_000_000 // minor units
	maxStock       = 1_000_000_000
	maxSKU         = 64
	maxTitle       = 200
	maxDescription = 10_000
	maxURL         = 2_000
)

// PutProduct creates or changes a product and fires the watches that the change concerns. A refused value is an *Invalid,
// and nothing is changed.
func PutProduct(ctx context.Context, tx Tx, merchant MerchantID, c ProductChange, policy Policy, now time.Time) (Product, []Occurrence, error) {
	if err := c.check(policy); err != nil {
		return Product{}, nil, err
	}
	before, err := tx.LockProduct(ctx, merchant, c.SKU)
	created := errors.Is(err, ErrNotFound)
	if err != nil && !created {
		return Product{}, nil, fmt.Errorf("put product %s: %w", c.SKU, err)
	}
	p, err := c.apply(before)
	if err != nil {
		return Product{}, nil, err
	}
	p.Merchant, p.Changed = merchant, now
	if created {
		p.Created = now
		if err := tx.AddProduct(ctx, &p); err != nil {
			return Product{}, nil, fmt.Errorf("put product %s: %w", c.SKU, err)
		}
	}
	moved, err := setStock(ctx, tx, &p, c.Stock, now)
	if err != nil {
		return Product{}, nil, err
	}
	if !created && !moved && same(before, p) {
		return before, nil, nil
	}
	if err := savePut(ctx, tx, before, &p, created, now); err != nil {
		return Product{}, nil, fmt.Errorf("put product %s: %w", c.SKU, err)
	}
	raised, err := detect(ctx, tx, p, now)
	return p, raised, err
}

// same says whether a change left everything but the stock as it was.
func same(before, after Product) bool {
	after.Changed, after.OnHand, after.Held = before.Changed, before.OnHand, before.Held
	return before == after
}

func savePut(ctx context.Context, tx Tx, before Product, p *Product, created bool, now time.Time) error {
	repriced := before.Price != p.Price
	if repriced && before.Price.Currency == p.Price.Currency {
		p.WasPrice = before.Price
	}
	if !created {
		p.Version++
		if err := tx.SaveProduct(ctx, *p); err != nil {
			return err
		}
	}
	if repriced {
		if err := tx.AddPrice(ctx, *p, now); err != nil {
			return err
		}
	}
	kind := "product_changed"
	if created {
		kind = "product_created"
	}
	return tx.Event(ctx, p.Merchant, kind, p.SKU, map[string]any{
		"price": p.Price, "was_price": p.WasPrice.Minor, "stock": p.Available(), "version": p.Version,
	})
}

// setStock makes figure the number available. The held pieces stay held.
func setStock(ctx context.Context, tx Tx, p *Product, figure *int, now time.Time) (bool, error) {
	if figure == nil || *figure == p.Available() {
		return false, nil
	}
	m := Movement{Merchant: p.Merchant, Product: p.Key, OnHand: *figure - p.Available(), Cause: "set", At: now}
	ok, err := tx.MoveStock(ctx, m)
	if err != nil {
		return false, fmt.Errorf("set stock of %s: %w", p.SKU, err)
	}
	if !ok {
		return false, fmt.Errorf("set stock of %s to %d: %w", p.SKU, *figure, ErrConflict)
	}
	p.OnHand += m.OnHand
	return true, nil
}

// check judges what can be judged without the product as it is.
func (c ProductChange) check(policy Policy) error {
	if err := checkText("sku", c.SKU, maxSKU, ""); err != nil {
		return err
	}
	if strings.TrimSpace(c.SKU) != c.SKU || c.SKU == "" {
		return invalid("sku", "an article number is needed, without spaces around it")
	}
	for _, t := range []struct {
		field, layout string
		value         *string
		max           int
	}{{"title", "", c.Title, maxTitle}, {"description", "\n\r\t", c.Description, maxDescription}} {
		if t.value == nil {
			continue
		}
		if err := checkText(t.field, *t.value, t.max, t.layout); err != nil {
			return err
		}
	}
	if c.Title != nil && strings.TrimSpace(*c.Title) == "" {
		return invalid("title", "a title is needed")
	}
	for _, u := range []struct {
		field string
		value *string
	}{{"url", c.URL}, {"image", c.Image}} {
		if u.value == nil || *u.value == "" {
			continue
		}
		if err := checkURL(u.field, *u.value); err != nil {
			return err
		}
	}
	for _, a := range []struct {
		field string
		value *money.Amount
		least int64
	}{{"price", c.Price, 1}, {"offers.floor", c.Floor, 0}, {"offers.auto_accept", c.AutoAccept, 0}} {
		if a.value == nil {
			continue
		}
		if err := checkAmount(a.field, *a.value, policy.Currency, a.least); err != nil {
			return err
		}
	}
	if c.Stock != nil && (*c.Stock < 0 || *c.Stock > maxStock) {
		return invalid("stock", "the stock must be a whole number from 0 to %d, not %d", maxStock, *c.Stock)
	}
	return nil
}

// apply is the product after the change, but for its stock.
func (c ProductChange) apply(p Product) (Product, error) {
	set := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	p.SKU = c.SKU
	set(&p.Title, c.Title)
	set(&p.Description, c.Description)
	set(&p.URL, c.URL)
	set(&p.Image, c.Image)
	if c.Price != nil {
		if p.Price.Currency != c.Price.Currency { // what stood in another currency means nothing any more
			p.WasPrice, p.Floor, p.AutoAccept = money.Amount{}, money.Amount{}, money.Amount{}
		}
		p.Price = *c.Price
	}
	if c.Floor != nil {
		p.Floor = orNone(*c.Floor)
	}
	if c.AutoAccept != nil {
		p.AutoAccept = orNone(*c.AutoAccept)
	}
	switch {
	case p.Title == "":
		return Product{}, invalid("title", "a new product needs a title")
	case p.Price.IsZero():
		return Product{}, invalid("price", "a new product needs a price")
	}
	// Limits are judged when they are given. A price that later falls below them is no error of whoever sets the price: terms
	// takes care of it.
	floor, accept := c.Floor != nil && !p.Floor.IsZero(), c.AutoAccept != nil && !p.AutoAccept.IsZero()
	switch {
	case floor && p.Floor.Minor >= p.Price.Minor:
		return Product{}, invalid("offers.floor", "the floor %s must be below the price %s", p.Floor, p.Price)
	case accept && p.AutoAccept.Minor >= p.Price.Minor:
		return Product{}, invalid("offers.auto_accept", "what is accepted at once, %s, must be below the price %s", p.AutoAccept, p.Price)
	case (floor || accept) && !p.Floor.IsZero() && !p.AutoAccept.IsZero() && p.Floor.Minor >= p.AutoAccept.Minor:
		return Product{}, invalid("offers.floor", "the floor %s must be below what is accepted at once, %s", p.Floor, p.AutoAccept)
	}
	return p, nil
}

// orNone makes every amount of nothing the zero Amount.
func orNone(a money.Amount) money.Amount {
	if a.IsZero() {
		return money.Amount{}
	}
	return a
}

// checkAmount refuses an amount in another currency, below least or beyond what we reckon with.
func checkAmount(field string, a money.Amount, c money.Currency, least int64) error {
	switch {
	case a.Currency != c:
		return invalid(field, "the amount must be in %s, the currency of this shop, not in %s", c, orWord(string(a.Currency), "no currency"))
	case a.Minor < 0:
		return invalid(field, "the amount must not be negative, it is %s", a)
	case a.Minor < least:
		return invalid(field, "the amount must be more than zero")
	case a.Minor > maxPrice:
		return invalid(field, "the amount %s is too large", a)
	}
	return nil
}

func orWord(s, word string) string {
	if s == "" {
		return word
	}
	return s
}

// checkText refuses what is not UTF-8, too long, or holds control characters other than those in layout.
func checkText(field, s string, most int, layout string) error {
	if !utf8.ValidString(s) {
		return invalid(field, "the text is not valid UTF-8")
	}
	if n := utf8.RuneCountInString(s); n > most {
		return invalid(field, "the text has %d characters, at most %d are possible", n, most)
	}
	for _, r := range s {
		if unicode.IsControl(r) && !strings.ContainsRune(layout, r) {
			return invalid(field, "the text holds the control character %U", r)
		}
	}
	return nil
}

// checkURL takes https://shop.example/x, http likewise, and /x on the shop's own site.
func checkURL(field, s string) error {
	if err := checkText(field, s, maxURL, ""); err != nil {
		return err
	}
	u, err := url.Parse(s)
	web := err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
	path := err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") && !strings.Contains(s, `\`)
	if !web && !path {
		return invalid(field, "%q is not an address that begins with https://, http:// or /", s)
	}
	return nil
}
