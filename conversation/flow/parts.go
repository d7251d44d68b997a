package flow

import (
	"fmt"
	"strings"
)

// part is a piece of a simple template: words as they are, then the value of a variable. Most of what a bot says is so
// simple, and putting it together is many times quicker than Liquid.
type part struct {
	text     string
	variable string // "" for none
	money    bool   // the variable goes through that filter
}

// partsOf takes a rewritten template apart, if it holds nothing but text, {{ variable }} and {{ variable | money }}; nil otherwise.
func partsOf(source string, uses []variable) []part {
	if strings.Contains(source, "{%") {
		return nil
	}
	var parts []part
	for source != "" {
		text, rest, found := strings.Cut(source, "{{")
		if !found {
			return append(parts, part{text: text})
		}
		inner, after, _ := strings.Cut(rest, "}}")
		name, filter, filtered := strings.Cut(inner, "|")
		p := part{text: text, money: filtered}
		for _, v := range uses {
			if v.mangled == strings.Trim(name, " ") {
				p.variable = v.name
			}
		}
		if p.variable == "" || filtered && strings.Trim(filter, " ") != "money" {
			return nil
		}
		parts = append(parts, p)
		source = after
	}
	return parts
}

// join renders the parts.
func (t *template) join(sc *Scope) string {
	var b strings.Builder
	for _, p := range t.parts {
		b.WriteString(p.text)
		if p.variable == "" {
			continue
		}
		value := sc.bind(p.variable)
		if p.money {
			value = showMoney(value, t.language)
		}
		switch value := value.(type) {
		case nil:
		case string:
			b.WriteString(value)
		default:
			fmt.Fprint(&b, value)
		}
	}
	return b.String()
}
