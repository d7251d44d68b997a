package flow

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

// spoken are the languages that package understand reads and the filters format for.
var spoken = []string{"en", "de"}

func (c *compiler) readBot(r *reader, content []byte) {
	root := r.parse(content)
	if root == nil {
		return
	}
	found := r.fields(root, BotFile, BotFields)
	if n := found["shop"]; n != nil {
		c.set.Shop, _ = r.scalar(n, "shop")
	}
	if n := found["languages"]; n != nil {
		for _, item := range r.list(n, "languages") {
			language, ok := r.scalar(item, "a language")
			switch {
			case !ok:
			case !slices.Contains(spoken, language):
				r.errorAt(r.at(item), "use "+oneOf(spoken), "the bot cannot speak %q", language)
			case slices.Contains(c.set.Languages, language):
				r.errorAt(r.at(item), "remove one", "language %q stands twice", language)
			default:
				c.set.Languages = append(c.set.Languages, language)
			}
		}
		if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
			r.errorAt(r.at(n), "write [en]", "the bot speaks no language")
		}
	}
	if len(c.set.Languages) == 0 {
		return
	}
	if n := found["intents"]; n != nil {
		c.readIntents(r, n)
	}
	if n := found["labels"]; n != nil {
		for _, e := range r.entries(n, "labels") {
			if id, ok := r.name(e.key, "the choice"); ok {
				c.labels[id] = c.readText(r, e.value, "the label of "+id)
			}
		}
	}
}

func (c *compiler) readIntents(r *reader, n *yaml.Node) {
	reserved := slices.Concat(names(Intents), names(Signals), names(Triggers))
	for _, e := range r.entries(n, "intents") {
		name, ok := r.name(e.key, "the intent")
		if !ok {
			continue
		}
		if slices.Contains(reserved, name) {
			r.errorAt(r.at(e.key), "choose another name; the built-in one works without being listed", "%q is an event already", name)
			continue
		}
		var phrases []string
		for _, l := range r.entries(e.value, "the intent "+name) {
			if !slices.Contains(c.set.Languages, l.key.Value) {
				r.errorAt(r.at(l.key), didYouMean(l.key.Value, c.set.Languages), "the bot does not speak %q", l.key.Value)
				continue
			}
			for _, item := range r.list(l.value, "the phrases") {
				if p, ok := r.scalar(item, "a phrase"); ok && p != "" {
					phrases = append(phrases, p)
				}
			}
		}
		if len(phrases) == 0 {
			r.errorAt(r.at(e.key), "write {en: [word, some words]}", "the intent %s has no words", name)
		}
		c.set.phrases[name] = phrases
	}
}

// readText reads a template per language: {en: …, de: …}, or one text when the bot speaks one language only.
func (c *compiler) readText(r *reader, n *yaml.Node, what string) *Text {
	t := &Text{}
	if !r.plain(n) {
		return t
	}
	c.texts = append(c.texts, t)
	if n.Kind == yaml.ScalarNode {
		if s, ok := r.scalar(n, what); ok {
			t.sources = append(t.sources, source{language: c.set.Languages[0], text: s, node: n, file: r.file})
		}
	} else {
		for _, e := range r.entries(n, what) {
			if !slices.Contains(c.set.Languages, e.key.Value) {
				r.errorAt(r.at(e.key), didYouMean(e.key.Value, c.set.Languages), "the bot does not speak %q", e.key.Value)
				continue
			}
			if s, ok := r.scalar(e.value, what); ok {
				t.sources = append(t.sources, source{language: e.key.Value, text: s, node: e.value, file: r.file})
			}
		}
	}
	if len(t.sources) == 0 {
		return t
	}
	for i, language := range c.set.Languages {
		switch {
		case t.has(language):
		case i == 0:
			r.errorAt(r.at(n), "add `"+language+":`", "%s is missing in %s, the default language", what, languageName(language))
		default:
			r.warnAt(r.at(n), "add `"+language+":`", "%s is missing in %s; the %s one will be sent", what, languageName(language), languageName(c.set.Languages[0]))
		}
	}
	return t
}

// readTemplate reads a template that serves every language.
func (c *compiler) readTemplate(r *reader, n *yaml.Node, what string, anyMoney bool) *Text {
	t := &Text{}
	if s, ok := r.scalar(n, what); ok {
		t.sources = []source{{text: s, node: n, file: r.file, anyMoney: anyMoney}}
		c.texts = append(c.texts, t)
	}
	return t
}

func languageName(code string) string {
	if code == "de" {
		return "German"
	}
	return "English"
}
