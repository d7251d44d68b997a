package config

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

const mask = "***"

// Masked is a secret that cannot be shown by accident: printing, logging and encoding it give "***". The zero Masked is
// the empty secret.
type Masked struct {
	text *string // behind a pointer, because fmt prints unexported fields without asking their methods
}

// Mask hides a text.
func Mask(text string) Masked { return Masked{&text} }

// Reveal is the secret itself, for the one call that needs it.
func (m Masked) Reveal() string {
	if m.text == nil {
		return ""
	}
	return *m.text
}

// IsZero says that there is no secret.
func (m Masked) IsZero() bool { return m.Reveal() == "" }

// Equal compares in constant time.
func (m Masked) Equal(other Masked) bool {
	return subtle.ConstantTimeCompare([]byte(m.Reveal()), []byte(other.Reveal())) == 1
}

// String, like each of the following, gives only "***".
func (m Masked) String() string { return mask }

// GoString is for %#v.
func (m Masked) GoString() string { return mask }

// Format is for every verb of fmt.
func (m Masked) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// LogValue is for slog.
func (m Masked) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText is for YAML and keys of maps.
func (m Masked) MarshalText() ([]byte, error) { return []byte(mask), nil }

// MarshalJSON is for JSON.
func (m Masked) MarshalJSON() ([]byte, error) { return []byte(`"` + mask + `"`), nil }

var (
	_ fmt.Formatter  = Masked{}
	_ slog.LogValuer = Masked{}
)
