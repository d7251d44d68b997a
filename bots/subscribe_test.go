package bots

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/commerce"
	"parley/conversation"
	"parley/store"
)

func TestAFormIsRefusedWithTheFieldThatIsWrong(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.stock("mug", 10)
		for _, c := range []struct {
			field  string
			change func(*Subscription)
		}{
			{"consent", func(f *Subscription) { f.Consent = conversation.Consent{} }},
			{"channel", func(f *Subscription) { f.Account = "pigeon" }},
			{"channel", func(f *Subscription) { f.Proven = false }}, // no link begins a chat here
			{"address", func(f *Subscription) { f.Address = "" }},
			{"sku", func(f *Subscription) { f.SKU = "nothing" }},
			{"event", func(f *Subscription) { f.Event = "full_moon" }},
			{"threshold", func(f *Subscription) { f.Fields = map[string]string{"threshold": "17.50 USD"} }},
			{"time_zone", func(f *Subscription) { f.TimeZone = "Local" }},
		} {
			form := s.subscribes("ada", "17.50")
			c.change(&form)
			var refusal *commerce.Invalid
			if _, err := s.house.Subscribe(t.Context(), form); !errors.As(err, &refusal) || refusal.Field != c.field {
				t.Errorf("got %v, want %s refused", err, c.field)
			}
		}
		if n := s.count(`SELECT COUNT(*) FROM contacts`) + s.count(`SELECT COUNT(*) FROM parked`) + s.count(`SELECT COUNT(*) FROM consents`); n != 0 {
			t.Errorf("%d rows were left by forms that were refused", n)
		}
	})
}

func TestAnUnprovenAddressGetsALinkAndNothingIsWrittenToIt(t *testing.T) {
	bubble(t, opening{linked: true}, func(t *testing.T, s *shop) {
		s.stock("mug", 10)
		form := s.subscribes("ada", "25")
		form.Proven, form.Language, form.TimeZone = false, "de", "Europe/Berlin"
		form.External = map[string]string{"visitor": "vis_1", "utm_source": "news", "gclid": "g1"}
		done := s.subscribe(form)
		rests()
		if done.Watch.State != commerce.WatchPending || !strings.HasPrefix(done.Link, "https://net.example/?start=") {
			t.Fatalf("got %+v, want a pending watch with its link", done)
		}
		if got := s.net.all(""); len(got) != 0 {
			t.Fatalf("%q was sent", texts(got))
		}
		if n := s.count(`SELECT COUNT(*) FROM watches WHERE token_hash LIKE '%' || $1 || '%'`, done.Link[len(done.Link)-20:]); n != 0 {
			t.Error("the token stands in the table as it is")
		}

		opens := func(chat string) {
			e := s.event(chat, conversation.Start)
			e.Value, e.SenderName, e.Language = strings.TrimPrefix(done.Link, "https://net.example/?start="), "ada_on_net", "en"
			s.takes(e)
		}
		opens("ada")
		heard := s.hears("ada")
		if len(heard) != 2 || !strings.Contains(heard[0].Text, "Hallo Ada") || !strings.Contains(heard[1].Text, "kostet jetzt") {
			t.Fatalf("heard %q, want the welcome and then the alert, since the price is low enough already", texts(heard))
		}
		c := s.thread("ada").Contact
		if c.Name != "Ada" || c.Language != "de" || c.TimeZone != "Europe/Berlin" {
			t.Errorf("the contact is %+v, want what the form said", c)
		}
		if diff := cmp.Diff(form.External, c.ExternalIDs); diff != "" {
			t.Errorf("external ids (-want +got):\n%s", diff)
		}
		var consents []conversation.Consent
		contact := s.thread("ada").ContactKey
		s.do(func(ctx context.Context, tx *store.Tx) (err error) {
			consents, err = tx.Consents(ctx, s.merchant, contact)
			return err
		})
		if len(consents) != 1 || consents[0].Wording != consent.Wording || consents[0].At.IsZero() {
			t.Errorf("consents %+v, want the one of the form", consents)
		}

		opens("ada") // again: nothing changes
		s.hearsOnly("ada", "Hallo Ada")
		opens("eve") // somebody else: the link is for the first who opened it
		s.hearsOnly("eve", "no longer valid")
		form.Address = "eve" // a link whose time is over
		late := s.subscribe(form)
		passes(8 * 24 * time.Hour)
		e := s.event("bob", conversation.Start)
		e.Value = strings.TrimPrefix(late.Link, "https://net.example/?start=")
		s.takes(e)
		s.hearsOnly("bob", "no longer valid")
	})
}

func TestAWatchThatIsSatisfiedAlreadyFiresRightAfterTheConfirmation(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.stock("mug", 10)
		form := s.subscribes("ada", "20.00")
		form.External = map[string]string{"gclid": "g1"}
		s.subscribe(form)
		rests()
		s.hearsOnly("ada", "as soon as", "now costs €20.00")
		if got := s.thread("ada").Contact.ExternalIDs["gclid"]; got != "g1" {
			t.Errorf("the click id is %q, want g1", got)
		}
		s.subscribe(form) // the same wish once more
		rests()
		s.hearsOnly("ada", "as soon as")
		s.reprice("mug", 2000)
		rests()
		s.hearsOnly("ada")
	})
}

func TestAfterStopNoAlertIsSentUntilStart(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.told("ada")
		s.says("ada", "STOP")
		s.hearsOnly("ada", "will not write to you here any more")
		s.reprice("mug", 2000)
		s.reprice("mug", 1500)
		rests()
		s.hearsOnly("ada")
		s.says("ada", "thanks") // they may talk; their consent stays revoked
		s.hearsOnly("ada", "You are welcome!")
		s.reprice("mug", 2000)
		s.reprice("mug", 1500)
		rests()
		s.hearsOnly("ada")
		s.says("ada", "START")
		s.hearsOnly("ada", "Good to have you back!")
		s.reprice("mug", 2000)
		s.reprice("mug", 1500)
		rests()
		s.hearsOnly("ada", "now costs €15.00")
	})
}

func TestACancelledWatchTellsNothing(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.stock("mug", 10)
		done := s.subscribe(s.subscribes("ada", "17.50"))
		for range 2 {
			if err := s.house.CancelWatch(t.Context(), s.merchant, string(done.Watch.ID)); err != nil {
				t.Fatal(err)
			}
		}
		s.reprice("mug", 1700)
		rests()
		s.hearsOnly("ada", "as soon as")
	})
}
