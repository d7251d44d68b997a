package cloud

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/adapters/whatsapp/cloudtest"
	"parley/conversation"
)

// everyKind are parts that make each kind of message there is, at its limits.
func everyKind() map[string]adapters.Part {
	long := strings.Repeat("价", 1024)
	alert := adapters.Part{Text: long, Class: conversation.Notification, WindowClosed: true}
	pressed := alert
	pressed.Choices = []conversation.Option{{ID: "buy", Label: "Buy", Value: "v1"}, {ID: "ask", Label: "Ask", Value: "v2"}}
	return map[string]adapters.Part{
		"text":                  {Text: strings.Repeat("👍", 4096)},
		"buttons":               {Text: long, Choices: options(3, 20, 256)},
		"buttons and a picture": {Text: long, Image: "https://shop.example/a.png", Choices: options(2, 20, 256)},
		"list":                  {Text: long, Choices: options(10, 24, 200)},
		"picture":               {Text: long, Image: "https://shop.example/a.png"},
		"template":              alert,
		"template with buttons": pressed,
	}
}

// requestOf is what is sent for a part.
func requestOf(t *testing.T, part adapters.Part) cloudtest.Call {
	t.Helper()
	s := newShop(t, map[string]string{"templates": twoTemplates})
	s.srv.Approve(cloudtest.Template{Name: "shop_alert", Languages: []string{"en_US"}})
	s.srv.Approve(cloudtest.Template{Name: "shop_alert_buttons", Languages: []string{"en_US"}, Buttons: []string{"Order", "Question"}})
	part.Chat = ann
	if _, err := s.Send(t.Context(), part); err != nil {
		t.Fatal(err)
	}
	return s.srv.Calls()[0]
}

func decode(t *testing.T, raw []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEveryRequestFitsMetasOwnDescription(t *testing.T) {
	o := meta(t)
	message := o.schema("#/components/schemas/Message")
	for name, part := range everyKind() {
		t.Run(name, func(t *testing.T) {
			call := requestOf(t, part)
			for _, wrong := range o.check(message, decode(t, call.Body)) {
				t.Error(wrong)
			}
			for parameter, header := range map[string]string{"UserAgent": "User-Agent", "Authorization": "Authorization"} {
				pattern := o.at("components", "parameters", parameter, "schema", "pattern").(string)
				if got := call.Header.Get(header); !regexp.MustCompile(pattern).MatchString(got) {
					t.Errorf("header %s does not match %s", header, pattern)
				}
			}
			media := o.at("paths", "/{Version}/{Phone-Number-ID}/messages", "post", "requestBody", "content").(map[string]any)
			if media[call.Header.Get("Content-Type")] == nil {
				t.Errorf("got %s, want a media type that is described", call.Header.Get("Content-Type"))
			}
		})
	}
}

// The description has the read mark among its examples only.
func TestReadMarkIsTheExampleOfMetasDescription(t *testing.T) {
	o := meta(t)
	s := newShop(t, nil)
	id := s.ann.Type("hi")
	s.srv.WaitTaken()
	if err := s.Typing(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	want, ok := o.at("paths", "/{Version}/{Phone-Number-ID}/messages", "post", "requestBody", "content", "application/json",
		"examples", "Send typing indicator and read receipt", "value").(map[string]any)
	if !ok {
		t.Fatal("the description has no such example")
	}
	want["message_id"] = id
	if diff := cmp.Diff(any(want), decode(t, s.srv.Calls()[0].Body)); diff != "" {
		t.Errorf("read mark (-want +got):\n%s", diff)
	}
}

func TestAReactionFitsMetasDescriptionAndItsExample(t *testing.T) {
	o := meta(t)
	s := newShop(t, nil)
	id := s.ann.Type("is it blue?")
	s.srv.WaitTaken()
	if err := s.React(t.Context(), ann, id, "👀"); err != nil {
		t.Fatal(err)
	}
	got := decode(t, s.srv.Calls()[0].Body)
	for _, wrong := range o.check(o.schema("#/components/schemas/Message"), got) {
		t.Error(wrong)
	}
	want, ok := o.at("paths", "/{Version}/{Phone-Number-ID}/messages", "post", "requestBody", "content", "application/json",
		"examples", "Send Reply with Reaction Message", "value").(map[string]any)
	if !ok {
		t.Fatal("the description has no such example")
	}
	want["to"], want["reaction"] = ann, map[string]any{"message_id": id, "emoji": "👀"}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Errorf("reaction (-want +got):\n%s", diff)
	}
}

func TestTheCheckerTakesMetasExamplesAndNothingElse(t *testing.T) {
	o := meta(t)
	message := o.schema("#/components/schemas/Message")
	for _, name := range []string{"Send Text Message", "Send Reply Button", "Send List Message"} {
		example := o.at("paths", "/{Version}/{Phone-Number-ID}/messages", "post", "requestBody", "content", "application/json", "examples", name, "value")
		if wrong := o.check(message, example); len(wrong) > 0 || example == nil {
			t.Errorf("%s: %v", name, wrong)
		}
	}
	kinds := everyKind()
	for name, change := range map[string]struct{ part, from, to string }{
		"an unknown field":     {"text", `"type":"text"`, `"type":"text","colour":"red"`},
		"no recipient":         {"text", `"to":"16505551234",`, ``},
		"an unknown kind":      {"text", `"type":"text"`, `"type":"hologram"`},
		"a body that is none":  {"text", `"preview_url":false`, `"preview_url":"no"`},
		"a long title":         {"buttons", `"title":"0`, `"title":"00`},
		"a long body":          {"buttons", `"text":"价`, `"text":"价价`},
		"a fourth button":      {"buttons", `"buttons":[`, `"buttons":[{"type":"reply","reply":{"id":"x","title":"x"}},`},
		"an eleventh row":      {"list", `"rows":[`, `"rows":[{"id":"x","title":"x"},`},
		"a long row":           {"list", `"title":"0`, `"title":"00`},
		"a long id":            {"list", `"id":"0`, `"id":"00`},
		"no link":              {"picture", `"link":"https://shop.example/a.png",`, ``},
		"no language":          {"template", `"code":"en_US"`, `"cod":"en_US"`},
		"an unknown component": {"template with buttons", `"quick_reply"`, `"slow_reply"`},
	} {
		body := string(requestOf(t, kinds[change.part]).Body)
		spoiled := strings.Replace(body, change.from, change.to, 1)
		if spoiled == body {
			t.Errorf("%s: %s has no %s", name, body, change.from)
			continue
		}
		if wrong := o.check(message, decode(t, []byte(spoiled))); len(wrong) == 0 {
			t.Errorf("%s: want it refused", name)
		}
	}
}

func TestMetasExamplesOfDeliveriesAreUnderstood(t *testing.T) {
	o := meta(t)
	examples, ok := o.at("paths", "/whatsapp/webhooks", "post", "requestBody", "content", "application/json", "examples").(map[string]any)
	if !ok {
		t.Fatal("the description has no examples")
	}
	var got []string
	for name, example := range examples {
		raw, err := json.Marshal(example.(map[string]any)["value"])
		if err != nil {
			t.Fatal(err)
		}
		m := newMessenger(t, "http://127.0.0.1:1", adapters.Env{}, nil)
		events, err := m.convert(raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, e := range events {
			if e.Chat != "16505551234" || e.SenderName != "Sheena Nelson" || e.At.IsZero() || !strings.HasPrefix(e.ID, "wamid.") {
				t.Errorf("%s: got %+v, want it from Sheena with id and time", name, e)
			}
			got = append(got, strings.Join(strings.Fields(fmt.Sprintf("%s: %s %s %s %s", name, e.Kind, e.Value, e.Media, e.Text)), " "))
		}
	}
	slices.Sort(got)
	want := []string{
		"Button Message: text Unsubscribe",
		"Contact Sharing Message: text [contact] Lucía Gómez +1 (983) 555-2319",
		"Image Message: text photo Taj Mahal",
		"Interactive Button Reply Message: choice cancel-button",
		"Interactive List Reply Message: choice priority_express",
		"Location Message: text [location] Philz Coffee, 101 Forest Ave, Palo Alto, CA 94301, 37.44221496582,-122.16165924072",
		"Order Message: text [order] 2 × di9ozbzfi4, 1 × nqryix03ez",
		"Reaction Message: reaction wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI0RTJEOTc2ODVERUY5RDlGNkYA 👍",
		"Text Message from Click to WhatsApp Ad: text Hello! Can I get more info on this?",
		"Text Message with Context (Product Inquiry): text Is this still available?",
		"Text Message: text Does it come in another color?",
		"Unsupported Message: text [unsupported message]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// answering gives every request the same answer.
type answering struct {
	status int
	body   []byte
}

func (a answering) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(bytes.NewReader(a.body)), Header: http.Header{}}, nil
}

func TestMetasExamplesOfTheNumberLookUpMeanWhatTheySay(t *testing.T) {
	o := meta(t)
	answers, ok := o.at("paths", "/{Version}/{Phone-Number-ID}", "get", "responses").(map[string]any)
	if !ok {
		t.Fatal("the description has no look-up of a number")
	}
	seen := 0
	for code, answer := range answers {
		status, err := strconv.Atoi(code)
		if err != nil {
			t.Fatal(err)
		}
		examples, _ := openapi{doc: answer.(map[string]any)}.at("content", "application/json", "examples").(map[string]any)
		for name, example := range examples {
			seen++
			body, err := json.Marshal(example.(map[string]any)["value"])
			if err != nil {
				t.Fatal(err)
			}
			m := newMessenger(t, "http://127.0.0.1:1", adapters.Env{HTTP: &http.Client{Transport: answering{status, body}}}, nil)
			err = m.identify(t.Context())
			if (err == nil) != (status == 200) || refused(err) != (status == 401 || status == 403) {
				t.Errorf("%d %s: got %v (final: %v)", status, name, err, refused(err))
			}
			if link := m.Link("tok"); status == 200 && link != "https://wa.me/15555555555?text=start%20tok" {
				t.Errorf("%s: got %s, want the number of the example", name, link)
			}
		}
	}
	if seen < 5 {
		t.Errorf("got %d examples, want at least 5", seen)
	}
}
