package web

import (
	"context"
	"net/http"
	"slices"

	"parley/commerce"
	"parley/commerce/money"
)

// Catalogue shows what can be bought.
type Catalogue interface {
	Products(ctx context.Context) ([]commerce.Product, error)
	// Product answers commerce.ErrNotFound for an unknown SKU.
	Product(ctx context.Context, sku string) (commerce.Product, error)
}

// Shelf groups products of the demo shop.
type Shelf struct {
	Title string
	SKUs  []string
}

type shopView struct {
	Page    PageView
	Shelves []string
	Picked  string // the shelf shown; "" for all
	Items   []itemView
}

// itemView is a product as a page shows it.
type itemView struct {
	SKU, Title, Description, Image, Address, Shelf string
	Price                                          money.Amount
	Was                                            money.Amount // zero unless the price fell
	Stock                                          int
	CanHaggle                                      bool
}

// IsLow says that there are few enough to mention it.
func (i itemView) IsLow() bool { return i.Stock > 0 && i.Stock <= 3 }

func (s *Server) shopShelves(w http.ResponseWriter, r *http.Request) error {
	if s.opt.Catalogue == nil {
		return unavailable()
	}
	products, err := s.opt.Catalogue.Products(r.Context())
	if err != nil {
		return err
	}
	view := shopView{Page: s.page(r, s.opt.Shop.Name), Picked: r.URL.Query().Get("shelf")}
	for _, shelf := range s.opt.Shelves {
		view.Shelves = append(view.Shelves, shelf.Title)
	}
	if !slices.Contains(view.Shelves, view.Picked) {
		view.Picked = ""
	}
	for _, p := range products {
		item := s.item(p)
		if view.Picked == "" || item.Shelf == view.Picked {
			view.Items = append(view.Items, item)
		}
	}
	slices.SortStableFunc(view.Items, func(a, b itemView) int { return s.place(a.SKU) - s.place(b.SKU) })
	return s.render(w, http.StatusOK, "shop.html", view)
}

type productView struct {
	Page    PageView
	Item    itemView
	Related []itemView // from the same shelf
}

func (s *Server) shopProduct(w http.ResponseWriter, r *http.Request) error {
	if s.opt.Catalogue == nil {
		return unavailable()
	}
	p, err := s.opt.Catalogue.Product(r.Context(), r.PathValue("sku"))
	if err != nil {
		return err
	}
	view := productView{Page: s.page(r, p.Title+" · "+s.opt.Shop.Name), Item: s.item(p)}
	products, err := s.opt.Catalogue.Products(r.Context())
	if err != nil {
		return err
	}
	for _, other := range products {
		if item := s.item(other); item.Shelf == view.Item.Shelf && item.SKU != p.SKU && len(view.Related) < 3 {
			view.Related = append(view.Related, item)
		}
	}
	return s.render(w, http.StatusOK, "product.html", view)
}

func (s *Server) item(p commerce.Product) itemView {
	item := itemView{
		SKU: p.SKU, Title: p.Title, Description: p.Description, Image: p.Image, Price: p.Price, Stock: max(0, p.Available()),
		Address: "/p/" + p.SKU, CanHaggle: p.AutoAccept.Minor > 0 || p.Floor.Minor > 0,
	}
	if fell, err := p.Price.Compare(p.WasPrice); err == nil && p.WasPrice.Minor > 0 && fell < 0 {
		item.Was = p.WasPrice
	}
	for _, shelf := range s.opt.Shelves {
		if slices.Contains(shelf.SKUs, p.SKU) {
			item.Shelf = shelf.Title
		}
	}
	return item
}

// place is where a product stands in the shop; those on no shelf come last.
func (s *Server) place(sku string) int {
	n := 0
	for _, shelf := range s.opt.Shelves {
		if i := slices.Index(shelf.SKUs, sku); i >= 0 {
			return n + i
		}
		n += len(shelf.SKUs)
	}
	return n
}
