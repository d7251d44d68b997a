package config

import (
	"maps"
	"slices"
)

// Kinds are the settings of what can be plugged in, by name: what stands behind `adapter:` and `provider:`. A field
// mode with the value webhook means that the network calls us, so that web.public_url must be set, unless the kind asks for
// an address of its own in webhook_url.
type Kinds struct{ Adapters, Payments map[string][]Field }

// languages are those the built-in bot speaks.
var languages = []string{"en", "de"}

// Fields are the settings of parley.yaml.
func Fields(kinds Kinds) []Field {
	return []Field{
		{Name: "database", Type: StoreURL, Default: "sqlite://parley.db", Sample: "postgres://parley:secret@localhost/parley",
			Doc: "Where everything is stored: sqlite://path for a file, or postgres://user:password@host/name."},
		{Name: "migrate", Type: Bool, Default: "true", Sample: "false",
			Doc: "Bring the database up to date at the start; with false, `parley migrate` does it."},
		{Name: "log", Type: Enum, Enum: []string{"debug", "info", "warn", "error"}, Default: "info", Sample: "warn",
			Doc: "The least severe messages that are logged."},
		{Name: "web", Type: Group, Doc: "How pages, webhooks and the REST API are served.", Fields: webFields()},
		{Name: "merchants", Type: List, Required: true, Doc: "The shops that this installation serves, one or more.", Fields: merchantFields(kinds)},
	}
}

func webFields() []Field {
	return []Field{
		{Name: "addr", Type: Address, Default: "127.0.0.1:8080", Sample: ":8080",
			Doc: "Host and port to listen on; without a host, all interfaces."},
		{Name: "public_url", Type: Origin, Sample: "https://chat.shop.example",
			Doc: "Scheme and host under which shoppers and messengers reach Parley; buy links and webhooks are made from it."},
		{Name: "trusted_proxies", Type: Strings, Of: Network, Sample: "[10.0.0.0/8]",
			Doc: "Addresses of proxies whose X-Forwarded headers are believed."},
		{Name: "connections", Type: Int, Default: "10000", Min: "16", Max: "1000000", Sample: "2000",
			Doc: "How many connections are open at once at most, sockets of web chats among them; further ones wait until one ends. A new value holds from the next start on."},
		{Name: "secret", Type: Secret, Sample: "0123456789abcdef0123456789abcdef",
			Doc: "The key that signs buy links, 32 characters or more; without it one is made and stored in the database."},
	}
}

func merchantFields(kinds Kinds) []Field {
	return []Field{
		{Name: "name", Type: Slug, Required: true, Sample: "shop", Doc: "The short name in logs and commands; it never changes."},
		{Name: "title", Type: String, Required: true, Sample: "The Little Shop", Doc: "The name that shoppers read."},
		{Name: "currency", Type: Currency, Required: true, Sample: "EUR", Doc: "The currency of prices that name none."},
		{Name: "languages", Type: Strings, Of: Enum, Enum: languages, Default: "[en]", Sample: "[en, de]", Doc: "What the bot speaks."},
		{Name: "default_language", Type: Enum, Enum: languages, Sample: "en",
			Doc: "For shoppers whose language is not known; without it the first of languages."},
		{Name: "time_zone", Type: Zone, Default: "UTC", Sample: "Europe/Berlin", Doc: "For shoppers whose time zone is not known."},
		{Name: "mode", Type: Enum, Enum: []string{Test, Live}, Default: Live, Sample: Test,
			Doc: "With test every page and message says so, and the payment provider test may be used."},
		{Name: "bot", Type: String, Sample: "bots/shop", Doc: "The folder with the bot's flows; without it the built-in shop bot answers."},
		{Name: "origins", Type: Strings, Of: Origin, Sample: "[https://shop.example]",
			Doc: "The sites whose pages may embed the widget."},
		{Name: "accounts", Type: List, Doc: "Where shoppers can talk to the bot: one entry an account on a messenger.",
			By: "adapter", Kinds: kinds.Adapters, Fields: []Field{
				{Name: "name", Type: Slug, Required: true, Sample: "chat",
					Doc: "The account's name, unique in the file; its webhook is /hooks/{name}."},
				{Name: "adapter", Type: Enum, Required: true, Enum: kindNames(kinds.Adapters), Doc: "The messenger."},
				{Name: "pace", Type: Group, Doc: "How fast messages leave, where it is not to be what the network publishes.", Fields: paceFields()},
			}},
		{Name: "payments", Type: List, Doc: "How shoppers can pay, in the order in which they are offered.",
			By: "provider", Kinds: kinds.Payments, Fields: []Field{
				{Name: "name", Type: Slug, Required: true, Sample: "invoice",
					Doc: "The name of this way to pay, unique in the file; its webhook is /hooks/{name}."},
				{Name: "provider", Type: Enum, Required: true, Enum: kindNames(kinds.Payments), Doc: "The payment provider."},
			}},
		{Name: "staff", Type: List, Doc: "People who may sign in from the start; `parley invite` adds more.", Fields: []Field{
			{Name: "email", Type: Email, Required: true, Sample: "ada@shop.example", Doc: "The address that signs in."},
			{Name: "role", Type: Enum, Enum: []string{RoleMerchant, RoleAdmin}, Default: RoleMerchant, Sample: RoleAdmin,
				Doc: "merchant answers shoppers and decides on offers; admin moreover sees keys, staff and settings."},
		}},
		{Name: "desk", Type: List, Doc: "Rooms where staff answer beside the inbox: each conversation that asks for a person opens a thread there.", Fields: []Field{
			{Name: "account", Type: Slug, Required: true, Sample: "telegram", Doc: "The account whose bot is in the room."},
			{Name: "room", Type: String, Required: true, Sample: `"-1001234567890"`,
				Doc: "The room's id: a group's on Telegram, a channel's on Slack and Discord."},
		}},
		{Name: "policy", Type: Group, Doc: "How the merchant trades.", Fields: policyFields()},
	}
}

func paceFields() []Field {
	return []Field{
		{Name: "account", Type: Number, Min: "0", Sample: "100", Doc: "Messages a second of the whole account; 0 means no limit."},
		{Name: "chat", Type: Number, Min: "0", Sample: "0.5", Doc: "Messages a second to one chat; 0 means no limit."},
		{Name: "group", Type: Number, Min: "0", Sample: "0.3", Doc: "Messages a second to one group, beside chat; 0 means no limit."},
	}
}

func policyFields() []Field {
	return []Field{
		{Name: "offers", Type: Group, Doc: "How the bot haggles. The figures are never told to a shopper.", Fields: []Field{
			{Name: "mode", Type: Enum, Enum: []string{OffersAuto, OffersAsk, OffersOff}, Default: OffersAuto, Sample: OffersAsk,
				Doc: "auto lets the bot counter between floor and auto_accept, ask puts those offers into the inbox, off means fixed prices."},
			{Name: "valid_for", Type: Duration, Default: "48h", Min: "1m", Max: "720h", Sample: "24h",
				Doc: "How long an offer and a counteroffer stand."},
			{Name: "tries", Type: Int, Default: "3", Min: "1", Max: "20", Sample: "5", Doc: "How many offers a shopper may make for one product."},
			{Name: "deal_for", Type: Duration, Default: "24h", Min: "1m", Max: "720h", Sample: "12h",
				Doc: "How long an agreed price stays that shopper's."},
			{Name: "floor", Type: Percent, Default: "0", Max: "99", Sample: "70%",
				Doc: "Offers below this share of the list price are declined, for products without a floor of their own; 0 means none."},
			{Name: "auto_accept", Type: Percent, Default: "0", Max: "99", Sample: "90%",
				Doc: "Offers from this share of the list price are accepted, for products without a figure of their own; 0 means none."},
			{Name: "concession", Type: Number, Default: "1", Min: "0.05", Max: "20", Sample: "0.5",
				Doc: "How counteroffers approach the floor: 1 evenly, below 1 late, above 1 early."},
		}},
		{Name: "quiet_hours", Type: Group, Doc: "When campaigns and reminders wait, in the shopper's time zone.", Fields: []Field{
			{Name: "from", Type: TimeOfDay, Default: "20:00", Sample: "21:00", Doc: "When they begin."},
			{Name: "to", Type: TimeOfDay, Default: "09:00", Sample: "08:00", Doc: "When they end."},
		}},
		{Name: "waves", Type: Bool, Default: "false", Sample: "true",
			Doc: "Tell of what is scarce in waves: as many at once as are likely to leave a piece for each who wants one, the next half an hour later."},
		{Name: "consent_text", Type: Texts, Enum: languages, Sample: "{en: Yes please}",
			Doc: "The wording beside the consent box, per language; without it ours."},
		{Name: "consent_version", Type: String, Sample: "2026-11",
			Doc: "A name for that wording, stored with each consent; change it whenever you change the wording."},
		{Name: "hold", Type: Duration, Default: "10m", Min: "1m", Max: "168h", Sample: "30m",
			Doc: "How long stock is kept for an order that is not yet paid."},
		{Name: "hold_manual", Type: Duration, Default: "168h", Min: "1h", Max: "2160h", Sample: "72h",
			Doc: "The same where a person confirms the payment, such as for an invoice."},
		{Name: "undo_window", Type: Duration, Default: "60s", Max: "24h", Sample: "2m",
			Doc: "How long a shopper may take a purchase back by one tap; 0s means not at all."},
		{Name: "low_stock", Type: Int, Default: "3", Min: "0", Max: "1000000", Sample: "5",
			Doc: "From this figure down shoppers are told how few are left; 0 means never."},
	}
}

func kindNames(kinds map[string][]Field) []string { return slices.Sorted(maps.Keys(kinds)) }
