package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

func TestASecretIsNeverShown(t *testing.T) {
	const secret = "hunter2"
	type inner struct{ hidden Masked }
	s, err := NewSettings([]Field{{Name: "token", Type: Secret}}, map[string]string{"token": secret})
	if err != nil {
		t.Fatal(err)
	}
	database := Database{URL: "postgres://parley:" + secret + "@db/parley?sslpassword=" + secret}
	config := &Config{Database: database, Web: Web{Secret: Mask(secret)}, Merchants: []Merchant{{Accounts: []Account{{Settings: s}}}}}
	for _, v := range []any{Mask(secret), inner{Mask(secret)}, &inner{Mask(secret)}, []Masked{Mask(secret)}, s, &s, database, *config, config} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			mustHide(t, verb, fmt.Sprintf(verb, v), secret)
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("shown", "value", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("shown", "value", v)
		mustHide(t, "slog", log.String(), secret)
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		mustHide(t, "json", string(data), secret)
	}
	data, err := yaml.Marshal(map[string]any{"secret": Mask(secret), "database": database})
	if err != nil {
		t.Fatal(err)
	}
	mustHide(t, "yaml", string(data), secret)
	if got := Mask(secret).Reveal(); got != secret {
		t.Errorf("revealed %q", got)
	}
}

func mustHide(t *testing.T, how, got, secret string) {
	t.Helper()
	if strings.Contains(got, secret) || strings.Contains(got, fmt.Sprintf("%x", secret)) {
		t.Errorf("%s shows the secret: %s", how, got)
	}
}

func TestSecretsAreComparedByTheirText(t *testing.T) {
	if !Mask("a").Equal(Mask("a")) || Mask("a").Equal(Mask("b")) || !(Masked{}).Equal(Mask("")) {
		t.Error("not compared by text")
	}
	if !(Masked{}).IsZero() || Mask("a").IsZero() {
		t.Error("only the empty secret is zero")
	}
}

func TestADatabaseIsShownWithoutItsPassword(t *testing.T) {
	cases := map[string]string{
		"sqlite://data/parley.db":                       "sqlite://data/parley.db",
		"postgres://parley:hunter2@db:5432/parley":      "postgres://parley@db:5432/parley",
		"postgres://db/parley?password=a&sslmode=allow": "postgres://db/parley?password=%2A%2A%2A&sslmode=allow",
		"postgres:///parley?host=/run/postgresql":       "postgres:///parley?host=%2Frun%2Fpostgresql",
		"postgres://a:%zz@db/parley":                    "***",
	}
	for url, want := range cases {
		if got := (Database{URL: url}).String(); got != want {
			t.Errorf("%s: got %s, want %s", url, got, want)
		}
	}
}
