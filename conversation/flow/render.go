package flow

import (
	"fmt"
	"strings"
	"time"

	"github.com/osteele/liquid"

	"parley/commerce/money"
)

// renderer compiles templates. The filters speak a language, so there is one engine for each.
type renderer struct{ engines map[string]*liquid.Engine }

func newRenderer(languages []string) *renderer {
	r := &renderer{map[string]*liquid.Engine{}}
	for _, language := range languages {
		e := liquid.NewEngine()
		e.RegisterFilter("money", func(v any) string { return showMoney(v, language) })
		for name, layout := range layouts[dateStyle(language)] {
			e.RegisterFilter("when_"+name, func(v, zone any) string { return showTime(v, zone, language, layout) })
		}
		r.engines[language] = e
	}
	return r
}

// compile checks a template against the variables that are known and makes it ready in every language of the set. Where it
// is not written in one, the default language's text stands in.
func (r *renderer) compile(t *Text, languages []string, known map[string]bool, rep *report) {
	t.compiled = map[string]*template{}
	for _, s := range t.sources {
		rewritten, uses, faults := scan(s.text)
		for _, f := range faults {
			rep.errorAt(s.at(f.offset), f.remedy, "%s", f.what)
		}
		for _, u := range uses {
			switch {
			case !known[u.name]:
				rep.errorAt(s.at(u.offset), didYouMean(u.name, knownNames(known)), "unknown variable %q", u.name)
			case u.shown && !u.filtered && !s.anyMoney && contains(amountVars, u.name):
				rep.warnAt(s.at(u.offset), fmt.Sprintf("write {{ %s | money }}", u.name), `%q is an amount and will read "17.20 EUR" in every language`, u.name)
			case u.shown && !u.filtered && !s.anyMoney && contains(timeVars, u.name):
				rep.warnAt(s.at(u.offset), fmt.Sprintf("write {{ %s | datetime }}", u.name), `%q is a time and will read "2026-11-23T14:00:00Z"`, u.name)
			}
		}
		if len(faults) > 0 {
			continue
		}
		for _, language := range languages {
			if s.language != "" && s.language != language {
				continue
			}
			parsed, err := r.engines[language].ParseString(rewritten)
			if err != nil {
				rep.errorAt(s.at(0), "see docs/flows.md for what a text may hold", "the text is not Liquid: %s", strings.TrimPrefix(err.Error(), "Liquid error: "))
				break
			}
			t.compiled[language] = newTemplate(parsed, language, rewritten, uses)
		}
	}
	for _, language := range languages {
		if t.compiled[language] == nil {
			t.compiled[language] = t.compiled[languages[0]]
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func knownNames(known map[string]bool) []string {
	var all []string
	for name := range known {
		all = append(all, name)
	}
	return all
}

// showMoney formats a canonical amount; what is not one is shown as it is.
func showMoney(v any, language string) string {
	if v == nil {
		return ""
	}
	s := fmt.Sprint(v)
	a, err := money.Parse(s)
	if err != nil {
		return s
	}
	return a.Format(language)
}

var layouts = map[string]map[string]string{
	"en": {"date": "2 January", "time": "15:04", "datetime": "2 January, 15:04"},
	"de": {"date": "2. January", "time": "15:04 Uhr", "datetime": "2. January, 15:04 Uhr"},
}

func dateStyle(language string) string {
	if language == "de" {
		return "de"
	}
	return "en"
}

var germanMonths = strings.NewReplacer("January", "Januar", "February", "Februar", "March", "März", "May", "Mai", "June", "Juni",
	"July", "Juli", "October", "Oktober", "December", "Dezember")

// showTime formats an RFC 3339 time in the shopper's zone, and in UTC, which it then says, where that is unknown.
func showTime(v, zone any, language, layout string) string {
	if v == nil {
		return ""
	}
	t, err := time.Parse(time.RFC3339, fmt.Sprint(v))
	if err != nil {
		return fmt.Sprint(v)
	}
	t, suffix := t.UTC(), ""
	if strings.Contains(layout, "15:04") {
		suffix = " UTC"
	}
	if name, ok := zone.(string); ok && name != "" && name != "Local" {
		if loc, err := time.LoadLocation(name); err == nil {
			t, suffix = t.In(loc), ""
		}
	}
	s := t.Format(layout)
	if language == "de" {
		s = germanMonths.Replace(s)
	}
	return s + suffix
}
