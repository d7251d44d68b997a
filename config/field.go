package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Field describes one setting: for reading, checking, defaults and documentation alike.
type Field struct {
	Name     string
	Type     Type
	Doc      string // one sentence for the admin
	Sample   string // a value that a test reads
	Default  string // as written in YAML; "" means none
	Required bool
	Enum     []string // with Type Enum
	Fields   []Field  // with Type Group and List: the fields of the group, or of each entry

	// RequiredWith is "setting=value": the field is required where its neighbour has that value ("mode=webhook").
	RequiredWith string
	// Min and Max bound an Int, Number, Percent or Duration; as written in YAML; "" means no bound.
	Min, Max string
	// Of is the type of each entry of Strings (Enum and Network, say); the zero value is String.
	Of Type
	// By names the Enum among Fields that decides which further fields an entry of a List has: those in Kinds.
	By    string
	Kinds map[string][]Field
}

// Type is the kind of value a Field takes.
type Type int

const (
	String    Type = iota
	Secret         // by ${ENV} or <name>_file; shown as *** everywhere
	URL            // absolute, http or https
	Int            //
	Bool           //
	Duration       // with a unit: 30s, 48h
	Amount         // "12.99 EUR"
	Enum           // one of Enum
	Strings        // a list of text
	Group          // a mapping
	List           // a list of mappings
	Texts          // a text per language: {en: …, de: …}
	Number         // with or without decimals: 1.5
	Percent        // a whole percentage: 80%
	Slug           // lower-case letters, digits and hyphens: it becomes part of addresses
	Email          //
	Currency       // ISO 4217: EUR
	Zone           // IANA: Europe/Berlin
	TimeOfDay      // 20:00
	Network        // an IP address or range: 10.0.0.0/8
	Origin         // scheme and host of a site, with the port if it is unusual: https://shop.example
	Address        // host:port to listen on
	StoreURL       // sqlite://… or postgres://…
)

var typeNames = [...]string{"text", "secret", "URL", "whole number", "true or false", "duration", "amount", "one of", "list",
	"group", "list of entries", "text per language", "number", "percentage", "name", "e-mail address", "currency", "time zone",
	"time of day", "network", "origin", "address", "database URL"}

// String is the type as the documentation names it.
func (t Type) String() string {
	if t < 0 || int(t) >= len(typeNames) {
		return fmt.Sprintf("type %d", int(t))
	}
	return typeNames[t]
}

// scalar says that a value of the type is one piece of text in YAML.
func (t Type) scalar() bool {
	return t != Strings && t != Group && t != List && t != Texts
}

// Check finds mistakes in the specs themselves: two fields of one name, no sentence for the admin, a sample or default that
// does not read. It is for the tests of those who declare fields.
func Check(fields []Field) error {
	return errors.Join(check("", fields)...)
}

func check(path string, fields []Field) []error {
	var errs []error
	wrong := func(f Field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("field %s%s: %s", path, f.Name, fmt.Sprintf(format, args...)))
	}
	seen := map[string]bool{}
	for _, f := range fields {
		if seen[f.Name] {
			wrong(f, "declared twice")
		}
		seen[f.Name] = true
		if f.Type == Secret {
			seen[f.Name+fileSuffix] = true
		}
		if !wellNamed(f.Name) {
			wrong(f, "the name must be lower-case letters, digits and underscores")
		}
		if f.Doc == "" {
			wrong(f, "no sentence for the admin")
		}
		if (f.Type == Enum || f.Of == Enum) && len(f.Enum) == 0 && f.Default != "" {
			wrong(f, "an enum of nothing")
		}
		if f.Required && f.Default != "" {
			wrong(f, "required and yet with a default")
		}
		for _, text := range []string{f.Sample, f.Default} {
			if err := readable(f, text); err != nil {
				wrong(f, "%q does not read: %v", text, err)
			}
		}
		if name, value, found := strings.Cut(f.RequiredWith, "="); f.RequiredWith != "" {
			i := slices.IndexFunc(fields, func(n Field) bool { return n.Name == name })
			if !found || i < 0 || fields[i].Type == Enum && !slices.Contains(fields[i].Enum, value) {
				wrong(f, "required with %q, which cannot be", f.RequiredWith)
			}
		}
		if f.Type == Group || f.Type == List {
			errs = append(errs, check(path+f.Name+".", f.Fields)...)
			for kind, more := range f.Kinds {
				errs = append(errs, check(path+f.Name+"("+kind+").", slices.Concat(f.Fields, more))...)
			}
		}
	}
	return errs
}

func wellNamed(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == "" && !strings.HasPrefix(name, "_")
}

func readable(f Field, text string) error {
	if text == "" {
		return nil
	}
	f.Required, f.RequiredWith, f.Default = false, "", ""
	_, err := NewSettings([]Field{f}, map[string]string{f.Name: text})
	return err
}
