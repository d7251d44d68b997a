// Package demo is the shop that `parley demo` opens: 24 things to buy, their texts, prices and stock. Their pictures are
// drawn by the program in pictures and lie in web/static/demo.
//
// What does not belong here: storing the catalogue or serving it.
package demo

import "parley/commerce/money"

//go:generate go run ./pictures ../../web/static/demo

// ShopName is what the demo shop calls itself.
const ShopName = "Marrow & Finch"

// Product is one thing of the demo shop as it is on the first day.
type Product struct {
	SKU         string
	Kind        string // one of Kinds
	Title       string
	Description string
	Price       money.Amount
	Stock       int
	// Floor and AutoAccept are the limits of haggling; both zero where the price stands.
	Floor, AutoAccept money.Amount
}

// Image is the path of the picture below the address of the shop.
func (p Product) Image() string { return "/static/demo/" + p.SKU + ".png" }

// CanHaggle says whether the shop listens to offers for it.
func (p Product) CanHaggle() bool { return p.Floor.Minor > 0 }

// Kinds are the shelves of the shop in the order in which they are shown.
func Kinds() []string { return []string{"Kitchen", "Light", "Sound", "Carry", "Desk", "Home"} }

// Products are the whole stock, shelf by shelf. The slice is the caller's own.
func Products() []Product {
	var all []Product
	for _, shelf := range [][]Product{kitchen(), light(), sound(), carry(), desk(), home()} {
		all = append(all, shelf...)
	}
	return all
}

func eur(minor int64) money.Amount { return money.New(minor, "EUR") }
