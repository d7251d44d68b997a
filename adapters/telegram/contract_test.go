package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parley/adapters"
	"parley/adapters/telegram/telegramtest"
	"parley/conversation"
)

// What we call is judged by a description of the Bot API that we did not write, and so is what the strict server tells us. It is not
// part of the repository.

func TestCallsAndUpdatesKeepToADescriptionOfTheBotAPI(t *testing.T) {
	api := readDescription(t)
	srv := telegramtest.Start(t)
	b := newBot(t, map[string]string{"api_base": srv.URL(), "payments_token": telegramtest.PaymentsToken}, srv.Client())
	var updates []json.RawMessage
	in := func(_ context.Context, events []conversation.Event) error {
		for _, e := range events {
			updates = append(updates, e.Raw)
		}
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx, in) }()
	everything(t, srv, b)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, call := range srv.Calls("") {
		seen[call.Method] = true
		if err := api.judgeCall(call); err != nil {
			t.Errorf("%s %v: %v", call.Method, call.Params, err)
		}
	}
	for _, update := range updates {
		var kinds map[string]json.RawMessage
		if err := json.Unmarshal(update, &kinds); err != nil {
			t.Fatal(err)
		}
		for kind := range kinds {
			seen[kind] = true
		}
		if err := api.judge("Update", update); err != nil {
			t.Errorf("%s: %v", update, err)
		}
	}
	for _, name := range []string{
		"getMe", "getUpdates", "sendMessage", "sendPhoto", "sendInvoice", "answerPreCheckoutQuery", "answerCallbackQuery", "sendChatAction",
		"editMessageText", "setMessageReaction", "createForumTopic", "getChat",
		"message", "callback_query", "pre_checkout_query", "message_reaction", "my_chat_member",
	} {
		if !seen[name] {
			t.Errorf("nothing was judged of %s", name)
		}
	}
}

// everything has the bot and Ann do all that they can.
func everything(t *testing.T, srv *telegramtest.Server, b *bot) {
	t.Helper()
	ann := srv.Person(42, "Ann")
	said := ann.Type("hi")
	ann.SendPhoto("look")
	srv.WaitConfirmed()
	send := func(part adapters.Part) string {
		part.Chat = "42"
		sent, err := b.Send(t.Context(), part)
		if err != nil {
			t.Fatal(err)
		}
		return sent.ID
	}
	id := send(adapters.Part{Text: "pick", Choices: []conversation.Option{{Label: "Buy", Value: "v"}}})
	ann.Press("Buy")
	ann.React("pick", "👍")
	send(adapters.Part{Text: "look", Image: "https://shop.example/a.png"})
	send(adapters.Part{Text: "look", Image: serve(t, gif).URL + "/a.gif"})
	send(adapters.Part{Choices: []conversation.Option{{Label: "Pay €17.00", Invoice: &conversation.Invoice{ID: "qte_1", Title: "Mug", Description: "A mug", Total: eur(1700)}}}})
	first, second := ann.Pay("Mug"), ann.Pay("Mug")
	err := errors.Join(b.AnswerCheckout(t.Context(), first.ID, ""), b.AnswerCheckout(t.Context(), second.ID, "Sold out"), b.Typing(t.Context(), "42"),
		b.Edit(t.Context(), id, adapters.Part{Chat: "42", Text: "changed"}), b.React(t.Context(), "42", "1", "👀"))
	if err != nil {
		t.Fatal(said, err)
	}
	first.Complete()
	srv.Group(-1001234567890, "Staff", true)
	if _, err := b.Open(t.Context(), "-1001234567890", "Ann · Mug"); err != nil {
		t.Fatal(err)
	}
	ann.Block()
	srv.WaitConfirmed()
}

func TestTheJudgeSeesMistakes(t *testing.T) {
	api := readDescription(t)
	for _, c := range []struct{ name, method, params, want string }{
		{"good", "sendMessage", `{"chat_id":"42","text":"hi"}`, ""},
		{"a parameter is missing", "sendMessage", `{"chat_id":"42"}`, "text"},
		{"one is unknown", "sendMessage", `{"chat_id":"42","text":"hi","texts":"ho"}`, "texts"},
		{"one is of another type", "setMessageReaction", `{"chat_id":"42","message_id":"x"}`, "message_id"},
		{"an amount is no number", "sendInvoice", `{"chat_id":"42","title":"t","description":"d","payload":"p","currency":"EUR","prices":"[{\"label\":\"l\",\"amount\":\"1\"}]"}`, "amount"},
		{"no such method", "sendMoney", `{}`, "sendMoney"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var params map[string]string
			if err := json.Unmarshal([]byte(c.params), &params); err != nil {
				t.Fatal(err)
			}
			call := telegramtest.Call{Method: c.method, Params: map[string][]string{}}
			for name, value := range params {
				call.Params.Set(name, value)
			}
			err := api.judgeCall(call)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
}

// description is the Bot API as telegram-bot-api-spec extracts it from Telegram's pages.
type description struct {
	Methods map[string]described `json:"methods"`
	Types   map[string]described `json:"types"`
}

type described struct {
	Fields []struct {
		Name     string   `json:"name"`
		Types    []string `json:"types"`
		Required bool     `json:"required"`
	} `json:"fields"`
	Subtypes []string `json:"subtypes"`
}

func readDescription(t *testing.T) *description {
	t.Helper()
	root := os.Getenv("PARLEY_CORPUS")
	if root == "" {
		const why = "PARLEY_CORPUS names no folder with specs/telegram-bot-api.json: calls are not judged by a description of the Bot API"
		if slices.Contains(strings.Split(os.Getenv("PARLEY_REQUIRE"), ","), "corpus") {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	text, err := os.ReadFile(filepath.Join(root, "specs", "telegram-bot-api.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d description
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// judgeCall checks a call's parameters, which travel as a form: what is no text or number is JSON there.
func (d *description) judgeCall(c telegramtest.Call) error {
	method, ok := d.Methods[c.Method]
	if !ok {
		return fmt.Errorf("there is no method %s", c.Method)
	}
	known := map[string]bool{"disable_web_page_preview": true} // of the library's; Telegram still takes it
	for _, f := range method.Fields {
		known[f.Name] = true
		value, uploaded := c.Params.Get(f.Name), c.Files[f.Name]
		if (value == "" || value == "null") && !uploaded { // the library writes null for an empty list
			if f.Required {
				return fmt.Errorf("%s is missing", f.Name)
			}
			continue
		}
		if uploaded && !slices.Contains(f.Types, "InputFile") {
			return fmt.Errorf("%s is no file", f.Name)
		}
		if uploaded {
			continue
		}
		raw := json.RawMessage(value)
		_, number := strconv.ParseInt(value, 10, 64)
		_, truth := strconv.ParseBool(value)
		if number != nil && truth != nil && !strings.HasPrefix(value, "{") && !strings.HasPrefix(value, "[") || slices.Equal(f.Types, []string{"String"}) {
			raw, _ = json.Marshal(value)
		}
		if err := d.any(f.Types, raw); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	for name := range c.Params {
		if !known[name] {
			return fmt.Errorf("there is no parameter %s", name)
		}
	}
	return nil
}

func (d *description) any(types []string, raw json.RawMessage) error {
	var errs []error
	for _, name := range types {
		err := d.judge(name, raw)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (d *description) judge(name string, raw json.RawMessage) error {
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return err
	}
	if of, is := strings.CutPrefix(name, "Array of "); is {
		var entries []json.RawMessage
		if err := json.Unmarshal(raw, &entries); err != nil {
			return err
		}
		for i, entry := range entries {
			if err := d.judge(of, entry); err != nil {
				return fmt.Errorf("%d: %w", i, err)
			}
		}
		return nil
	}
	switch n, number := value.(float64); name {
	case "Integer":
		if !number || n != math.Trunc(n) {
			return fmt.Errorf("%s is no integer", raw)
		}
		return nil
	case "Float":
		if !number {
			return fmt.Errorf("%s is no number", raw)
		}
		return nil
	case "String":
		if _, ok := value.(string); !ok {
			return fmt.Errorf("%s is no text", raw)
		}
		return nil
	case "Boolean", "True":
		if _, ok := value.(bool); !ok {
			return fmt.Errorf("%s is neither true nor false", raw)
		}
		return nil
	}
	return d.object(name, raw)
}

func (d *description) object(name string, raw json.RawMessage) error {
	t, ok := d.Types[name]
	if !ok {
		return fmt.Errorf("there is no type %s", name)
	}
	if len(t.Subtypes) > 0 {
		return d.any(t.Subtypes, raw)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, f := range t.Fields {
		value, there := fields[f.Name]
		delete(fields, f.Name)
		if !there && f.Required {
			return fmt.Errorf("%s has no %s", name, f.Name)
		}
		if !there {
			continue
		}
		if err := d.any(f.Types, value); err != nil {
			return fmt.Errorf("%s of %s: %w", f.Name, name, err)
		}
	}
	for unknown := range fields {
		return fmt.Errorf("%s knows no %s", name, unknown)
	}
	return nil
}
