package web

import (
	"fmt"
	"maps"
	"strconv"
	"time"
)

// dictionary is the words of our pages in one language, by key. What a shop says about itself is not in it.
type dictionary map[string]string

// dictionaries are the languages that pages speak. A test finds a key that one of them lacks.
func dictionaries() map[string]dictionary {
	return map[string]dictionary{
		"en": merge(generalEnglish(), shopEnglish(), widgetEnglish(), chatEnglish(), buyEnglish()),
		"de": merge(generalGerman(), shopGerman(), widgetGerman(), chatGerman(), buyGerman()),
	}
}

func merge(parts ...dictionary) dictionary {
	all := dictionary{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}

// say is the text, "" when there is none.
func (d dictionary) say(key string) string { return d[key] }

// fill is the text with %s and the like filled in.
func (d dictionary) fill(key string, args ...any) string {
	if len(args) == 0 {
		return d[key]
	}
	return fmt.Sprintf(d[key], args...)
}

// typed is what a channel asks for, in this language if we know the word.
func (d dictionary) typed(what string) string {
	if text := d["typed."+what]; text != "" {
		return text
	}
	return what
}

// left is how long something still lasts, in the largest unit that tells enough.
func (d dictionary) left(t time.Duration) string {
	count := func(n int, unit string) string {
		if n == 1 {
			return d["left."+unit+".one"]
		}
		return d.fill("left."+unit, strconv.Itoa(n))
	}
	switch {
	case t >= 48*time.Hour:
		return count(int(t.Hours()/24), "days")
	case t >= 2*time.Hour:
		return count(int(t.Hours()), "hours")
	}
	return count(max(1, int(t.Minutes())), "minutes")
}
