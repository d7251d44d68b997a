package web

import (
	"maps"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEveryLanguageHasEveryText(t *testing.T) {
	verbs := regexp.MustCompile(`%[a-z]`)
	all := dictionaries()
	english := all["en"]
	for lang, words := range all {
		if diff := cmp.Diff(slices.Sorted(maps.Keys(english)), slices.Sorted(maps.Keys(words))); diff != "" {
			t.Errorf("texts of en and %s differ (-en +%s):\n%s", lang, lang, diff)
		}
		for key, text := range words {
			if diff := cmp.Diff(verbs.FindAllString(english[key], -1), verbs.FindAllString(text, -1)); diff != "" {
				t.Errorf("%s in %s is filled in differently (-en +%s):\n%s", key, lang, lang, diff)
			}
			if text == "" {
				t.Errorf("%s is empty in %s", key, lang)
			}
		}
	}
}

func TestEveryPageHasItsTextsInEveryLanguage(t *testing.T) {
	s, _ := newShop(t, nil)
	for _, lang := range []string{"en", "de"} {
		for _, address := range []string{"/?", "/p/mug?", "/p/lamp?", "/widget/frame?sku=mug&", "/chat?sku=mug&framed=1&", "/b/good?", "/b/gone?", "/nothing?"} {
			if w := get(s, address+"lang="+lang); w.Code >= 500 {
				t.Errorf("%s in %s: got status %d\n%s", address, lang, w.Code, w.Body)
			}
		}
	}
}

func TestTimeLeftIsToldInTheUnitThatMatters(t *testing.T) {
	words := dictionaries()["en"]
	for d, want := range map[time.Duration]string{
		10 * time.Second: "one minute", 90 * time.Minute: "90 minutes", 3*time.Hour + time.Minute: "3 hours", 50 * time.Hour: "2 days",
	} {
		if got := words.left(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}
