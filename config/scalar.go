package config

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"parley/commerce/money"
)

// misfit is why a text is not a value of its type.
type misfit struct {
	is     string // completes `"abc" …`: "is not a duration"
	remedy string
}

func (m *misfit) Error() string { return m.is + "; " + m.remedy }

func notA(what, remedy string) error { return &misfit{"is not " + what, remedy} }

// parse reads a text as a value of the field's type. What it returns is what Settings hands out.
func parse(f Field, t Type, text string) (any, error) {
	switch t {
	case Secret:
		return Mask(text), nil
	case URL:
		return text, checkURL(text)
	case Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, notA("a whole number", "write digits only")
		}
		return n, bound(f, n, strconv.Atoi)
	case Number:
		n, err := parseNumber(text)
		if err != nil {
			return nil, notA("a number", "write it with a point, such as 1.5")
		}
		return n, bound(f, n, parseNumber)
	case Percent:
		n, err := parsePercent(text)
		if err != nil {
			return nil, notA("a whole percentage", "write it as 80%")
		}
		return n, bound(f, n, parsePercent)
	case Bool:
		if text != "true" && text != "false" {
			return nil, notA("true or false", "write true or false")
		}
		return text == "true", nil
	case Duration:
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return nil, notA("a duration", "write it with a unit, such as 30s, 10m or 48h")
		}
		return d, bound(f, d, time.ParseDuration)
	case Amount:
		a, err := money.Parse(text)
		if err == nil && a.Currency == "" {
			return nil, &misfit{"has no currency", "write it as 12.99 EUR"}
		}
		if err != nil {
			return nil, notA("an amount", "write it as 12.99 EUR, with a point and the currency behind a space")
		}
		return a, checkCurrency(string(a.Currency))
	case Enum:
		for _, known := range f.Enum {
			if text == known {
				return text, nil
			}
		}
		return nil, &misfit{"is not known here", suggest(text, f.Enum)}
	case Slug:
		return text, checkSlug(text)
	case Email:
		if a, err := mail.ParseAddress(text); err != nil || a.Address != text {
			return nil, notA("an e-mail address", "write it as name@shop.example")
		}
		return text, nil
	case Currency:
		return text, checkCurrency(text)
	case Zone:
		return text, checkZone(text)
	case TimeOfDay:
		if t, err := time.Parse("15:04", text); err != nil || t.Format("15:04") != text {
			return nil, notA("a time of day", "write it with two digits each, such as 09:00")
		}
		return text, nil
	case Network:
		if _, err := parseNetwork(text); err != nil {
			return nil, notA("an IP address or range", "write it as 10.0.0.1 or 10.0.0.0/8")
		}
		return text, nil
	case Origin:
		return text, checkOrigin(text)
	case Address:
		return text, checkAddress(text)
	case StoreURL:
		return text, checkStoreURL(text)
	}
	return text, nil
}

// bound compares with Min and Max, which are written like the value itself.
func bound[T int | float64 | time.Duration](f Field, v T, read func(string) (T, error)) error {
	if low, err := read(f.Min); f.Min != "" && err == nil && v < low {
		return &misfit{"is too small", "write " + f.Min + " or more"}
	}
	if high, err := read(f.Max); f.Max != "" && err == nil && v > high {
		return &misfit{"is too large", "write " + f.Max + " or less"}
	}
	return nil
}

func parseNumber(text string) (float64, error) {
	if strings.Trim(text, "-.0123456789") != "" { // no NaN, infinity or hexadecimal
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}

func parsePercent(text string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSuffix(text, "%"))
	if err == nil && (n < 0 || n > 100) {
		err = strconv.ErrRange
	}
	return n, err
}

func parseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err
}

func checkURL(text string) error {
	const remedy = "write it with https:// and the host, such as https://shop.example"
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return notA("a URL", remedy)
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return notA("an absolute URL", remedy)
	}
	return nil
}

func checkOrigin(text string) error {
	if err := checkURL(text); err != nil {
		return notA("an origin", "write scheme and host of the site, such as https://shop.example")
	}
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		return &misfit{"is more than an origin", "write only scheme and host: " + u.Scheme + "://" + u.Host}
	}
	return nil
}

func checkAddress(text string) error {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return notA("an address to listen on", "write host and port, such as 127.0.0.1:8080, or :8080 for all interfaces")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return &misfit{"has no usable port", "write a number from 0 to 65535 behind the colon"}
	}
	return nil
}

func checkSlug(text string) error {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	if text == "" || len(text) > 40 || strings.Trim(text, letters+"-") != "" || strings.Trim(text, "-") != text {
		return &misfit{"cannot be a name", "use up to 40 lower-case letters, digits and hyphens, such as shop-1"}
	}
	return nil
}

func checkStoreURL(text string) error {
	const remedy = "write sqlite://parley.db or postgres://user:password@host/name"
	scheme, rest, found := strings.Cut(text, "://")
	switch {
	case !found || scheme != "sqlite" && scheme != "postgres":
		return notA("a database URL", remedy)
	case scheme == "sqlite" && (rest == "" || strings.HasSuffix(rest, "/") || strings.ContainsAny(rest, "?#\x00")):
		return &misfit{"names no file", "write the path behind sqlite://, such as sqlite://parley.db, without any options"}
	case scheme == "sqlite" && strings.HasPrefix(rest, ":memory:"):
		return &misfit{"would forget everything at the end", "write a file, such as sqlite://parley.db"}
	case scheme == "sqlite":
		return nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return notA("a database URL", remedy+", and encode special characters of the password, such as %40 for @")
	}
	if u.Host == "" && u.Query().Get("host") == "" || strings.Trim(u.Path, "/") == "" {
		return &misfit{"names no host or no database", remedy}
	}
	return nil
}

const hidden = "the value"

// quote is the text as a problem may show it: short, on one line and without what could be a password.
func quote(t Type, text string) string {
	if t == Secret || t == StoreURL && strings.ContainsAny(text, "@?") || strings.Contains(text, "@") && strings.Contains(text, "://") {
		return hidden
	}
	if r := []rune(text); len(r) > 60 {
		text = string(r[:60]) + "…"
	}
	return fmt.Sprintf("%q", text)
}

// complaint splits the error of parse into what is wrong and what to do.
func complaint(err error) (is, remedy string) {
	if m, ok := errors.AsType[*misfit](err); ok {
		return m.is, m.remedy
	}
	return "cannot be read", err.Error()
}
