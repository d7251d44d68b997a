package web

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"parley/commerce"
	"parley/commerce/money"
)

// Channel is an account on which people can be written to, as the form offers it.
type Channel struct {
	Account string // its name in the config
	Adapter string // webchat, telegram, …
	Title   string // as people call it
	Typed   string // what they type to be reached there ("phone number"); "" when nothing is typed
	// MayWriteFirst is false where the person must open the conversation: the form then answers with a link.
	MayWriteFirst bool
	// Consent is the exact wording that a person agrees to, by language. It is stored with the subscription.
	Consent commerce.Words
}

// IsHere says that the conversation takes place on our own page.
func (c Channel) IsHere() bool { return c.Adapter == "webchat" }

// widgetScript is what a merchant puts on any page. It changes with us, so browsers ask each hour.
func (s *Server) widgetScript(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	s.serveFile(w, r, s.files["widget.js"], "public, max-age=3600")
	return nil
}

// frameView is the form, filled with what was typed, or what came of it.
type frameView struct {
	Page     PageView
	Item     itemView
	Action   string // where the form posts
	Chat     string // address of the chat
	Channels []channelView
	Events   []eventView
	Name     string
	Night    bool // not at night
	Hidden   []hidden
	Errors   map[string]string
	Wrong    int // how many fields are
	Done     *doneView
}

type hidden struct{ Name, Value string }

type channelView struct {
	Channel
	Picked  bool
	Agreed  bool // ticked before, to these very words
	Address string
	Wording string
	Version string
}

type eventView struct {
	Name, Title, Fires string
	Picked             bool
	Fields             []fieldView
}

type fieldView struct {
	Name, Label, Value string
	Type               commerce.FieldType
	Required           bool
	Currency           money.Currency
	Hint               string
}

type doneView struct {
	Channel Channel
	State   string
	Link    string
}

// widgetFrame is the page in the icon's dialog. It is a plain page for those without JavaScript.
func (s *Server) widgetFrame(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if q.Get("sku") == "" {
		http.Redirect(w, r, carry("/chat", r, wish{}), http.StatusSeeOther)
		return nil
	}
	view, err := s.frame(r, wish{SKU: q.Get("sku"), External: externalOf(q, "")})
	if err != nil {
		return err
	}
	w.Header().Set("X-Robots-Tag", "noindex")
	return s.render(w, http.StatusOK, "frame.html", view)
}

// frame fills the form with a wish.
func (s *Server) frame(r *http.Request, given wish) (frameView, error) {
	if s.opt.Catalogue == nil || s.opt.Subscriber == nil {
		return frameView{}, unavailable()
	}
	p, err := s.opt.Catalogue.Product(r.Context(), given.SKU)
	if err != nil {
		return frameView{}, err
	}
	page := s.page(r, s.wordsFor(r).say("frame.title"))
	view := frameView{
		Page: page, Item: s.item(p), Action: carry("/widget/subscribe", r, wish{}), Chat: carry("/chat", r, given), Name: clean(given.Name),
		Night: given.NotAtNight, Errors: map[string]string{},
	}
	for i, c := range s.opt.Channels {
		wording := c.Consent.In(page.Lang)
		picked := c.Account == given.Channel || given.Channel == "" && i == 0
		cv := channelView{Channel: c, Picked: picked, Wording: wording, Version: wordingVersion(wording)}
		if c.Account == given.Channel {
			cv.Address, cv.Agreed = clean(given.Address), given.Consent == cv.Version
		}
		view.Channels = append(view.Channels, cv)
	}
	likely := commerce.PriceBelow
	if view.Item.Stock == 0 {
		likely = commerce.BackInStock
	}
	for _, e := range commerce.Events() {
		view.Events = append(view.Events, eventForm(e, page, p, given, likely))
	}
	for _, key := range slices.Sorted(maps.Keys(given.External)) {
		view.Hidden = append(view.Hidden, hidden{"ext." + key, given.External[key]})
	}
	return view, nil
}

func eventForm(e commerce.EventSpec, page PageView, p commerce.Product, given wish, likely string) eventView {
	view := eventView{Name: e.Name, Title: e.Title.In(page.Lang), Fires: e.Fires.In(page.Lang)}
	view.Picked = e.Name == given.Event || given.Event == "" && e.Name == likely
	for _, f := range e.Fields {
		field := fieldView{Name: f.Name, Label: f.Label.In(page.Lang), Type: f.Type, Required: f.Required}
		if e.Name == given.Event {
			field.Value = clean(given.Fields[f.Name])
		}
		if f.Type == commerce.AmountField {
			field.Currency = p.Price.Currency
			field.Hint = page.words.fill("frame.now", p.Price.Format(page.Lang))
		}
		view.Fields = append(view.Fields, field)
	}
	return view
}

// carry is an address of ours with what has to travel from page to page: the product, the language, whether we are in
// the widget, and the ids of the visitor's click.
func carry(path string, r *http.Request, given wish) string {
	q := url.Values{}
	for key, value := range given.External {
		q.Set(key, value)
	}
	if given.SKU != "" {
		q.Set("sku", given.SKU)
	}
	for _, name := range []string{"lang", "framed"} {
		if v := r.URL.Query().Get(name); v != "" {
			q.Set(name, v)
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// clicks are the ids by which advertisers recognise a click.
var clicks = []string{
	"gclid", "gbraid", "wbraid", "dclid", "fbclid", "fbc", "fbp", "msclkid", "ttclid", "twclid", "li_fat_id", "sccid", "epik", "rdt_cid", "irclickid", "ctwa_clid",
}

const (
	maxExternal      = 24
	maxExternalValue = 512
)

// externalOf picks the ids that travel with a visitor out of a query or a form: the shop's own visitor id, campaign tags,
// click ids and the page they came from. Everything else is left where it is.
func externalOf(q url.Values, prefix string) map[string]string {
	ids := map[string]string{}
	for key, values := range q {
		name, ok := strings.CutPrefix(key, prefix)
		if !ok || len(values) == 0 || values[0] == "" || len(ids) >= maxExternal || !isExternal(name) {
			continue
		}
		ids[name] = clip(values[0], maxExternalValue)
	}
	return ids
}

func isExternal(name string) bool {
	known := name == "visitor" || name == "page" || name == "referrer" || slices.Contains(clicks, name)
	return known || strings.HasPrefix(name, "utm_") && len(name) <= 32
}
