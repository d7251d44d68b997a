package config

import (
	"cmp"
	"strings"
	"time"

	"parley/commerce/money"
)

// decode turns what was read into a Config. What could not be read is zero.
func decode(s Settings) *Config {
	web := s.Group("web")
	c := &Config{
		Database: Database{URL: s.String("database"), Pos: s.Pos("database")},
		Migrate:  s.Bool("migrate"),
		Web:      Web{Addr: web.String("addr"), PublicURL: web.String("public_url"), Connections: web.Int("connections"), Secret: web.Secret("secret"), Pos: s.Pos("web")},
	}
	if path, ok := strings.CutPrefix(c.Database.URL, "sqlite://"); ok {
		c.Database.URL = "sqlite://" + beside(s.pos.File, path)
	}
	_ = c.Log.UnmarshalText([]byte(s.String("log"))) // one of our Enum, or a problem by now
	for _, text := range web.Strings("trusted_proxies") {
		if p, err := parseNetwork(text); err == nil {
			c.Web.TrustedProxies = append(c.Web.TrustedProxies, p)
		}
	}
	for _, m := range s.List("merchants") {
		c.Merchants = append(c.Merchants, decodeMerchant(m))
	}
	return c
}

func decodeMerchant(s Settings) Merchant {
	m := Merchant{
		Name: s.String("name"), Title: s.String("title"), Currency: money.Currency(s.String("currency")),
		Languages: s.Strings("languages"), DefaultLanguage: s.String("default_language"), TimeZone: s.String("time_zone"),
		Mode: s.String("mode"), Bot: beside(s.pos.File, s.String("bot")), Origins: s.Strings("origins"), Pos: s.pos,
	}
	if m.DefaultLanguage == "" && len(m.Languages) > 0 {
		m.DefaultLanguage = m.Languages[0]
	}
	for _, a := range s.List("accounts") {
		m.Accounts = append(m.Accounts, Account{a.String("name"), a.String("adapter"), a, a.pos})
	}
	for _, p := range s.List("payments") {
		m.Payments = append(m.Payments, Payment{p.String("name"), p.String("provider"), p, p.pos})
	}
	for _, p := range s.List("staff") {
		m.Staff = append(m.Staff, Staff{strings.ToLower(p.String("email")), p.String("role"), p.pos})
	}
	for _, d := range s.List("desk") {
		m.Desk = append(m.Desk, DeskRoom{d.String("account"), d.String("room"), d.pos})
	}
	m.Policy = decodePolicy(s.Group("policy"), m.Languages)
	return m
}

// DefaultPolicy is the policy of a merchant who writes none.
func DefaultPolicy(languages ...string) Policy {
	return decodePolicy(newReader("", Outside{}).mapping(nil, scope{label: "policy", fields: policyFields()}), languages)
}

func decodePolicy(s Settings, languages []string) Policy {
	offers, quiet := s.Group("offers"), s.Group("quiet_hours")
	p := Policy{
		Offers: Offers{
			Mode: offers.String("mode"), ValidFor: offers.Duration("valid_for"), Tries: offers.Int("tries"),
			DealFor: offers.Duration("deal_for"), Floor: offers.Int("floor"), AutoAccept: offers.Int("auto_accept"),
			Beta: offers.Number("concession"),
		},
		QuietHours:  QuietHours{From: clock(quiet, "from"), To: clock(quiet, "to")},
		Waves:       s.Bool("waves"),
		ConsentText: s.Texts("consent_text"), ConsentVersion: s.String("consent_version"),
		Hold: s.Duration("hold"), HoldManual: s.Duration("hold_manual"), UndoWindow: s.Duration("undo_window"), LowStock: s.Int("low_stock"), Pos: s.pos,
	}
	if p.ConsentVersion == "" {
		p.ConsentVersion = ConsentVersion
	}
	if p.ConsentText == nil {
		p.ConsentText = map[string]string{}
	}
	for _, language := range languages {
		if p.ConsentText[language] == "" {
			p.ConsentText[language] = DefaultConsent(language)
		}
	}
	return p
}

func clock(s Settings, name string) Clock {
	text := cmp.Or(s.String(name), s.fields[name].Default) // the default also for what could not be read
	t, _ := time.Parse("15:04", text)
	return Clock{t.Hour(), t.Minute()}
}
