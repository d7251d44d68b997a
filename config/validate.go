package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Validate finds what is wrong between settings that are right each for itself. Load has done it already; it is for configs
// made in code.
func Validate(c *Config) Problems {
	v := &validator{config: c, merchants: map[string]Pos{}, hooks: map[string]Pos{}}
	v.web()
	for i, m := range c.Merchants {
		v.merchant(fmt.Sprintf("merchants[%d]", i), m)
	}
	if v.needsURL == "" && c.Web.PublicURL == "" && c.Web.Addr != "" && !loopback(c.Web.Addr) {
		v.warn("web.addr", "write web.public_url, the address under which people reach this server",
			"addr %q is open to others, but buy links will point to this machine only", c.Web.Addr)
	}
	v.problems.Sort()
	return v.problems
}

type validator struct {
	config    *Config
	problems  Problems
	merchants map[string]Pos
	hooks     map[string]Pos // names of accounts and payments, which share /hooks/
	needsURL  string         // the account that made web.public_url necessary
}

func (v *validator) fail(path, remedy, format string, args ...any) {
	v.problems = append(v.problems, v.config.Pos(path).Error(fmt.Sprintf(format, args...), remedy))
}

func (v *validator) warn(path, remedy, format string, args ...any) {
	v.problems = append(v.problems, v.config.Pos(path).Warning(fmt.Sprintf(format, args...), remedy))
}

func (v *validator) written(path string) bool {
	_, ok := v.config.places[path]
	return ok
}

func (v *validator) web() {
	w := v.config.Web
	const shortest = 32
	if n := len(w.Secret.Reveal()); n > 0 && n < shortest {
		v.fail("web.secret", "make one with: openssl rand -hex 32", "secret is shorter than %d characters, so that buy links could be forged", shortest)
	}
	for i, p := range w.TrustedProxies {
		if p.Bits() == 0 {
			v.warn(fmt.Sprintf("web.trusted_proxies[%d]", i), "write the address of your proxy",
				"%s believes everybody, so that anybody can pretend to be at another address", p)
		}
	}
	u, err := url.Parse(w.PublicURL)
	if err == nil && u.Scheme == "http" && !loopback(u.Host) && slices.ContainsFunc(v.config.Merchants, func(m Merchant) bool { return m.Mode == Live }) {
		v.warn("web.public_url", "serve it by https and write https://"+u.Host,
			"public_url is not encrypted, and a merchant is live: browsers refuse the widget, and buy links can be read on the way")
	}
}

// loopback says that host, or host:port, reaches this machine only.
func loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.IsLoopback()
}

func (v *validator) merchant(path string, m Merchant) {
	v.unique(v.merchants, path+".name", "merchant", m.Name, "give each merchant a name of its own")
	if m.DefaultLanguage != "" && len(m.Languages) > 0 && !slices.Contains(m.Languages, m.DefaultLanguage) {
		v.fail(path+".default_language", "add it to languages, or write one of "+strings.Join(m.Languages, ", "),
			"default_language %q is not among the languages of this merchant", m.DefaultLanguage)
	}
	if len(m.Accounts) == 0 {
		v.warn(path+".accounts", "add an account, such as {name: chat, adapter: webchat}", "this merchant has no accounts, so that nobody can talk to it")
	}
	if len(m.Payments) == 0 {
		v.warn(path+".payments", "add a payment, such as {name: invoice, provider: manual}", "this merchant has no payments, so that nothing can be bought")
	}
	for i, a := range m.Accounts {
		v.account(fmt.Sprintf("%s.accounts[%d]", path, i), a)
	}
	for i, p := range m.Payments {
		at := fmt.Sprintf("%s.payments[%d]", path, i)
		v.unique(v.hooks, at+".name", "account or payment", p.Name, "give it another: the name makes the address /hooks/"+p.Name)
		if p.Provider == "test" && m.Mode == Live {
			v.fail(at+".provider", "write mode: test for the merchant, or remove this payment",
				`the merchant is live, but the provider "test" takes no money`)
		}
	}
	people := map[string]Pos{}
	for i, p := range m.Staff {
		v.unique(people, fmt.Sprintf("%s.staff[%d].email", path, i), "member of staff", p.Email, "remove one of the two")
	}
	rooms := map[string]Pos{}
	for i, d := range m.Desk {
		at := fmt.Sprintf("%s.desk[%d]", path, i)
		v.unique(rooms, at+".room", "desk in the room", d.Room, "remove one of the two")
		if d.Account != "" && !slices.ContainsFunc(m.Accounts, func(a Account) bool { return a.Name == d.Account }) {
			v.fail(at+".account", "write one of this merchant's accounts: "+accountNames(m), "this merchant has no account %q", d.Account)
		}
	}
	v.policy(path+".policy", m)
}

func accountNames(m Merchant) string {
	var names []string
	for _, a := range m.Accounts {
		names = append(names, a.Name)
	}
	return strings.Join(names, ", ")
}

func (v *validator) unique(seen map[string]Pos, path, what, name, remedy string) {
	if name == "" {
		return
	}
	if first, twice := seen[name]; twice {
		v.fail(path, remedy, "there is another %s %q, on line %d", what, name, first.Line)
		return
	}
	seen[name] = v.config.Pos(path)
}

func (v *validator) account(path string, a Account) {
	v.unique(v.hooks, path+".name", "account or payment", a.Name, "give it another: the name makes the address /hooks/"+a.Name)
	mode, ok := a.Settings.fields["mode"]
	_, own := a.Settings.fields["webhook_url"]
	if !ok || mode.Type != Enum || a.Settings.String("mode") != "webhook" || own {
		return
	}
	v.needsURL = a.Name
	if v.config.Web.PublicURL == "" && !v.written("web.public_url") {
		v.fail(path+".mode", "write web.public_url, such as https://chat.shop.example, or another mode",
			"account %q takes webhooks, but where %s reaches this server is not known", a.Name, a.Adapter)
	}
}

func (v *validator) policy(path string, m Merchant) {
	o := m.Policy.Offers
	if o.Floor > 0 && o.AutoAccept > 0 && o.Floor >= o.AutoAccept {
		v.fail(path+".offers.floor", "write a floor below auto_accept", "floor %d%% is not below auto_accept %d%%, so that nothing is left to haggle about",
			o.Floor, o.AutoAccept)
	}
	if o.Mode == OffersOff && (o.Floor > 0 || o.AutoAccept > 0) {
		v.warn(path+".offers.mode", "remove floor and auto_accept, or write mode: auto", "offers are off, so that floor and auto_accept have no effect")
	}
	if q := m.Policy.QuietHours; q.From == q.To && v.written(path+".quiet_hours") {
		v.fail(path+".quiet_hours", "write two different times", "quiet hours from %s to %s have no length", q.From, q.To)
	}
	if !v.written(path + ".consent_text") {
		return
	}
	if !v.written(path + ".consent_version") {
		v.warn(path+".consent_text", `write consent_version, such as "1", and change it whenever you change the wording`,
			"the wording of the consent is yours, but its version is still ours")
	}
	for _, language := range m.Languages {
		if !v.written(path + ".consent_text." + language) {
			v.warn(path+".consent_text", "add "+language+":", "there is no wording of the consent in %q, so that ours is shown", language)
		}
	}
	for _, language := range languages {
		if v.written(path+".consent_text."+language) && !slices.Contains(m.Languages, language) {
			v.warn(path+".consent_text."+language, "add it to languages, or remove the wording", "this merchant does not speak %q", language)
		}
	}
}
