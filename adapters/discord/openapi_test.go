package discord

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"parley/adapters"
	"parley/adapters/discord/discordtest"
	"parley/conversation"
)

// everyRequest has the adapter make every kind of request that it can, and returns them as they came.
func everyRequest(t *testing.T) []discordtest.Call {
	t.Helper()
	srv := discordtest.Start(t)
	srv.ContentIntent(true)
	b := newBot(t, srv, &memory{}, map[string]string{}).start(t)
	ann, shop := srv.Person("Ann"), srv.Guild()
	ann.Type("hello")
	ann.WriteIn(shop, "<@"+discordtest.Bot+"> hello")
	asked := b.inbox.await(t, 2)
	for i, part := range []adapters.Part{
		{Text: "*plain* https://shop.example/a_b"},
		{Text: strings.Repeat("a", textLimit), Key: "msg_01hzyq3k5w8v2t6x9b4c7d0f1g"},
		{Text: strings.Repeat("*", textLimit), Image: "https://shop.example/a.png"},
		{Text: "Pick", Choices: []conversation.Option{{Label: strings.Repeat("ß", 80), Value: strings.Repeat("v", 100)}}},
		{Text: "Pick", Choices: options(10)},
		{Text: "Pick", Choices: append(options(24), conversation.Option{Label: strings.Repeat("ß", 100), Value: strings.Repeat("v", 100)})},
	} {
		part.Chat = ann.Channel
		if i == 0 {
			part.Chat = asked.Chat
		}
		sent, err := b.Send(t.Context(), part)
		if err == nil {
			err = b.Edit(t.Context(), sent.ID, part)
		}
		if err != nil {
			t.Errorf("part %d: %v", i, err)
		}
	}
	if err := b.Typing(t.Context(), ann.Channel); err != nil {
		t.Error(err)
	}
	ann.Press("Choice 3")
	srv.Wait("the acknowledgement", func() bool { return srv.Acked() == 1 })
	for _, kind := range []int{textChannel, newsChannel, forum} {
		thread, err := b.Open(t.Context(), srv.Room(kind), strings.Repeat("*é", 80))
		if err != nil {
			t.Fatalf("open a thread in a channel of kind %d: %v", kind, err)
		}
		sent, err := b.Send(t.Context(), adapters.Part{Chat: thread, Text: "Ann asks", Choices: options(2)})
		if err != nil {
			t.Fatal(err)
		}
		srv.Archive(thread[strings.Index(thread, ":t")+2:], false)
		if err := b.Edit(t.Context(), sent.ID, adapters.Part{Chat: thread, Text: "Ann asks"}); err != nil {
			t.Error(err)
		}
	}
	srv.Void()
	srv.Drop()
	srv.Wait("the question for what was missed", func() bool { return len(srv.Calls(http.MethodGet, "/messages")) >= 4 })
	return slices.DeleteFunc(srv.Calls("", ""), func(c discordtest.Call) bool { return strings.HasPrefix(c.Path, "/gw") })
}

// Every kind of request that the adapter makes keeps to what Discord publishes about its API.
func TestRequestsKeepToDiscordsOwnDescription(t *testing.T) {
	t.Parallel()
	api := readDescription(t)
	seen := map[string]int{}
	for _, call := range everyRequest(t) {
		name, err := api.judge(call)
		if err != nil {
			t.Errorf("%s %s %s: %v", call.Method, call.Path, call.Body, err)
		}
		seen[name]++
	}
	for _, name := range []string{
		"create_message", "update_message", "list_messages", "trigger_typing_indicator", "create_interaction_response", "get_bot_gateway", "get_my_user",
		"get_my_application", "get_channel", "create_thread", "update_channel",
	} {
		if seen[name] == 0 {
			t.Errorf("no request was judged by %s: %v", name, seen)
		}
	}
}

func TestTheJudgeSeesMistakes(t *testing.T) {
	t.Parallel()
	api := readDescription(t)
	button := func(label string) string {
		return `{"components":[{"type":1,"components":[{"type":2,"style":1,"custom_id":"v","label":"` + label + `"}]}]}`
	}
	for _, c := range []struct{ name, method, path, query, body, want string }{
		{"good", "POST", "channels/1/messages", "", button("ok"), ""},
		{"long label", "POST", "channels/1/messages", "", button(strings.Repeat("a", 81)), "81"},
		{"no style", "POST", "channels/1/messages", "", `{"components":[{"type":1,"components":[{"type":2}]}]}`, "style"},
		{"unknown field", "POST", "channels/1/messages", "", `{"contents":"x"}`, "contents"},
		{"long nonce", "POST", "channels/1/messages", "", `{"nonce":"` + strings.Repeat("n", 26) + `"}`, "26"},
		{"wrong type", "POST", "channels/1/messages", "", `{"content":7}`, "content"},
		{"limit", "GET", "channels/1/messages", "limit=101", "", "limit"},
		{"channel", "GET", "channels/x/messages", "", "", "channel_id"},
		{"unknown query", "GET", "channels/1/messages", "since=4", "", "since"},
		{"no such path", "GET", "gateway/robot", "", "", "no such"},
	} {
		_, err := api.judge(discordtest.Call{Method: c.method, Path: "/api/v10/" + c.path, Query: c.query, Body: []byte(c.body)})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want it to say %q", c.name, err, c.want)
		}
	}
}

// description is what Discord publishes, OpenAPI 3.1.
type description struct {
	Paths      map[string]map[string]json.RawMessage `json:"paths"`
	Components struct {
		Schemas map[string]map[string]any `json:"schemas"`
	} `json:"components"`
}

type parameter struct {
	Name   string         `json:"name"`
	In     string         `json:"in"`
	Schema map[string]any `json:"schema"`
}

func readDescription(t *testing.T) *description {
	t.Helper()
	var d description
	if err := json.Unmarshal(descriptionText(t), &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// descriptionText is Discord's description, which is not part of the repository.
func descriptionText(t *testing.T) []byte {
	t.Helper()
	root := os.Getenv("PARLEY_CORPUS")
	if root == "" {
		missing(t, "corpus", "PARLEY_CORPUS names no folder with specs/discord-openapi.json: requests are not judged by Discord's own description")
	}
	text, err := os.ReadFile(filepath.Join(root, "specs", "discord-openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func missing(t *testing.T, what, why string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("PARLEY_REQUIRE"), ","), what) {
		t.Fatal(why)
	}
	t.Skip(why)
}

// path is the one of the description that a call is to; "" when there is none. A fixed path goes before one with a parameter at the
// same place.
func (d *description) path(call discordtest.Call) string {
	parts := strings.Split(strings.TrimPrefix(call.Path, "/api/v10"), "/")
	found := ""
	for path, methods := range d.Paths {
		names := strings.Split(path, "/")
		fits := methods[strings.ToLower(call.Method)] != nil && len(names) == len(parts) &&
			slices.EqualFunc(names, parts, func(n, p string) bool { return n == p || strings.HasPrefix(n, "{") })
		if fits && (found == "" || path == strings.Join(parts, "/")) {
			found = path
		}
	}
	return found
}

// judge finds the operation of a request and checks path, query and body.
func (d *description) judge(call discordtest.Call) (operation string, err error) {
	path := d.path(call)
	if path == "" {
		return "", errors.New("there is no such operation")
	}
	methods, names := d.Paths[path], strings.Split(path, "/")
	parts := strings.Split(strings.TrimPrefix(call.Path, "/api/v10"), "/")
	raw := methods[strings.ToLower(call.Method)]
	var op struct {
		ID         string      `json:"operationId"`
		Parameters []parameter `json:"parameters"`
		Body       *struct {
			Required bool `json:"required"`
			Content  map[string]struct {
				Schema map[string]any `json:"schema"`
			} `json:"content"`
		} `json:"requestBody"`
	}
	var shared []parameter
	if err := json.Unmarshal(raw, &op); err != nil {
		return "", err
	}
	if p, has := methods["parameters"]; has {
		if err := json.Unmarshal(p, &shared); err != nil {
			return "", err
		}
	}
	given := map[string]string{}
	for i, n := range names {
		if strings.HasPrefix(n, "{") {
			given["path "+strings.Trim(n, "{}")] = parts[i]
		}
	}
	query, err := url.ParseQuery(call.Query)
	if err != nil {
		return op.ID, err
	}
	for name := range query {
		given["query "+name] = query.Get(name)
	}
	if err := d.parameters(append(op.Parameters, shared...), given); err != nil {
		return op.ID, err
	}
	if op.Body == nil {
		if len(call.Body) > 0 {
			return op.ID, fmt.Errorf("%s takes no body", op.ID)
		}
		return op.ID, nil
	}
	var body any
	if err := json.Unmarshal(call.Body, &body); err != nil {
		return op.ID, fmt.Errorf("the body: %w", err)
	}
	return op.ID, d.check("body", op.Body.Content["application/json"].Schema, body)
}

func (d *description) parameters(known []parameter, given map[string]string) error {
	for _, p := range known {
		text, has := given[p.In+" "+p.Name]
		if !has {
			continue
		}
		delete(given, p.In+" "+p.Name)
		var value any = text
		if n, err := strconv.ParseFloat(text, 64); err == nil && p.Schema["type"] == "integer" {
			value = n
		}
		if err := d.check(p.Name, p.Schema, value); err != nil {
			return err
		}
	}
	for name := range given {
		return fmt.Errorf("there is no parameter %s", name)
	}
	return nil
}

// check is as much of JSON Schema as Discord uses in what we send. A property that is not described is an error: it would be a
// misspelt one.
func (d *description) check(at string, schema map[string]any, v any) error {
	for _, keyword := range slices.Sorted(maps.Keys(schema)) {
		if err := d.keyword(at, keyword, schema, v); err != nil {
			return err
		}
	}
	return nil
}

func (d *description) keyword(at, keyword string, schema map[string]any, v any) error {
	rule := schema[keyword]
	number, isNumber := v.(float64)
	text, isText := v.(string)
	list, isList := v.([]any)
	object, isObject := v.(map[string]any)
	limit, _ := rule.(float64)
	wrong := func(ok bool, format string, args ...any) error {
		if ok {
			return nil
		}
		return fmt.Errorf("%s: %s (%s %v)", at, fmt.Sprintf(format, args...), keyword, rule)
	}
	switch keyword {
	case "title", "description", "format", "default", "additionalProperties":
		return nil
	case "$ref":
		name := strings.TrimPrefix(rule.(string), "#/components/schemas/")
		return d.check(at, d.Components.Schemas[name], v)
	case "type":
		return wrong(typed(rule, v), "%v is of another type", v)
	case "enum":
		return wrong(slices.Contains(rule.([]any), v), "%v is not listed", v)
	case "const":
		return wrong(rule == v, "%v is something else", v)
	case "minLength":
		return wrong(!isText || utf8.RuneCountInString(text) >= int(limit), "%d characters", utf8.RuneCountInString(text))
	case "maxLength":
		return wrong(!isText || utf8.RuneCountInString(text) <= int(limit), "%d characters", utf8.RuneCountInString(text))
	case "pattern":
		return wrong(!isText || regexp.MustCompile(rule.(string)).MatchString(text), "%q", text)
	case "minimum":
		return wrong(!isNumber || number >= limit, "%v", number)
	case "maximum":
		return wrong(!isNumber || number <= limit, "%v", number)
	case "minItems":
		return wrong(!isList || len(list) >= int(limit), "%d entries", len(list))
	case "maxItems":
		return wrong(!isList || len(list) <= int(limit), "%d entries", len(list))
	case "uniqueItems":
		return nil
	case "items":
		for i, e := range list {
			if err := d.check(fmt.Sprintf("%s[%d]", at, i), rule.(map[string]any), e); err != nil {
				return err
			}
		}
		return nil
	case "required":
		for _, name := range rule.([]any) {
			if _, has := object[name.(string)]; isObject && !has {
				return wrong(false, "%s is missing", name)
			}
		}
		return nil
	case "properties":
		for name, value := range object {
			described, has := rule.(map[string]any)[name].(map[string]any)
			if !has {
				return fmt.Errorf("%s.%s is not described", at, name)
			}
			if err := d.check(at+"."+name, described, value); err != nil {
				return err
			}
		}
		return nil
	case "allOf", "anyOf", "oneOf":
		return d.several(at, keyword, rule.([]any), v)
	case "x-discord-union":
		return nil
	}
	return fmt.Errorf("%s: the judge does not know the keyword %s", at, keyword)
}

func (d *description) several(at, keyword string, rules []any, v any) error {
	fits := 0
	var problems []string
	for _, rule := range rules {
		if err := d.check(at, rule.(map[string]any), v); err != nil {
			problems = append(problems, err.Error())
			continue
		}
		fits++
	}
	if keyword == "allOf" && fits == len(rules) || keyword == "anyOf" && fits > 0 || keyword == "oneOf" && fits == 1 {
		return nil
	}
	return fmt.Errorf("%s fits %d of %s: %s", at, fits, keyword, strings.Join(problems, "; "))
}

func typed(rule, v any) bool {
	kinds, several := rule.([]any)
	if !several {
		kinds = []any{rule}
	}
	for _, kind := range kinds {
		fits := false
		switch value := v.(type) {
		case nil:
			fits = kind == "null"
		case string:
			fits = kind == "string"
		case bool:
			fits = kind == "boolean"
		case float64:
			fits = kind == "number" || kind == "integer" && value == float64(int64(value))
		case []any:
			fits = kind == "array"
		default:
			fits = kind == "object"
		}
		if fits {
			return true
		}
	}
	return false
}
