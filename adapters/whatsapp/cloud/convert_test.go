package cloud

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/adapters"
	"parley/adapters/whatsapp/cloudtest"
	"parley/conversation"
)

// deliveryOf wraps messages as Meta does.
func deliveryOf(field, messages string) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp",
		"metadata":{"phone_number_id":"106540352242922"},"contacts":[{"wa_id":"16505551234","profile":{"name":"Ann \u202e\nB"}}],%q:[%s]}}]}]}`, field, messages)
}

func TestMessagesOfAllKindsBecomeEvents(t *testing.T) {
	const token = "q3-_Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MDEyMzQ1Njc"
	text := func(s string) conversation.Event { return conversation.Event{Kind: conversation.Text, Text: s} }
	with := func(media, s string) conversation.Event {
		return conversation.Event{Kind: conversation.Text, Text: s, Media: media}
	}
	choice := func(s string) conversation.Event { return conversation.Event{Kind: conversation.Choice, Value: s} }
	begin := func(s string) conversation.Event { return conversation.Event{Kind: conversation.Start, Value: s} }
	tests := []struct {
		name, message string
		want          conversation.Event // the zero value for none
	}{
		{"words", `"type":"text","text":{"body":" hello\r\nyou\u0007 "}`, text("hello\nyou")},
		{"nothing but blanks", `"type":"text","text":{"body":" \n"}`, conversation.Event{}},
		{"a link of ours", `"type":"text","text":{"body":"start ` + token + `"}`, begin(token)},
		{"a link of ours with words behind", `"type":"text","text":{"body":"Start ` + token + ` hi there"}`, begin(token)},
		{"start alone", `"type":"text","text":{"body":"START"}`, text("START")},
		{"start as a word", `"type":"text","text":{"body":"start over please"}`, text("start over please")},
		{"a token within other words", `"type":"text","text":{"body":"please start ` + token + `"}`, text("please start " + token)},
		{"starting", `"type":"text","text":{"body":"started ` + token + `"}`, text("started " + token)},
		{"a reply button", `"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"v1","title":"Buy"}}`, choice("v1")},
		{"a row of a list", `"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"v2","title":"Blue"}}`, choice("v2")},
		{"a form", `"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"response_json":"{}"}}`, text("[form]")},
		{"a quick reply of ours", `"type":"button","button":{"payload":"v3","text":"Buy"}`, choice("v3")},
		{"a quick reply without payload", `"type":"button","button":{"payload":"Stop","text":"Stop"}`, text("Stop")},
		{"a picture", `"type":"image","image":{"id":"1","mime_type":"image/jpeg"}`, text("[photo]")},
		{"a picture with words", `"type":"image","image":{"id":"1","caption":"this one?"}`, with("photo", "this one?")},
		{"a picture with a stop", `"type":"image","image":{"id":"1","caption":"STOP"}`, with("photo", "STOP")},
		{"a video", `"type":"video","video":{"id":"1"}`, text("[video]")},
		{"a video with words", `"type":"video","video":{"id":"1","caption":"like this"}`, with("video", "like this")},
		{"a voice message", `"type":"audio","audio":{"id":"1","voice":true}`, text("[voice message]")},
		{"music", `"type":"audio","audio":{"id":"1"}`, text("[audio]")},
		{"a file", `"type":"document","document":{"id":"1","filename":"a.pdf"}`, text("[file a.pdf]")},
		{"a file with words", `"type":"document","document":{"id":"1","filename":"a\nb.pdf","caption":"page 2"}`, with("file a b.pdf", "page 2")},
		{"a file without a name", `"type":"document","document":{"id":"1"}`, text("[file]")},
		{"a sticker", `"type":"sticker","sticker":{"id":"1"}`, text("[sticker]")},
		{"a place", `"type":"location","location":{"latitude":37.44,"longitude":-122.16,"name":"Philz","address":"101 Forest Ave"}`, text("[location] Philz, 101 Forest Ave, 37.44,-122.16")},
		{"a bare place", `"type":"location","location":{"latitude":37.44,"longitude":-122.16}`, text("[location] 37.44,-122.16")},
		{"a contact", `"type":"contacts","contacts":[{"name":{"formatted_name":"Lucía Gómez"}}]`, text("[contact] Lucía Gómez")},
		{"two contacts", `"type":"contacts","contacts":[{"name":{"formatted_name":"Bob"},"phones":[{"phone":"+49 151 2"},{"phone":"+49 30 1"}]},{"name":{"formatted_name":"Eve"}}]`, text("[contact] Bob +49 151 2 +49 30 1, Eve")},
		{"a cart", `"type":"order","order":{"text":"gift","product_items":[{"product_retailer_id":"mug","quantity":2},{"product_retailer_id":"pen","quantity":1}]}`, text("[order] 2 × mug, 1 × pen\ngift")},
		{"what the API cannot show", `"type":"unsupported","errors":[{"code":131051}]`, text("[unsupported message]")},
		{"the opened chat", `"type":"request_welcome"`, begin("")},
		{"a reaction", `"type":"reaction","reaction":{"message_id":"wamid.OUT","emoji":"👍"}`, conversation.Event{Kind: conversation.Reaction, Text: "👍", Value: "wamid.OUT"}},
		{"a reaction taken back", `"type":"reaction","reaction":{"message_id":"wamid.OUT","emoji":""}`, conversation.Event{}},
		{"a changed number", `"type":"system","system":{"type":"user_changed_number"}`, conversation.Event{}},
		{"a word in a group", `"group_id":"g","type":"text","text":{"body":"hi"}`, conversation.Event{}},
		{"a kind to come", `"type":"hologram"`, text("[unsupported message]")},
		{"no kind", `"text":{"body":"hi"}`, conversation.Event{}},
	}
	m := newMessenger(t, "http://127.0.0.1:1", adapters.Env{}, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			message := `{"from":"16505551234","id":"wamid.A","timestamp":"1750091045",` + tt.message + `}`
			events, err := m.convert(deliveryOf("messages", message))
			if err != nil {
				t.Fatal(err)
			}
			if tt.want.Kind == "" {
				if len(events) != 0 {
					t.Fatalf("got %+v, want nothing", events)
				}
				return
			}
			want := tt.want
			want.Chat, want.Sender, want.SenderName, want.ID = "16505551234", "16505551234", "Ann \u202e B", "wamid.A"
			if want.Kind != conversation.Reaction {
				want.Message = want.ID
			}
			want.At, want.Raw = time.Unix(1750091045, 0).UTC(), []byte(message)
			if diff := cmp.Diff([]conversation.Event{want}, events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheAdThatSomebodyCameFromStaysInTheRawMessage(t *testing.T) {
	m := newMessenger(t, "http://127.0.0.1:1", adapters.Env{}, nil)
	events, err := m.convert(deliveryOf("messages", `{"from":"1","id":"a","type":"text","text":{"body":"hi"},"referral":{"source_type":"ad","ctwa_clid":"Aff-n8Z"}}`))
	if err != nil || len(events) != 1 || !strings.Contains(string(events[0].Raw), `"ctwa_clid":"Aff-n8Z"`) {
		t.Errorf("got %+v, %v, want the referral kept", events, err)
	}
}

func TestSomebodyWhoHidesTheirNumberHasTheIDOfTheirs(t *testing.T) {
	m := newMessenger(t, "http://127.0.0.1:1", adapters.Env{}, nil)
	events, err := m.convert(deliveryOf("messages", `{"from_user_id":"US.13491208655302741918","id":"a","type":"text","text":{"body":"hi"}}`))
	if err != nil || len(events) != 1 || events[0].Chat != "US.13491208655302741918" {
		t.Fatalf("got %+v, %v, want their id as chat", events, err)
	}
	if msg, failed := addressed(events[0].Chat); failed != nil || msg.Recipient != events[0].Chat || msg.To != "" {
		t.Errorf("got %+v, %v, want it written to as recipient", msg, failed)
	}
}

func TestStatusesBecomeReceipts(t *testing.T) {
	status := func(name, more string) string {
		return `{"id":"wamid.O","status":"` + name + `","timestamp":"1750091045","recipient_id":"16505551234"` + more + `}`
	}
	failure := func(code int, title string) string {
		return status("failed", fmt.Sprintf(`,"errors":[{"code":%d,"title":%q,"error_data":{"details":"why"}}]`, code, title))
	}
	receipt := func(name, text string) conversation.Event {
		return conversation.Event{Kind: conversation.Receipt, Name: name, Value: "wamid.O", ID: "wamid.O:" + name, Text: text}
	}
	tests := []struct {
		name, status string
		want         []conversation.Event
	}{
		{"sent says nothing new", status("sent", ""), nil},
		{"delivered", status("delivered", ""), []conversation.Event{receipt("delivered", "")}},
		{"read", status("read", ""), []conversation.Event{receipt("read", "")}},
		{"failed without a reason", status("failed", ""), []conversation.Event{receipt("failed", "")}},
		{"the window was closed after all", failure(131047, "Re-engagement message"), []conversation.Event{receipt("failed", "131047: Re-engagement message: why")}},
		{"too much advertising", failure(131049, "Not delivered"), []conversation.Event{receipt("failed", "131049: Not delivered: why")}},
		{"undeliverable", failure(131026, "Message undeliverable"), []conversation.Event{
			receipt("failed", "131026: Message undeliverable: why"),
			{Kind: conversation.Blocked, ID: "wamid.O:blocked", Text: "131026: Message undeliverable: why"},
		}},
		{"one to come", status("held", ""), nil},
	}
	m := newMessenger(t, "http://127.0.0.1:1", adapters.Env{}, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			events, err := m.convert(deliveryOf("statuses", tt.status))
			if err != nil {
				t.Fatal(err)
			}
			for i := range tt.want {
				tt.want[i].Chat, tt.want[i].Sender, tt.want[i].At = "16505551234", "16505551234", time.Unix(1750091045, 0).UTC()
			}
			if diff := cmp.Diff(tt.want, events, cmpopts.IgnoreFields(conversation.Event{}, "Raw"), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatTheShopWritesOnItsOwnPhoneIsStaff(t *testing.T) {
	s := newShop(t, nil)
	s.ann.Hears("I am on it")
	s.srv.WaitTaken()
	e := s.inbox.all()[0]
	if e.Kind != conversation.Staff || e.Chat != ann || e.Text != "I am on it" || e.ID == "" {
		t.Errorf("got %+v, want staff's words in Ann's chat", e)
	}
}

func TestWhatTheShopSendsFromItsOwnPhoneIsNamed(t *testing.T) {
	m := newMessenger(t, "http://127.0.0.1:1", adapters.Env{}, nil)
	raw := strings.Replace(string(deliveryOf("message_echoes", `{"to":"16505551234","id":"wamid.E","type":"image","image":{"id":"1","caption":"this one"}}`)), `"field":"messages"`, `"field":"smb_message_echoes"`, 1)
	events, err := m.convert([]byte(raw))
	if err != nil || len(events) != 1 || events[0].Kind != conversation.Staff || events[0].Text != "[photo] this one" {
		t.Errorf("got %+v, %v, want staff's picture named with its words", events, err)
	}
}

func TestAnAccountThatMetaStopsServingLaterIsShownAsFailedUntilAMessageArrives(t *testing.T) {
	var reports []string
	m := newMessenger(t, "http://127.0.0.1:1", adapters.Env{Report: func(state, problem string) { reports = append(reports, strings.TrimSpace(state+" "+problem)) }}, nil)
	take := func(field, value string) {
		t.Helper()
		if _, err := m.convert(deliveryOf(field, value)); err != nil {
			t.Fatal(err)
		}
	}
	status := func(name string, code int) string {
		return fmt.Sprintf(`{"id":"wamid.O","status":%q,"recipient_id":"16505551234","errors":[{"code":%d,"title":"as Meta words it"}]}`, name, code)
	}
	take("statuses", status("failed", 131047))
	take("statuses", `{"id":"wamid.O","status":"delivered","recipient_id":"16505551234"}`)
	if len(reports) != 0 {
		t.Errorf("got %q, want no report of what concerns one message", reports)
	}
	take("statuses", status("failed", 131042))
	take("errors", `{"code":131031,"title":"locked `+cloudtest.Token+`"}`)
	take("statuses", `{"id":"wamid.O","status":"read","recipient_id":"16505551234"}`)
	want := []string{
		"failed WhatsApp delivers nothing for this account (131042): as Meta words it",
		"failed WhatsApp delivers nothing for this account (131031): locked ***", "ready",
	}
	if diff := cmp.Diff(want, reports); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
}
