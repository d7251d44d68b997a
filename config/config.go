// Package config reads parley.yaml: strictly, with every problem at once and each at its line and column.
//
// One list of fields (Fields) says what a file may hold; reading, checking, defaults and docs/config.md come from it. The
// settings of adapters and payment providers are declared by themselves in the same way and handed in as Kinds.
//
// What does not belong here: flags and their environment twins (cli), flows (conversation/flow), and anything that opens a
// database or a network to see whether a setting works.
package config

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"parley/commerce/money"
)

// Config is a file that was read. Every default is filled in, and paths that were relative to the file are resolved.
type Config struct {
	Database  Database
	Migrate   bool // bring the schema up to date at the start
	Log       slog.Level
	Web       Web
	Merchants []Merchant

	file   string
	places map[string]Pos
}

// Pos is where a value stands: cfg.Pos("merchants[0].accounts[1].token"). For a value that is left to its default it is
// the mapping which would hold it.
func (c *Config) Pos(path string) Pos {
	for path != "" {
		if p, ok := c.places[path]; ok {
			return p
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return Pos{c.file, 1, 1}
}

// Account finds an account by its name, which is unique over all merchants.
func (c *Config) Account(name string) (Merchant, Account, bool) {
	for _, m := range c.Merchants {
		for _, a := range m.Accounts {
			if a.Name == name {
				return m, a, true
			}
		}
	}
	return Merchant{}, Account{}, false
}

// Database is where everything is stored.
type Database struct {
	URL string // sqlite://path or postgres://…, with its password: never print it
	Pos Pos
}

// String is the URL with its password hidden.
func (d Database) String() string {
	if strings.HasPrefix(d.URL, "sqlite://") {
		return d.URL
	}
	u, err := url.Parse(d.URL)
	if err != nil {
		return mask
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(name, "password") || strings.HasPrefix(name, "ssl") && name != "sslmode" {
			query.Set(name, mask)
		}
	}
	u.RawQuery = query.Encode()
	if text := u.String(); u.Host != "" || text != "" {
		return text
	}
	return mask
}

// Format shows the same for every verb.
func (d Database) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

// LogValue is String, for slog.
func (d Database) LogValue() slog.Value { return slog.StringValue(d.String()) }

// MarshalText is String, for JSON and YAML.
func (d Database) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Web is how pages, hooks and the REST API are served.
type Web struct {
	Addr           string         // host:port to listen on
	PublicURL      string         // scheme and host under which people and networks reach us, no slash at the end; "" when not known
	TrustedProxies []netip.Prefix // whose X-Forwarded-… headers are believed
	Connections    int            // open at once at most; 0 means any number
	Secret         Masked         // the key of link tokens; zero means that one is made and stored in the database
	Pos            Pos
}

// Modes of a merchant.
const (
	Test = "test" // everything is marked as a test, and the payment provider test may be used
	Live = "live"
)

// Merchant is one shop.
type Merchant struct {
	Name            string // a slug, unique in the file
	Title           string // as shoppers read it
	Currency        money.Currency
	Languages       []string
	DefaultLanguage string // one of Languages
	TimeZone        string // IANA; time.LoadLocation knows it
	Mode            string // Test or Live
	Bot             string // a folder of flows; "" means the built-in shop bot
	Origins         []string
	Accounts        []Account
	Payments        []Payment
	Staff           []Staff
	Desk            []DeskRoom
	Policy          Policy
	Pos             Pos
}

// Account is one account of the merchant on one messenger.
type Account struct {
	Name     string // a slug, unique over accounts and payments of all merchants: it makes the address /hooks/{name}
	Adapter  string
	Settings Settings // by the fields of the adapter
	Pos      Pos
}

// Payment is one way to pay.
type Payment struct {
	Name     string // a slug, unique as an account's is
	Provider string
	Settings Settings // by the fields of the provider
	Pos      Pos
}

// Roles of staff.
const (
	RoleMerchant = "merchant" // answers shoppers, decides on offers
	RoleAdmin    = "admin"    // moreover sees keys, staff and settings
)

// Staff is a person who may sign in.
type Staff struct {
	Email string
	Role  string
	Pos   Pos
}

// DeskRoom is a room on one of the merchant's accounts where its staff work.
type DeskRoom struct {
	Account string
	Room    string // as the network names it
	Pos     Pos
}

// Policy is how the merchant trades.
type Policy struct {
	Offers     Offers
	QuietHours QuietHours
	Waves      bool // tell of what is scarce in waves
	// ConsentText is the wording beside the consent box, per language; it has a text for each of the merchant's languages.
	ConsentText    map[string]string
	ConsentVersion string        // stored with each consent; it changes when the wording does
	Hold           time.Duration // how long stock is kept for an order that is not yet paid
	HoldManual     time.Duration // the same where a person confirms the payment
	UndoWindow     time.Duration // how long a shopper may take a purchase back; 0 means not at all
	LowStock       int           // at or below this figure "only 3 left" is said; 0 means never
	Pos            Pos
}

// Offers is how the bot haggles.
type Offers struct {
	Mode              string        // OffersAuto, OffersAsk or OffersOff
	ValidFor          time.Duration // an offer or a counteroffer
	Tries             int           // per shopper and product
	DealFor           time.Duration // how long an agreed price stays the shopper's
	Floor, AutoAccept int           // percent of the list price, for products without figures of their own; 0 means none
	Beta              float64       // concession: 1 gives way evenly, below 1 late, above 1 early
}

// Modes of Offers.
const (
	OffersAuto = "auto" // the bot accepts, counters and declines by the figures
	OffersAsk  = "ask"  // what the figures do not decide waits in the inbox
	OffersOff  = "off"  // prices are fixed
)

// QuietHours is when campaigns, reminders and waves wait, in the shopper's own time zone. From may be later than To: the
// night is then between.
type QuietHours struct{ From, To Clock }

// Clock is a time on the clock, without a day.
type Clock struct{ Hour, Minute int }

func (t Clock) String() string { return fmt.Sprintf("%02d:%02d", t.Hour, t.Minute) }

// Contains says whether a moment, in the zone it carries, lies in the quiet hours.
func (q QuietHours) Contains(t time.Time) bool {
	now, from, to := t.Hour()*60+t.Minute(), q.From.Hour*60+q.From.Minute, q.To.Hour*60+q.To.Minute
	if from <= to {
		return from <= now && now < to
	}
	return now >= from || now < to
}
