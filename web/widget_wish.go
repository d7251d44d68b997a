package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/commerce"
	"parley/commerce/money"
)

// wish is what a visitor filled in, as they typed it.
type wish struct {
	SKU        string            `json:"sku"`
	Name       string            `json:"name"`
	Channel    string            `json:"channel"` // an account
	Address    string            `json:"address"`
	Event      string            `json:"event"`
	Fields     map[string]string `json:"fields"`
	NotAtNight bool              `json:"not_at_night"`
	Consent    string            `json:"consent"` // the wording they agreed to, or its version
	Language   string            `json:"language"`
	TimeZone   string            `json:"time_zone"`
	External   map[string]string `json:"external"`
}

const (
	maxName    = 80
	maxAddress = 128
)

// readWish takes a form or JSON.
func readWish(r *http.Request) (wish, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && kind == "application/json":
		return readWishJSON(r)
	case err == nil && kind == "application/x-www-form-urlencoded":
		if err := r.ParseForm(); err != nil {
			return wish{}, badBody(err)
		}
		return wishOf(r.PostForm), nil
	}
	return wish{}, &Problem{Status: http.StatusUnsupportedMediaType}
}

func readWishJSON(r *http.Request) (wish, error) {
	var given wish
	d := json.NewDecoder(r.Body)
	if err := d.Decode(&given); err != nil {
		return wish{}, badBody(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return wish{}, &Problem{Status: http.StatusBadRequest}
	}
	q := url.Values{}
	for key, value := range given.External {
		q.Set(key, value)
	}
	given.External = externalOf(q, "")
	return given, nil
}

func badBody(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	return &Problem{Status: http.StatusBadRequest, Err: err}
}

// wishOf reads a form. Every channel and every event has fields of its own there; those of the picked ones count.
func wishOf(form url.Values) wish {
	given := wish{
		SKU: form.Get("sku"), Name: form.Get("name"), Channel: form.Get("channel"), Event: form.Get("event"),
		NotAtNight: form.Get("not_at_night") != "", Language: form.Get("lang"), TimeZone: form.Get("time_zone"),
		Fields: map[string]string{}, External: externalOf(form, "ext."),
	}
	given.Address = form.Get("address." + given.Channel)
	given.Consent = form.Get("consent." + given.Channel)
	if event, ok := commerce.FindEvent(given.Event); ok {
		for _, f := range event.Fields {
			given.Fields[f.Name] = form.Get(given.Event + "." + f.Name)
		}
	}
	return given
}

// check reads the wish into canonical values, and names every field that cannot be taken.
func (s *Server) check(given wish, p commerce.Product, lang string) (Subscription, Channel, []Field) {
	words := s.words[lang]
	var wrong []Field
	refuse := func(field, key string, args ...any) {
		wrong = append(wrong, Field{field, words.fill(key, args...)})
	}
	sub := Subscription{SKU: p.SKU, Event: given.Event, Language: lang, NotAtNight: given.NotAtNight, External: given.External, Fields: map[string]string{}}

	sub.Name = clean(given.Name)
	if sub.Name == "" {
		refuse("name", "wrong.name")
	} else if utf8.RuneCountInString(sub.Name) > maxName {
		refuse("name", "wrong.long", maxName)
	}
	i := slices.IndexFunc(s.opt.Channels, func(c Channel) bool { return c.Account == given.Channel })
	var channel Channel
	if i < 0 {
		refuse("channel", "wrong.channel")
	} else {
		channel = s.opt.Channels[i]
		sub.Account = channel.Account
		if channel.Typed != "" {
			sub.Address = clean(given.Address)
			if sub.Address == "" {
				refuse("address", "wrong.address", words.typed(channel.Typed))
			} else if utf8.RuneCountInString(sub.Address) > maxAddress {
				refuse("address", "wrong.long", maxAddress)
			}
		}
		wording := channel.Consent.In(lang)
		switch given.Consent {
		case wordingVersion(wording), wording:
			sub.Consent = Consent{Text: wording, Version: wordingVersion(wording)}
		case "":
			refuse("consent", "wrong.consent")
		default:
			refuse("consent", "wrong.wording")
		}
	}
	event, ok := commerce.FindEvent(given.Event)
	if !ok {
		refuse("event", "wrong.event")
	}
	for _, f := range event.Fields {
		value, key, arg := fieldTyped(f, given.Fields[f.Name], p.Price.Currency, lang)
		if key != "" {
			refuse("fields."+f.Name, key, arg...)
		} else if value != "" {
			sub.Fields[f.Name] = value
		}
	}
	for name := range given.Fields {
		if !slices.ContainsFunc(event.Fields, func(f commerce.FieldSpec) bool { return f.Name == name }) {
			refuse("fields."+clip(name, 40), "wrong.field")
		}
	}
	if zone, err := time.LoadLocation(given.TimeZone); err == nil && given.TimeZone != "" && given.TimeZone != "Local" {
		sub.TimeZone = zone.String()
	}
	return sub, channel, wrong
}

// fieldTyped reads what was typed into an event's field. key is the text that says what is wrong, "" when nothing is.
func fieldTyped(f commerce.FieldSpec, typed string, c money.Currency, lang string) (value, key string, args []any) {
	typed = clean(typed)
	sample := money.New(1750, c).Format(lang)
	switch {
	case typed == "" && f.Required && f.Type == commerce.AmountField:
		return "", "wrong.amount.missing", []any{sample}
	case typed == "" && f.Required:
		return "", "wrong.missing", nil
	case typed == "":
		return "", "", nil
	case f.Type == commerce.AmountField:
		amount, problem := amountTyped(typed, c)
		switch problem {
		case "":
			return amount.String(), "", nil
		case "wrong.currency":
			return "", problem, []any{string(c)}
		}
		return "", problem, []any{sample}
	case f.Type == commerce.CountField:
		for _, r := range typed {
			if r < '0' || r > '9' {
				return "", "wrong.count", nil
			}
		}
		if typed = strings.TrimLeft(typed, "0"); typed == "" || len(typed) > 3 {
			return "", "wrong.count", nil
		}
		return typed, "", nil
	case f.Type == commerce.BoolField:
		return "true", "", nil
	}
	return typed, "", nil
}

// wordingVersion names a wording by its content.
func wordingVersion(wording string) string {
	sum := sha256.Sum256([]byte(wording))
	return "v" + hex.EncodeToString(sum[:6])
}

// clean takes a line that somebody typed: no control characters, none that turn the writing around, no space at the ends.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, unicode.IsControl(r), unicode.In(r, unicode.Bidi_Control), unicode.Is(unicode.Cf, r) && r != '\u200d':
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// clip keeps at most n bytes, cut between characters.
func clip(s string, n int) string {
	s = clean(s)
	for len(s) > n {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}
