package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"parley/adapters/discord/discordtest"
	"parley/adapters/slack/workspacetest"
	"parley/adapters/telegram/telegramtest"
	"parley/adapters/whatsapp/cloudtest"
)

// channel is a messenger with a strict server of its own. A new one is an entry of messengers and a driver.
type channel struct {
	title string
	open  func(*testing.T) network
}

// network is a messenger that waits for the shop.
type network struct {
	accounts string // for testShop
	picture  string // an address from which it shows pictures
	// meet connects the shop that has opened, and brings somebody who chats with it.
	meet func(*shop) shopper
}

// shopper is a person on one messenger.
type shopper interface {
	// wishes fills in the widget's form and opens the chat by the link that it gives.
	wishes(sku, below string)
	types(text string)
	// press takes a button, or an entry of a list, of the latest message that has it.
	press(label string)
	// message waits for the nth message of the bot and staff, from 0.
	message(n int) sight
}

// unpaced are the settings of an account whose messages leave as fast as they can.
const unpaced = ", pace: {account: 0, chat: 0, group: 0}"

const somePicture = "https://shop.example/mug.png"

// linkedPhone is the messenger that only a build with the tag whatsmeow has.
const linkedPhone = "WhatsApp (linked phone)"

// messengers are in the order of the documentation.
func messengers() []channel {
	return []channel{
		{"Web chat", func(*testing.T) network { return onWebChat() }},
		{"Telegram", func(t *testing.T) network { srv := telegramtest.Start(t); return onTelegram(srv, srv.URL()) }},
		{"WhatsApp (Cloud API)", func(t *testing.T) network { srv := cloudtest.Start(t); return onWhatsApp(srv, srv.URL()) }},
		{linkedPhone, onLinkedPhone},
		{"Slack", func(t *testing.T) network { return onSlack(workspacetest.Start(t), unpaced) }},
		{"Discord", func(t *testing.T) network { return onDiscord(discordtest.Start(t), unpaced) }},
	}
}

// fillIn is the widget's form for a messenger that a link leads to; typed is the address in it, where one is asked for.
func (s *shop) fillIn(account, sku, below, typed string) (link string) {
	s.t.Helper()
	v := s.visit(sku)
	done := v.subscribe(map[string]string{
		"sku": sku, "channel": account, "consent." + account: v.consent, "address." + account: typed, "event": "price_below", "price_below.threshold": below,
	}, http.StatusOK)
	link, _ = done["link"].(string)
	if done["state"] != "pending" || link == "" {
		s.t.Fatalf("got %v, want a watch that waits for its link to be opened", done)
	}
	return link
}

func (s *shop) accountReady(name string) {
	s.t.Helper()
	s.until(name+" to be ready", func() bool { return s.accountState(name) == "ready" })
}

type onTheWeb struct {
	shop *shop
	*visitor
	frames []frame
}

func onWebChat() network {
	return network{picture: somePicture, meet: func(s *shop) shopper { return &onTheWeb{shop: s} }}
}

func (p *onTheWeb) wishes(sku, below string) {
	p.shop.t.Helper()
	if p.visitor == nil {
		p.visitor = p.shop.visit(sku)
	}
	p.subscribe(map[string]string{"sku": sku, "event": "price_below", "price_below.threshold": below}, http.StatusOK)
	if p.conn == nil {
		p.open()
	}
}

func (p *onTheWeb) types(text string) { p.says(text) }

func (p *onTheWeb) press(label string) { p.presses(p.frames[len(p.frames)-1], label) }

func (p *onTheWeb) message(n int) sight {
	p.s.t.Helper()
	for len(p.frames) <= n {
		switch f := p.read(); {
		case f.Type == "error":
			p.s.t.Fatalf("the chat answers with the error %q", f.Text)
		case f.Type == "message" && f.From != "me":
			p.frames = append(p.frames, f)
		}
	}
	f := p.frames[n]
	var labels []string
	for _, c := range f.Choices {
		labels = append(labels, c.Label)
	}
	return looking(f.Text, f.Image != "", asButtons, labels)
}

type onATelegram struct {
	s *shop
	*telegramtest.Person
	srv *telegramtest.Server
}

func onTelegram(srv *telegramtest.Server, base string) network {
	return network{telegramAccount(base, telegramtest.Token, ""), somePicture, func(s *shop) shopper {
		s.t.Helper()
		s.accountReady("telegram")
		return onATelegram{s, srv.Person(42, "Ann"), srv}
	}}
}

func (p onATelegram) wishes(sku, below string) {
	p.s.t.Helper()
	p.OpenLink(p.s.fillIn("telegram", sku, below, ""))
}

func (p onATelegram) types(text string)  { p.Type(text) }
func (p onATelegram) press(label string) { p.Press(label) }

func (p onATelegram) message(n int) sight {
	p.s.t.Helper()
	p.srv.Wait(fmt.Sprintf("message %d", n), func() bool { return len(p.Messages()) > n })
	m := p.Messages()[n]
	var labels []string
	for _, b := range m.Buttons {
		labels = append(labels, b.Label)
	}
	return looking(m.Text, m.Image != "", asButtons, labels)
}

type onAWhatsApp struct {
	s *shop
	*cloudtest.Person
	srv *cloudtest.Server
}

func onWhatsApp(srv *cloudtest.Server, base string) network {
	account := fmt.Sprintf("      - {name: whatsapp, adapter: whatsapp, api_base: %q, phone_number_id: %q, access_token: %q, app_secret: %q, verify_token: %q}\n",
		base, cloudtest.NumberID, cloudtest.Token, cloudtest.AppSecret, cloudtest.VerifyToken)
	return network{account, somePicture, func(s *shop) shopper {
		s.t.Helper()
		s.accountReady("whatsapp")
		srv.SetHook(s.base + "/hooks/whatsapp")
		return onAWhatsApp{s, srv.Person("4915123456789", "Ann"), srv}
	}}
}

func (p onAWhatsApp) wishes(sku, below string) {
	p.s.t.Helper()
	p.Open(p.s.fillIn("whatsapp", sku, below, "+49 151 23456789"))
}

func (p onAWhatsApp) types(text string)  { p.Type(text) }
func (p onAWhatsApp) press(label string) { p.Press(label) }

func (p onAWhatsApp) message(n int) sight {
	p.s.t.Helper()
	p.srv.Wait(fmt.Sprintf("message %d", n), func() bool { return len(p.Messages()) > n })
	m := p.Messages()[n]
	var labels []string
	for _, b := range m.Buttons {
		labels = append(labels, b.Label)
	}
	as := asButtons
	if m.Menu != "" {
		as = asList
	}
	return looking(m.Text, m.Image != "", as, labels)
}

type onASlack struct {
	s *shop
	*workspacetest.Person
	srv *workspacetest.Server
}

func onSlack(srv *workspacetest.Server, settings string) network {
	account := fmt.Sprintf("      - {name: slack, adapter: slack, api_base: %q, bot_token: %q, app_token: %q, hook_url: %q%s}\n",
		srv.URL(), workspacetest.BotToken, workspacetest.AppToken, "https://chat.example/hooks/slack", settings)
	return network{account, somePicture, func(s *shop) shopper {
		s.t.Helper()
		s.accountReady("slack")
		return onASlack{s, srv.Ann(), srv}
	}}
}

func (p onASlack) wishes(sku, below string) {
	p.s.t.Helper()
	p.Type(p.s.welcomed(p.s.fillIn("slack", sku, below, "")))
}

func (p onASlack) types(text string)  { p.Type(text) }
func (p onASlack) press(label string) { p.Press(label) }

func (p onASlack) message(n int) sight {
	p.s.t.Helper()
	p.srv.Wait(fmt.Sprintf("message %d", n), func() bool { return len(p.srv.Messages(p.DM)) > n })
	m := p.srv.Messages(p.DM)[n]
	as := asButtons
	if m.Menu {
		as = asList
	}
	return looking(m.Text, m.Image != "", as, m.Labels())
}

type onADiscord struct {
	s *shop
	*discordtest.Person
	srv *discordtest.Server
}

func onDiscord(srv *discordtest.Server, settings string) network {
	account := fmt.Sprintf("      - {name: discord, adapter: discord, api_base: %q, token: %q, hook_url: %q%s}\n",
		srv.URL(), discordtest.Token, "https://chat.example/hooks/discord", settings)
	return network{account, somePicture, func(s *shop) shopper {
		s.t.Helper()
		s.accountReady("discord")
		return onADiscord{s, srv.Person("Ann"), srv}
	}}
}

func (p onADiscord) wishes(sku, below string) {
	p.s.t.Helper()
	p.Type(p.s.welcomed(p.s.fillIn("discord", sku, below, "")))
}

func (p onADiscord) types(text string)  { p.Type(text) }
func (p onADiscord) press(label string) { p.Press(label) }

func (p onADiscord) message(n int) sight {
	p.s.t.Helper()
	p.srv.Wait(fmt.Sprintf("message %d", n), func() bool { return len(p.Messages()) > n })
	m := p.Messages()[n]
	var labels []string
	as := asButtons
	for _, b := range m.Buttons {
		labels = append(labels, b.Label)
	}
	for _, b := range m.Menu {
		as, labels = asList, append(labels, b.Label)
	}
	return looking(m.Text, m.Image != "", as, labels)
}

// startLine is what a page tells people to write to the bot.
var startLine = regexp.MustCompile(`<code>(start [A-Za-z0-9_-]+)</code>`)

// welcomed opens a link that leads to a page of the account's hook, under the public address that the config names, and returns
// the line that stands there to be copied.
func (s *shop) welcomed(link string) string {
	s.t.Helper()
	u, err := url.Parse(link)
	if err != nil || u.Host != "chat.example" {
		s.t.Fatalf("%q is not a page of the hook", link)
	}
	resp, err := http.Get(s.base + u.RequestURI())
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: status %d, %v", link, resp.StatusCode, err)
	}
	m := startLine.FindSubmatch(page)
	if m == nil {
		s.t.Fatalf("%s shows no line to copy:\n%s", link, page)
	}
	return string(m[1])
}
