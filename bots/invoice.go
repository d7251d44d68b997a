package bots

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/adapters"
	"parley/commerce"
	"parley/commerce/money"
	"parley/commerce/payment"
	"parley/conversation"
	"parley/conversation/effect"
	"parley/store"
)

// Where the network itself collects money, whoever buys in the chat gets an invoice there. Nothing is ordered by that: the network
// asks before it takes the money (approval), which places the order, and tells when it has (collected).

// invoicing says how the account collects money.
func (a *account) invoicing() adapters.Invoicing {
	if i, ok := a.Messenger.(adapters.Invoicer); ok {
		return i.Invoicing()
	}
	return adapters.Invoicing{}
}

// collector is the account as the one who collects.
func (a *account) collector() payment.Info {
	return payment.Info{Name: a.Channel, Outside: true, Test: a.invoicing().Test}
}

// order places the order of a quote, or opens an invoice for it where the network collects: then invoiced is true and there is no
// order yet. On the page of a link there is nobody to show an invoice to.
func (t *turn) order(ctx context.Context, c commerce.CheckoutCommand) (o commerce.Outcome, invoiced bool, err error) {
	if !t.onPage && t.account.invoicing().Takes(t.m.Policy.Currency) {
		c.Provider = t.account.collector()
		o, invoiced, err = commerce.OpenInvoice(ctx, t.tx, c, t.tx.Now())
		return o, invoiced, err
	}
	o, err = commerce.Checkout(ctx, t.tx, c, t.m.Policy, t.tx.Now())
	return o, false, err
}

// bill sends the invoice for a quote. What comes of it goes on in place.
func (t *turn) bill(ctx context.Context, o commerce.Outcome, place conversation.Context) error {
	if err := t.tx.Await(ctx, t.th, string(o.Quote.ID), place); err != nil {
		return err
	}
	words, in := invoiceWordsIn(t.language()), t.account.invoicing()
	language, title := t.language(), oneLine(o.Product.Title)
	what := fmt.Sprintf(words.what, o.Quote.Quantity, title)
	if about := oneLine(o.Product.Description); about != "" {
		what += ". " + about
	}
	invoice := conversation.Invoice{
		ID: string(o.Quote.ID), Title: shorten(title, in.Title), Description: shorten(what, in.Description), Total: o.Quote.Total,
	}
	_, err := t.say(ctx, store.FromBot, conversation.Reply{
		Text:    fmt.Sprintf(words.bill, o.Quote.Quantity, title, o.Quote.Total.Format(language)),
		Image:   t.house.absolute(o.Product.Image),
		Class:   conversation.Answer,
		Choices: []conversation.Option{{ID: "pay", Label: fmt.Sprintf(words.pay, o.Quote.Total.Format(language)), Invoice: &invoice}},
	}, nil)
	return err
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// billed is the one part of an invoice; nil for every other reply.
func billed(r conversation.Reply) []store.Part {
	if len(r.Choices) != 1 || r.Choices[0].Invoice == nil {
		return nil
	}
	return []store.Part{{Text: r.Text, Image: r.Image, Choices: r.Choices}}
}

// unbilled tells whoever waits for an invoice that their network refused: the sum may be more, or less, than it takes.
func (h *House) unbilled(ctx context.Context, a *account, p store.Part) {
	if p.Edit || len(p.Choices) != 1 || p.Choices[0].Invoice == nil {
		return
	}
	quote := p.Choices[0].Invoice.ID
	th, _, err := h.threadOf(ctx, p.Merchant, p.Thread)
	if err == nil {
		err = h.desk(ctx, p.Merchant, th.ID, func(t *turn) error {
			_, place, err := t.tx.Awaited(ctx, t.m.ID, quote)
			if err != nil {
				return err
			}
			return t.run(ctx, *t.outcome("payment_declined", nil, place))
		})
	}
	if err != nil && ctx.Err() == nil {
		h.log.ErrorContext(ctx, "nobody was told that the invoice was refused", "account", a.Name, "quote", quote, "err", err)
	}
}

// answerWithin is how long networks wait for an answer to their question at the most, with a little to spare.
const answerWithin = 9 * time.Second

// approval is the turn of a network's question whether an invoice may be paid. Each time that it is asked it is answered; by what
// commerce decided, which is the same each time, or with a refusal when that cannot be found out.
func (h *House) approval(a *account, e conversation.Event) store.Turn {
	asker, until := e.Value, h.now().Add(answerWithin)
	answer := func(refusal string) func() {
		return func() {
			h.runs(errand{what: "answer to a checkout", account: a, until: until, do: func(ctx context.Context) error {
				i, ok := a.Messenger.(adapters.Invoicer)
				if !ok {
					return errors.New("the account has no invoices")
				}
				return i.AnswerCheckout(ctx, asker, refusal)
			}})
		}
	}
	e.ID = ""
	return store.Turn{Merchant: a.merchant.ID, Channel: a.Channel, Event: e,
		Apply: func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
			refusal, err := h.newTurn(a, tx, th, "invoice:"+e.Payment.Invoice).approve(ctx, *e.Payment)
			if err == nil {
				tx.AfterCommit(answer(refusal))
			}
			return err
		},
		Failed: func(_ context.Context, tx *store.Tx, cause error) error {
			h.log.Error("checkout refused", "account", a.Name, "quote", e.Payment.Invoice, "err", cause)
			tx.AfterCommit(answer(invoiceWordsIn(a.merchant.Language).failed))
			return nil
		},
	}
}

// approve places the order that an invoice asks to be paid, and holds its stock; or says why that may not be paid.
func (t *turn) approve(ctx context.Context, p conversation.Payment) (refusal string, err error) {
	o, why, err := commerce.ApproveInvoice(ctx, t.tx, commerce.CheckoutCommand{
		Merchant: t.m.ID, Quote: commerce.QuoteID(p.Invoice), Contact: t.th.ContactKey, Conversation: t.th.Key,
		Provider: t.account.collector(), Cause: t.cause,
	}, p.Amount, t.m.Policy, t.tx.Now())
	if err != nil {
		return "", err
	}
	if why != "" {
		t.house.log.InfoContext(ctx, "checkout refused", "account", t.account.Name, "quote", p.Invoice, "why", why)
		return t.endingWords(why, o.Product), nil
	}
	t.raised(o.Raised)
	t.tx.AfterCommit(t.house.wakeClock) // a notification has done its work
	_, place, err := t.tx.Awaited(ctx, t.m.ID, p.Invoice)
	if isNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return "", t.tx.Await(ctx, t.th, string(o.Order.ID), place)
}

// collected are the turns of money that has come: it is written down, and then told. Money does not hang on talk.
func (h *House) collected(a *account, e conversation.Event) []store.Turn {
	var o commerce.Outcome
	told := e
	told.ID += ":told"
	return []store.Turn{
		{Merchant: a.merchant.ID, Channel: a.Channel, Event: e, Apply: func(ctx context.Context, tx *store.Tx, th *store.Thread) (err error) {
			o, err = h.newTurn(a, tx, th, "").collect(ctx, e)
			return err
		}},
		{Merchant: a.merchant.ID, Channel: a.Channel, Event: told, Apply: func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
			t := h.newTurn(a, tx, th, "")
			return t.shown(ctx, t.tellCollected(ctx, o, *e.Payment))
		}, Failed: func(_ context.Context, _ *store.Tx, cause error) error {
			h.log.Error("payment not told in the chat", "account", a.Name, "quote", e.Payment.Invoice, "err", cause)
			return nil
		}},
	}
}

// collect writes down money that has come for an invoice.
func (t *turn) collect(ctx context.Context, e conversation.Event) (commerce.Outcome, error) {
	p := e.Payment
	o, err := commerce.SettleInvoice(ctx, t.tx, commerce.InvoicePaid{
		Merchant: t.m.ID, Quote: commerce.QuoteID(p.Invoice), Amount: p.Amount, Reference: p.Reference, Note: p.Note,
		Conversation: t.th.Key, Provider: t.account.collector(),
	}, t.m.Policy, t.tx.Now())
	if err != nil || o.Repeat {
		return o, err
	}
	t.raised(o.Raised)
	t.tx.AfterCommit(t.house.wakeClock)
	_, err = t.tx.AddMessage(ctx, t.th, store.Message{
		Author: store.FromContact, Kind: string(e.Kind), Text: "[payment] " + p.Amount.Format(t.language()),
	}, e.ID)
	return o, err
}

// tellCollected gives the shopper the receipt, or tells them and the shop that the money goes back.
func (t *turn) tellCollected(ctx context.Context, o commerce.Outcome, p conversation.Payment) error {
	switch {
	case o.Order.ID == "", o.Repeat:
		return nil
	case o.Owed:
		return t.owe(ctx, o, p)
	}
	t.theirs = true
	if err := t.tx.DropHeld(ctx, t.th); err != nil { // nobody needs the reminder any more
		return err
	}
	_, place, err := t.tx.Awaited(ctx, t.m.ID, string(o.Order.ID))
	if isNotFound(err) { // nobody asked before the money was taken
		_, place, err = t.tx.Awaited(ctx, t.m.ID, p.Invoice)
	}
	if err != nil {
		return err
	}
	return t.run(ctx, *t.outcome(o.Name, t.house.vars(o), place))
}

// owe tells the shopper that their money goes back, and hands the conversation to a person: the network gives nothing back by
// itself.
func (t *turn) owe(ctx context.Context, o commerce.Outcome, p conversation.Payment) error {
	t.theirs = true
	words := invoiceWordsIn(t.language())
	text := fmt.Sprintf(words.owed, p.Amount.Format(t.language()), o.Product.Title)
	if _, err := t.say(ctx, store.FromBot, conversation.Reply{Text: text, Class: conversation.ReceiptClass}, nil); err != nil {
		return err
	}
	return t.handOff(ctx, refundReason(t.m.Language, o, p.Amount))
}

// refundReason is what staff read who have to give money back.
func refundReason(language string, o commerce.Outcome, amount money.Amount) string {
	return fmt.Sprintf(invoiceWordsIn(language).refund, amount.Format(language), o.Order.ID, o.Order.Provider)
}

// cancelled has a person see to the money of a cancelled order that the network collected.
func (t *turn) cancelled(ctx context.Context, e effect.CancelOrder, place conversation.Context) (*conversation.Event, error) {
	o, err := commerce.CancelOrder(ctx, t.tx, commerce.CancelCommand{
		Merchant: t.m.ID, Order: commerce.OrderID(e.Order), Contact: t.th.ContactKey, Cause: "shopper",
	}, t.m.Policy, t.tx.Now())
	if err == nil && o.Owed && o.Order.Provider == t.account.collector().Name {
		err = t.handOff(ctx, refundReason(t.m.Language, o, o.Order.Total))
	}
	return t.traded(ctx, place)(o, err)
}
