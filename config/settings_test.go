package config

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/commerce/money"
)

func everyType() []Field {
	return []Field{
		{Name: "text"}, {Name: "secret", Type: Secret}, {Name: "url", Type: URL}, {Name: "int", Type: Int}, {Name: "bool", Type: Bool},
		{Name: "duration", Type: Duration}, {Name: "amount", Type: Amount}, {Name: "enum", Type: Enum, Enum: []string{"a", "b"}},
		{Name: "strings", Type: Strings}, {Name: "texts", Type: Texts, Enum: []string{"en", "de"}}, {Name: "number", Type: Number},
		{Name: "percent", Type: Percent}, {Name: "unset", Type: Duration, Default: "30s"}, {Name: "absent", Type: Int},
		{Name: "group", Type: Group, Fields: []Field{{Name: "inner", Default: "x"}}},
		{Name: "list", Type: List, Fields: []Field{{Name: "inner"}}},
	}
}

func TestSettingsReadEveryType(t *testing.T) {
	s, err := NewSettings(everyType(), map[string]string{
		"text": "plain ${TEXT}", "secret": "s", "url": "https://a.example/x", "int": "-7", "bool": "true", "duration": "1h30m",
		"amount": "12.99 EUR", "enum": "b", "strings": "[a, b]", "texts": "{en: Hi, de: Hallo}", "number": "1.5", "percent": "80%",
		"list": "[{inner: a}, {inner: b}]",
	})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(s.String("text"), s.Secret("secret").Reveal(), s.String("url"), s.Int("int"), s.Bool("bool"), s.Duration("duration"),
		s.Amount("amount"), s.String("enum"), s.Strings("strings"), s.Texts("texts"), s.Number("number"), s.Int("percent"),
		s.Duration("unset"), s.Int("absent"), s.Group("group").String("inner"), s.List("list")[1].String("inner"))
	want := fmt.Sprint("plain ${TEXT}", "s", "https://a.example/x", -7, true, 90*time.Minute, money.New(1299, "EUR"), "b", []string{"a", "b"},
		map[string]string{"en": "Hi", "de": "Hallo"}, 1.5, 80, 30*time.Second, 0, "x", "b")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !s.Has("int") || s.Has("unset") || s.Has("absent") {
		t.Error("Has does not tell what was written")
	}
}

func TestReadingAnUndeclaredSettingPanics(t *testing.T) {
	s, err := NewSettings(everyType(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, readIt := range map[string]func(){
		"never declared":             func() { s.String("tokn") },
		"is a duration, not a int":   func() { s.Int("unset") },
		"is a secret, not a string":  func() { s.String("secret") },
		"never declared for nothing": func() { _ = Settings{label: "nothing"}.Bool("a") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, name) {
					t.Errorf("got %q", p)
				}
			}()
			readIt()
		})
	}
}

func TestNewSettingsNamesEveryProblem(t *testing.T) {
	fields := append(everyType(), Field{Name: "needed", Required: true, Sample: "x"})
	_, err := NewSettings(fields, map[string]string{"int": "x", "durtion": "1s"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`int "x" is not a whole number`, `unknown setting "durtion"`, `did you mean "duration"?`, `"needed" is missing`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
}

func TestWhatIsReadMayBeChangedByTheCaller(t *testing.T) {
	s, err := NewSettings(everyType(), map[string]string{"strings": "[a]"})
	if err != nil {
		t.Fatal(err)
	}
	s.Strings("strings")[0] = "changed"
	if got := s.Strings("strings")[0]; got != "a" {
		t.Errorf("got %q", got)
	}
}

func TestSettingsAreEqualByTheirValuesAlone(t *testing.T) {
	read := func(values map[string]string) Settings {
		s, err := NewSettings(everyType(), values)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	base := map[string]string{"text": "a", "secret": "s", "amount": "1.00 EUR", "strings": "[a]", "texts": "{en: Hi}", "list": "[{inner: a}]"}
	with := func(name, value string) Settings {
		values := map[string]string{"absent": "0"} // another setting shifts the places of all
		for n, v := range base {
			values[n] = v
		}
		values[name] = value
		return read(values)
	}
	if !read(base).Equal(read(base)) || !read(base).Equal(with("unset", "30s")) {
		t.Error("the same values are not equal")
	}
	for name, value := range map[string]string{
		"text": "b", "secret": "t", "amount": "1.01 EUR", "strings": "[a, b]", "texts": "{en: Ho}", "list": "[{inner: b}]", "group": "{inner: y}", "unset": "31s",
	} {
		if read(base).Equal(with(name, value)) || with(name, value).Equal(read(base)) {
			t.Errorf("settings with another %s are equal", name)
		}
	}
}
