package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"parley/commerce"
	"parley/commerce/money"
	"parley/store"
)

// apiProductBody is a product as the API shows it. What a PUT takes is the same.
type apiProductBody struct {
	SKU         string       `json:"sku"`
	Title       string       `json:"title"`
	Price       money.Amount `json:"price"`
	Stock       int          `json:"stock"` // the figure available
	URL         string       `json:"url"`
	Image       string       `json:"image"`
	Description string       `json:"description"`
	Offers      *apiLimits   `json:"offers,omitempty"` // for keys with the scope policy only
}

// apiLimits are the secret limits of haggling. An empty one is missing: the policy's percentages hold.
type apiLimits struct {
	Floor      *money.Amount `json:"floor,omitempty"`
	AutoAccept *money.Amount `json:"auto_accept,omitempty"`
}

func showProduct(p commerce.Product, c caller) apiProductBody {
	body := apiProductBody{
		SKU: p.SKU, Title: p.Title, Price: p.Price, Stock: p.Available(), URL: p.URL, Image: p.Image, Description: p.Description,
	}
	if c.may("policy") {
		body.Offers = &apiLimits{}
		if !p.Floor.IsZero() {
			body.Offers.Floor = &p.Floor
		}
		if !p.AutoAccept.IsZero() {
			body.Offers.AutoAccept = &p.AutoAccept
		}
	}
	return body
}

func (s *Server) apiProduct(ctx context.Context, c apiCall) (int, any, error) {
	if _, err := c.query(); err != nil {
		return 0, nil, err
	}
	p, err := s.loadProduct(ctx, c.merchant, c.PathValue("sku"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, showProduct(p, c.caller), nil
}

func (s *Server) loadProduct(ctx context.Context, merchant commerce.MerchantID, sku string) (p commerce.Product, err error) {
	err = s.reading(ctx, func(tx *store.Tx) (err error) {
		p, err = tx.Product(ctx, merchant, sku)
		return err
	})
	return p, notFound(err, "product with the SKU", sku)
}

// isMissing says that the merchant has no such thing.
func isMissing(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, commerce.ErrNotFound)
}

// quoted shows what a caller sent in a sentence, shortened and on one line.
func quoted(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if r := []rune(s); len(r) > 64 {
		s = string(r[:64]) + "…"
	}
	return `"` + strings.Map(func(r rune) rune {
		if isControl(r) || r == '\n' || r == '\r' || r == '\t' {
			return ' '
		}
		return r
	}, s) + `"`
}

// Texts longer than this are not read; how long they may be is judged by commerce, which says so.
const maxAPIText = 100_000

func (s *Server) apiPutProduct(ctx context.Context, c apiCall) (int, any, error) {
	change, err := readProduct(c)
	if err != nil {
		return 0, nil, err
	}
	status := http.StatusOK
	if _, err := s.loadProduct(ctx, c.merchant, change.SKU); isMissing(err) {
		status = http.StatusCreated
	} else if err != nil {
		return 0, nil, err
	}
	p, err := s.opt.BackOffice.House.PutProduct(ctx, c.merchant, change)
	if err != nil {
		return 0, nil, hideLimits(err, c.caller)
	}
	return status, showProduct(p, c.caller), nil
}

// hideLimits keeps the limits of haggling from whoever may set but not see them.
func hideLimits(err error, c caller) error {
	bad, ok := errors.AsType[*commerce.Invalid](err)
	if !ok || c.may("policy") || !strings.HasPrefix(bad.Field, "offers.") {
		return err
	}
	return badFields(Field{bad.Field, "cannot be taken: the floor must be below what is accepted at once, and both below the price, in its currency"})
}

func readProduct(c apiCall) (commerce.ProductChange, error) {
	if _, err := c.query(); err != nil {
		return commerce.ProductChange{}, err
	}
	o, err := c.object()
	if err != nil {
		return commerce.ProductChange{}, err
	}
	change := commerce.ProductChange{
		SKU: c.PathValue("sku"), Title: o.text("title", maxAPIText), Description: o.text("description", maxAPIText),
		URL: o.text("url", maxAPIText), Image: o.text("image", maxAPIText), Price: o.amount("price"), Stock: o.count("stock"),
	}
	if sku := o.text("sku", maxAPIText); sku != nil && *sku != change.SKU {
		o.complain("sku", "is not the one in the address, %s", quoted(change.SKU))
	}
	if limits := o.object("offers"); limits != nil {
		change.Floor, change.AutoAccept = limits.amount("floor"), limits.amount("auto_accept")
		limits.finish()
	}
	return change, o.done()
}
