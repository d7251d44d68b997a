package telegram

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"parley/adapters"
	"parley/commerce/money"
	"parley/config"
	"parley/conversation"
)

const (
	settingPayments = "payments_token"

	longestInvoiceTitle = 32
	longestDescription  = 255

	// forwarded is the start parameter of an invoice: a copy that is forwarded opens the chat with the bot instead of asking whoever
	// sees it to pay.
	forwarded = "invoice"
)

// currencies are those that Telegram lists with as many decimals as ISO 4217 gives them, so that our minor units are its own. Stars
// (XTR) are not money.
const currencies = "AED AFN ALL AMD ARS AUD AZN BAM BDT BGN BND BOB BRL CAD CHF CLP CNY COP CRC CZK DKK DOP DZD EGP EUR GBP GEL GTQ HKD " +
	"HNL HRK HUF IDR ILS INR ISK JMD JPY KES KGS KRW KZT LBP LKR MAD MDL MNT MUR MVR MXN MYR MZN NGN NIO NOK NPR NZD PAB PEN PHP PKR " +
	"PLN PYG QAR RON RSD RUB SAR SEK SGD THB TJS TRY TTD TWD TZS UAH UGX USD UYU UZS VND YER ZAR"

// invoicing reads how an account collects money: not at all without a token of a payment provider. One of a provider's test mode says
// so in the middle.
func invoicing(s config.Settings) adapters.Invoicing {
	token := s.Secret(settingPayments).Reveal()
	if token == "" {
		return adapters.Invoicing{}
	}
	in := adapters.Invoicing{
		Setting: settingPayments, Test: strings.Contains(token, ":TEST:"), Title: longestInvoiceTitle, Description: longestDescription,
	}
	for _, code := range strings.Fields(currencies) {
		in.Currencies = append(in.Currencies, money.Currency(code))
	}
	return in
}

// Invoicing says whether there is a token of a payment provider, and what for.
func (m *Messenger) Invoicing() adapters.Invoicing { return m.invoices }

// invoiceOf is what a part asks to be paid for; nil for every other part.
func invoiceOf(part adapters.Part) (*conversation.Invoice, string) {
	for _, c := range part.Choices {
		if c.Invoice != nil {
			return c.Invoice, c.Label
		}
	}
	return nil, ""
}

// sendInvoice asks for money, under the product's picture where Telegram can fetch that.
func (m *Messenger) sendInvoice(ctx context.Context, to chat, part adapters.Part, invoice *conversation.Invoice, label string) (adapters.Sent, error) {
	if !m.invoices.Takes(invoice.Total.Currency) {
		return adapters.Sent{}, &adapters.SendError{
			Consequence: adapters.Rejected, Code: "no_invoices", Reason: fmt.Sprintf("the account has no %s, or Telegram does not collect in %s", settingPayments, invoice.Total.Currency),
		}
	}
	params, err := m.invoiceParams(invoice, label)
	if err != nil {
		return adapters.Sent{}, &adapters.SendError{Consequence: adapters.Rejected, Code: "bad_invoice", Reason: "the invoice cannot be written", Err: err}
	}
	if fetchable(part.Image) {
		params["photo_url"] = part.Image
	}
	result, err := m.ask(ctx, to.id, "sendInvoice", params)
	if params["photo_url"] != "" && pictureRefused(err) {
		m.log.WarnContext(ctx, "telegram refused an invoice with a picture, sent without", "image", part.Image, "problem", err)
		delete(params, "photo_url")
		result, err = m.ask(ctx, to.id, "sendInvoice", params)
	}
	if err != nil {
		return adapters.Sent{}, err
	}
	return sentAs(result), nil
}

func (m *Messenger) invoiceParams(invoice *conversation.Invoice, label string) (tgbotapi.Params, error) {
	prices, err := json.Marshal([]map[string]any{{"label": invoice.Title, "amount": invoice.Total.Minor}})
	if err != nil {
		return nil, err
	}
	keyboard, err := json.Marshal(map[string]any{"inline_keyboard": [][]map[string]any{{{"text": label, "pay": true}}}})
	if err != nil {
		return nil, err
	}
	return tgbotapi.Params{
		"title": invoice.Title, "description": invoice.Description, "payload": invoice.ID, "provider_token": m.payments,
		"currency": string(invoice.Total.Currency), "prices": string(prices), "start_parameter": forwarded, "reply_markup": string(keyboard),
	}, nil
}

// sentAs reads the id of a message that was sent; "" when Telegram does not say as what.
func sentAs(result json.RawMessage) adapters.Sent {
	var msg struct {
		MessageID int64 `json:"message_id"`
	}
	if err := decode(result, &msg); err != nil || msg.MessageID == 0 {
		return adapters.Sent{}
	}
	return adapters.Sent{ID: strconv.FormatInt(msg.MessageID, 10)}
}

// answerTime is for one answer: Telegram waits ten seconds for it in all.
const answerTime = 5 * time.Second

// AnswerCheckout answers a pre-checkout query.
func (m *Messenger) AnswerCheckout(ctx context.Context, question, refusal string) error {
	params := tgbotapi.Params{"pre_checkout_query_id": question, "ok": strconv.FormatBool(refusal == "")}
	params.AddNonEmpty("error_message", refusal)
	if _, err := m.api.call(ctx, answerTime, "answerPreCheckoutQuery", params); err != nil {
		return m.sendError("", err)
	}
	return nil
}

// asksToPay converts a pre-checkout query. It comes in the name of who pays, whose private chat has the same id; wherever the invoice
// stands, nobody pays that of another.
func asksToPay(event *conversation.Event, q *tgbotapi.PreCheckoutQuery) bool {
	if q.From == nil || q.ID == "" {
		return false
	}
	event.Kind, event.ID, event.Value = conversation.Checkout, "", q.ID
	event.Payment = &conversation.Payment{Invoice: q.InvoicePayload, Amount: money.New(int64(q.TotalAmount), money.Currency(q.Currency))}
	from(event, q.From.ID, q.From)
	return true
}

// hasPaid converts the message that money has come. What the payment is called at the provider, where it can be given back, is noted.
func hasPaid(event *conversation.Event, p *tgbotapi.SuccessfulPayment) {
	event.Kind, event.ID = conversation.Paid, "charge:"+p.TelegramPaymentChargeID
	event.Payment = &conversation.Payment{
		Invoice: p.InvoicePayload, Amount: money.New(int64(p.TotalAmount), money.Currency(p.Currency)),
		Reference: p.TelegramPaymentChargeID, Note: "at the payment provider: " + p.ProviderPaymentChargeID,
	}
}
