package cloud

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/adapters"
	"parley/adapters/whatsapp/cloudtest"
	"parley/conversation"
)

// options are so many choices whose labels and values fill what they may.
func options(n, label, value int) []conversation.Option {
	out := make([]conversation.Option, n)
	for i := range out {
		mark := fmt.Sprint(i % 10)
		out[i] = conversation.Option{ID: "id" + mark, Label: mark + strings.Repeat("ß", label-1), Value: mark + strings.Repeat("v", value-1)}
	}
	return out
}

func buttons(choices []conversation.Option) []cloudtest.Button {
	var out []cloudtest.Button
	for _, c := range choices {
		out = append(out, cloudtest.Button{Label: c.Label, Value: c.Value})
	}
	return out
}

func TestEachKindOfPartIsShownAsItIs(t *testing.T) {
	const public = "https://shop.example/a.png"
	long := strings.Repeat("价", 1024)
	tests := []struct {
		name string
		part adapters.Part
		want cloudtest.Message
	}{
		{"text", adapters.Part{Text: "*a* <b> https://shop.example"}, cloudtest.Message{Text: "*a* <b> https://shop.example"}},
		{"the longest text", adapters.Part{Text: strings.Repeat("👍", 4096)}, cloudtest.Message{Text: strings.Repeat("👍", 4096)}},
		{"three buttons at their limits", adapters.Part{Text: long, Choices: options(3, 20, 256)}, cloudtest.Message{Text: long, Buttons: buttons(options(3, 20, 256))}},
		{"a list at its limits", adapters.Part{Text: long, Choices: options(10, 24, 200)}, cloudtest.Message{Text: long, Buttons: buttons(options(10, 24, 200)), Menu: "Choose"}},
		{"two choices too long for buttons", adapters.Part{Text: "?", Choices: options(2, 24, 3)}, cloudtest.Message{Text: "?", Buttons: buttons(options(2, 24, 3)), Menu: "Choose"}},
		{"a list in German", adapters.Part{Text: "Welche?", Language: "de-AT", Choices: options(4, 9, 9)}, cloudtest.Message{Text: "Welche?", Buttons: buttons(options(4, 9, 9)), Menu: "Auswählen"}},
		{"a picture", adapters.Part{Text: long, Image: public}, cloudtest.Message{Text: long, Image: public}},
		{"a picture without words", adapters.Part{Image: public}, cloudtest.Message{Image: public}},
		{"a picture with buttons", adapters.Part{Text: "look", Image: public, Choices: options(1, 3, 3)}, cloudtest.Message{Text: "look", Image: public, Buttons: buttons(options(1, 3, 3))}},
		{"a picture with a list", adapters.Part{Text: "look", Image: public, Choices: options(4, 3, 3)}, cloudtest.Message{Text: "look", Buttons: buttons(options(4, 3, 3)), Menu: "Choose"}},
		{"a picture of this machine", adapters.Part{Text: "look", Image: "http://127.0.0.1:8080/a.png"}, cloudtest.Message{Text: "look"}},
		{"a picture of this house", adapters.Part{Text: "look", Image: "https://nas.local/a.png"}, cloudtest.Message{Text: "look"}},
		{"a picture that WhatsApp has no name for", adapters.Part{Text: "look", Image: "https://shop.example/a.webp?v=1"}, cloudtest.Message{Text: "look"}},
		{"buttons without words", adapters.Part{Choices: options(1, 3, 3)}, cloudtest.Message{Text: "…", Buttons: buttons(options(1, 3, 3))}},
		{
			"labels that were shortened to the same", adapters.Part{Text: "?", Choices: []conversation.Option{{Label: "Buy the blue one fo…", Value: "a"}, {Label: "Buy the blue one fo…", Value: "b"}}},
			cloudtest.Message{Text: "?", Buttons: []cloudtest.Button{{Label: "Buy the blue one fo…", Value: "a"}, {Label: "Buy the blue one (2)", Value: "b"}}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newShop(t, nil)
			tt.part.Chat = "+" + ann
			sent, err := s.Send(t.Context(), tt.part)
			if err != nil {
				t.Fatal(err)
			}
			got := s.ann.Messages()
			if len(got) != 1 || got[0].ID != sent.ID || sent.ID == "" {
				t.Fatalf("got %+v as %q, want one message", got, sent.ID)
			}
			if diff := cmp.Diff(tt.want, got[0], cmpopts.IgnoreFields(cloudtest.Message{}, "ID")); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPictureThatMetaCannotTakeNeverCostsTheWords(t *testing.T) {
	s := newShop(t, nil)
	s.srv.Fail(cloudtest.Fault{Status: 400, Code: 131053, Message: "Media upload error", Picture: true})
	if _, err := s.Send(t.Context(), adapters.Part{Chat: ann, Text: "look", Image: "https://shop.example/a.png"}); err != nil {
		t.Fatal(err)
	}
	for _, image := range []string{"https://shop.example/huge.jpg", "http://127.0.0.1/a.png"} {
		s.srv.Fail(cloudtest.Fault{Status: 400, Code: 131053, Message: "Media upload error", Picture: true})
		if _, err := s.Send(t.Context(), adapters.Part{Chat: ann, Image: image}); err != nil {
			t.Errorf("%s alone: %v, want it left out: the words come in the next part", image, err)
		}
	}
	if got := s.ann.Messages(); len(got) != 1 || got[0].Text != "look" || got[0].Image != "" {
		t.Errorf("got %+v, want the words alone", got)
	}
	if said := s.logs.String(); strings.Count(said, "level=WARN") != 3 {
		t.Errorf("got logs %s, want each picture that was left out", said)
	}
}

func TestWhatIsTooLongIsRefusedNeverCut(t *testing.T) {
	tests := []struct {
		name string
		part adapters.Part
	}{
		{"text", adapters.Part{Text: strings.Repeat("x", 4097)}},
		{"text with buttons", adapters.Part{Text: strings.Repeat("x", 1025), Choices: options(1, 3, 3)}},
		{"text with a list", adapters.Part{Text: strings.Repeat("x", 1025), Choices: options(4, 3, 3)}},
		{"a label for neither a button nor a row", adapters.Part{Text: "?", Choices: options(3, 25, 3)}},
		{"a button's value", adapters.Part{Text: "?", Choices: options(3, 3, 257)}},
		{"a row's label", adapters.Part{Text: "?", Choices: options(4, 25, 3)}},
		{"a row's value", adapters.Part{Text: "?", Choices: options(4, 3, 201)}},
		{"a list of eleven", adapters.Part{Text: "?", Choices: append(options(10, 3, 3), conversation.Option{Label: "x", Value: "x"})}},
	}
	s := newShop(t, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.part.Chat = ann
			_, err := s.Send(t.Context(), tt.part)
			if got := refusal(t, err); got.Consequence != adapters.Rejected {
				t.Errorf("got %v, want rejected", got)
			}
		})
	}
	_, err := s.Send(t.Context(), adapters.Part{Chat: "ann@shop.example", Text: "x"})
	if got := refusal(t, err); got.Consequence != adapters.Rejected || got.Code != "bad_chat" {
		t.Errorf("got %v, want a chat that is no number refused", got)
	}
}

const twoTemplates = `[
	{class: notification, name: shop_alert, languages: [en_US, de]},
	{class: notification, name: shop_alert_buttons, languages: [en_US, pt_BR], buttons: [buy, ask]}]`

func TestAfterTheWindowAMessageGoesByItsTemplate(t *testing.T) {
	buy, ask := conversation.Option{ID: "buy", Label: "Buy now, pay €35.50", Value: "v-buy"}, conversation.Option{ID: "ask", Label: "Ask", Value: "v-ask"}
	note := adapters.Part{Text: "The mug costs\n\n €17.20\tnow. ", Class: conversation.Notification}
	with := func(p adapters.Part, language string, choices ...conversation.Option) adapters.Part {
		p.Language, p.Choices = language, choices
		return p
	}
	const text = "The mug costs · €17.20 now."
	tests := []struct {
		name string
		part adapters.Part
		want cloudtest.Message
	}{
		{"plain", note, cloudtest.Message{Template: "shop_alert", Language: "en_US", Text: text}},
		{"in the contact's language", with(note, "de-CH"), cloudtest.Message{Template: "shop_alert", Language: "de", Text: text}},
		{"in a language that it lacks", with(note, "fr"), cloudtest.Message{Template: "shop_alert", Language: "en_US", Text: text}},
		{"with its buttons", with(note, "en", ask, buy), cloudtest.Message{
			Template: "shop_alert_buttons", Language: "en_US", Text: text,
			Buttons: []cloudtest.Button{{Label: "Order", Value: "v-buy"}, {Label: "Question", Value: "v-ask"}},
		}},
		{"without one of its buttons", with(note, "en", buy), cloudtest.Message{Template: "shop_alert", Language: "en_US", Text: text}},
		{"exactly by language", with(note, "pt-BR", buy, ask), cloudtest.Message{
			Template: "shop_alert_buttons", Language: "pt_BR", Text: text,
			Buttons: []cloudtest.Button{{Label: "Order", Value: "v-buy"}, {Label: "Question", Value: "v-ask"}},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newShop(t, map[string]string{"templates": twoTemplates})
			s.srv.Approve(cloudtest.Template{Name: "shop_alert", Languages: []string{"en_US", "de"}})
			s.srv.Approve(cloudtest.Template{Name: "shop_alert_buttons", Languages: []string{"en_US", "pt_BR"}, Buttons: []string{"Order", "Question"}})
			s.ann.GoAway()
			tt.part.Chat, tt.part.WindowClosed = ann, true
			sent, err := s.Send(t.Context(), tt.part)
			if err != nil {
				t.Fatal(err)
			}
			got := s.ann.Messages()[0]
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(cloudtest.Message{}, "ID")); diff != "" || got.ID != sent.ID {
				t.Errorf("message (-want +got):\n%s", diff)
			}
			if len(got.Buttons) > 0 {
				s.ann.Press("Question")
				s.srv.WaitTaken()
				if e := s.inbox.all()[0]; e.Kind != conversation.Choice || e.Value != "v-ask" {
					t.Errorf("got %+v, want the choice behind the quick reply", e)
				}
			}
		})
	}
}

func TestAfterTheWindowNothingGoesWithoutATemplate(t *testing.T) {
	s := newShop(t, map[string]string{"templates": "[{class: notification, name: shop_alert, languages: [en], buttons: [buy]}]"})
	s.ann.GoAway()
	for _, part := range []adapters.Part{
		{Text: "your receipt", Class: conversation.ReceiptClass},
		{Text: "an answer"},
		{Text: "an alert without the button", Class: conversation.Notification},
	} {
		part.Chat, part.WindowClosed = ann, true
		_, err := s.Send(t.Context(), part)
		if got := refusal(t, err); got.Consequence != adapters.Window {
			t.Errorf("%s: got %v, want %s", part.Text, got, adapters.Window)
		}
	}
	if calls := len(s.srv.Calls()); calls != 0 {
		t.Errorf("got %d calls, want none", calls)
	}
	_, err := s.Send(t.Context(), adapters.Part{Chat: ann, Text: "we thought the window was open"})
	if got := refusal(t, err); got.Consequence != adapters.Window || got.Code != "131047" {
		t.Errorf("got %v, want Meta's own word for it", got)
	}
}

func TestAVariableHoldsAtMost1024RunesOfOneLine(t *testing.T) {
	for _, text := range []string{strings.Repeat("价", 3000), strings.Repeat("word ", 700), strings.Repeat("a\n", 900), "a" + strings.Repeat(" ", 9) + "b"} {
		got := variable(text)
		if n := len([]rune(got)); n > 1024 || n < 3 || strings.ContainsAny(got, "\n\t") || strings.Contains(got, "  ") {
			t.Errorf("got %d runes %.40q…", n, got)
		}
	}
}

func TestEveryCallNamesUsAndAsksForJSON(t *testing.T) {
	s := newShop(t, nil)
	if _, err := s.Send(t.Context(), adapters.Part{Chat: ann, Text: "x"}); err != nil {
		t.Fatal(err)
	}
	call := s.srv.Calls()[0]
	var body map[string]any
	if err := json.Unmarshal(call.Body, &body); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"messaging_product": "whatsapp", "recipient_type": "individual", "to": ann, "type": "text",
		"text": map[string]any{"body": "x", "preview_url": false},
	}
	if diff := cmp.Diff(want, body); diff != "" || call.Path != "/v23.0/"+cloudtest.NumberID+"/messages" {
		t.Errorf("%s (-want +got):\n%s", call.Path, diff)
	}
}
