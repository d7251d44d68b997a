package telegram

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/adapters/telegram/telegramtest"
	"parley/commerce/money"
	"parley/config"
	"parley/conversation"
)

func eur(cents int64) money.Amount { return money.New(cents, "EUR") }

// selling is a bot with a payment provider that knows Ann.
func selling(t *testing.T) (*telegramtest.Server, *telegramtest.Person, *bot) {
	t.Helper()
	srv := telegramtest.Start(t)
	ann := srv.Person(42, "Ann")
	ann.Type("hi")
	return srv, ann, newBot(t, map[string]string{"api_base": srv.URL(), "payments_token": telegramtest.PaymentsToken}, srv.Client())
}

func bill(total money.Amount, image string) adapters.Part {
	return adapters.Part{Chat: "42", Text: "not shown", Image: image, Choices: []conversation.Option{{
		ID: "pay", Label: "Buy now, pay " + total.Format("en"), Value: "v",
		Invoice: &conversation.Invoice{ID: "qte_1", Title: "Harbour mug", Description: "2 × Harbour mug", Total: total},
	}}}
}

func TestInvoiceAsksForTheMoneyUnderAButtonThatSaysSo(t *testing.T) {
	srv, ann, b := selling(t)
	sent, err := b.Send(t.Context(), bill(eur(3550), "https://shop.example/mug.png"))
	if err != nil || sent.ID == "" {
		t.Fatalf("got %v, %v, want an id", sent, err)
	}
	msg := ann.Messages()[0]
	want := &telegramtest.Invoice{
		Title: "Harbour mug", Description: "2 × Harbour mug", Payload: "qte_1", Currency: "EUR", Amount: 3550, Photo: "https://shop.example/mug.png",
	}
	if diff := cmp.Diff(want, msg.Invoice); diff != "" {
		t.Errorf("invoice (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]telegramtest.Button{{Label: "Buy now, pay €35.50", Pay: true}}, msg.Buttons); diff != "" {
		t.Errorf("buttons (-want +got):\n%s", diff)
	}
	if got := srv.Calls("sendInvoice")[0].Params.Get("start_parameter"); got == "" {
		t.Error("a copy that is forwarded can be paid by anybody")
	}
}

func TestInvoiceGoesWithoutAPictureThatTelegramDoesNotTake(t *testing.T) {
	for name, image := range map[string]string{"at a public address": "https://shop.example/mug.png", "on this machine": "http://127.0.0.1:1/mug.png"} {
		t.Run(name, func(t *testing.T) {
			srv, ann, b := selling(t)
			if fetchable(image) {
				srv.Fail("sendInvoice", telegramtest.Fault{Code: 400, Description: "Bad Request: WEBDOCUMENT_URL_INVALID"})
			}
			if _, err := b.Send(t.Context(), bill(eur(3550), image)); err != nil {
				t.Fatal(err)
			}
			if got := ann.Messages()[0].Invoice; got == nil || got.Photo != "" {
				t.Errorf("got %+v, want an invoice without a picture", got)
			}
		})
	}
}

func TestInvoiceThatTelegramDoesNotTakeIsRefusedForGood(t *testing.T) {
	for _, tt := range []struct {
		name  string
		total money.Amount
		want  string
	}{
		{"too little", eur(50), "CURRENCY_TOTAL_AMOUNT_INVALID"},
		{"too much", eur(5_000_000), "CURRENCY_TOTAL_AMOUNT_INVALID"},
		{"a currency that it does not list", money.New(12345, "KWD"), "KWD"},
		{"stars", money.New(5, "XTR"), "XTR"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, ann, b := selling(t)
			_, err := b.Send(t.Context(), bill(tt.total, ""))
			refusal, ok := errors.AsType[*adapters.SendError](err)
			if !ok || refusal.Consequence != adapters.Rejected || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it rejected for %s", err, tt.want)
			}
			if got := len(ann.Messages()); got != 0 {
				t.Errorf("got %d messages, want none", got)
			}
		})
	}
}

func TestAccountCollectsOnlyWithATokenOfAPaymentProvider(t *testing.T) {
	without := newBot(t, map[string]string{}, nil)
	if got := without.Invoicing(); got.Setting != "" || got.Takes("EUR") {
		t.Errorf("got %+v, want it off", got)
	}
	if _, err := without.Send(t.Context(), bill(eur(3550), "")); err == nil {
		t.Error("an invoice went out that nobody can collect on")
	}
	for token, test := range map[string]bool{"1:TEST:abc": true, "350862534:LIVE:MTY2-x_y": false} {
		got := newBot(t, map[string]string{"payments_token": token}, nil).Invoicing()
		if !got.Takes("EUR") || !got.Takes("JPY") || got.Takes("KWD") || got.Takes("XTR") || got.Test != test {
			t.Errorf("%s: got %+v", token, got)
		}
	}
}

func TestMinorUnitsAreTelegramsOwn(t *testing.T) {
	whole := map[money.Currency]bool{"CLP": true, "ISK": true, "JPY": true, "KRW": true, "PYG": true, "UGX": true, "VND": true}
	for code := range strings.FieldsSeq(currencies) {
		want := 2
		if whole[money.Currency(code)] {
			want = 0
		}
		if got := money.Currency(code).Digits(); got != want {
			t.Errorf("%s has %d decimals here and %d at Telegram", code, got, want)
		}
	}
}

func TestPaymentsTokenIsKeptOutOfErrors(t *testing.T) {
	srv, _, b := selling(t)
	srv.Fail("sendInvoice", telegramtest.Fault{Code: 400, Description: "Bad Request: provider " + telegramtest.PaymentsToken + " is closed"})
	_, err := b.Send(t.Context(), bill(eur(3550), ""))
	if err == nil || strings.Contains(err.Error()+b.out.String(), telegramtest.PaymentsToken) {
		t.Errorf("got %v, want the token masked", err)
	}
}

func TestCheckoutAndPaymentBecomeEventsAndAreAnswered(t *testing.T) {
	srv, ann, b := selling(t)
	b.start(t)
	if _, err := b.Send(t.Context(), bill(eur(3550), "")); err != nil {
		t.Fatal(err)
	}
	purchase := ann.Pay("Harbour mug")
	srv.WaitConfirmed()
	if err := b.AnswerCheckout(t.Context(), purchase.ID, ""); err != nil {
		t.Fatal(err)
	}
	purchase.Complete()
	srv.WaitConfirmed()
	got := b.inbox.stored()[1:] // behind "hi"
	base := conversation.Event{Chat: "42", Sender: "42", SenderName: "Ann", Language: "en"}
	asked, paid := base, base
	asked.Kind, asked.Value = conversation.Checkout, purchase.ID
	asked.Payment = &conversation.Payment{Invoice: "qte_1", Amount: eur(3550)}
	paid.Kind, paid.ID = conversation.Paid, "charge:"+purchase.Charge()
	paid.Payment = &conversation.Payment{Invoice: "qte_1", Amount: eur(3550), Reference: purchase.Charge(), Note: "at the payment provider: ch_" + purchase.ID}
	for i := range got {
		got[i].At, got[i].Message = asked.At, ""
	}
	if diff := cmp.Diff([]conversation.Event{asked, paid}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}

	second := ann.Pay("Harbour mug")
	if err := b.AnswerCheckout(t.Context(), second.ID, "Sold out, sorry."); err != nil {
		t.Fatal(err)
	}
	if got := second.Refused(); got != "Sold out, sorry." {
		t.Errorf("Ann reads %q", got)
	}
	late := ann.Pay("Harbour mug")
	late.Lapse()
	for name, id := range map[string]string{"a second answer": second.ID, "a late answer": late.ID} {
		err := b.AnswerCheckout(t.Context(), id, "")
		if refusal, ok := errors.AsType[*adapters.SendError](err); !ok || refusal.Consequence != adapters.Rejected {
			t.Errorf("%s: got %v, want rejected", name, err)
		}
	}
}

func TestBadPaymentsTokenIsRefused(t *testing.T) {
	for _, token := range []string{"secret", "123", "123:abc", "1:TEST:a b"} {
		s, err := config.NewSettings(Spec.Fields, map[string]string{"token": "1:a", "payments_token": token})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(s, adapters.Env{}); err == nil {
			t.Errorf("%q was taken", token)
		}
	}
}
