package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Markdown is the documentation of fields, as docs/config.md has it: a table of the settings, and a section for each group,
// list and kind.
func Markdown(fields []Field) string {
	var b strings.Builder
	section(&b, "", "", fields)
	return b.String()
}

func section(b *strings.Builder, title, doc string, fields []Field) {
	if title != "" {
		fmt.Fprintf(b, "\n## %s\n\n%s\n", title, doc)
	}
	if len(fields) > 0 {
		b.WriteString("\n| setting | value | default | |\n| --- | --- | --- | --- |\n")
	}
	for _, f := range fields {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f.Name, cell(valueDoc(f)), cell(defaultDoc(f)), cell(f.Doc))
	}
	for _, f := range fields {
		if f.Type != Group && f.Type != List {
			continue
		}
		path := strings.TrimPrefix(title+"."+f.Name, ".")
		section(b, path, f.Doc, f.Fields)
		for _, kind := range slices.Sorted(maps.Keys(f.Kinds)) {
			doc := fmt.Sprintf("An entry with `%s: %s` has these settings besides.", f.By, kind)
			if len(f.Kinds[kind]) == 0 {
				doc = fmt.Sprintf("An entry with `%s: %s` has no settings besides.", f.By, kind)
			}
			section(b, path+": "+kind, doc, f.Kinds[kind])
		}
	}
}

func valueDoc(f Field) string {
	text := f.Type.String()
	switch {
	case f.Type == Enum && len(f.Enum) == 0:
		text = "text"
	case f.Type == Enum:
		text = code(f.Enum, " or ")
	case f.Type == Strings && f.Of == Enum:
		text = "list of " + code(f.Enum, ", ")
	case f.Type == Strings:
		text = "list of " + strings.TrimSuffix(f.Of.String(), "s") + "s"
	}
	if f.Sample != "" && f.Type != Enum && f.Type != Secret && f.Type != Bool {
		text += ", such as `" + f.Sample + "`"
	}
	switch {
	case f.Min != "" && f.Max != "":
		text += ", from " + f.Min + " to " + f.Max
	case f.Min != "":
		text += ", " + f.Min + " or more"
	case f.Max != "":
		text += ", " + f.Max + " or less"
	}
	if f.Type == Secret {
		text += ": `${VARIABLE}`, or `" + f.Name + fileSuffix + "` with a path"
	}
	return text
}

func defaultDoc(f Field) string {
	switch {
	case f.Required:
		return "required"
	case f.RequiredWith != "":
		return "required with `" + strings.ReplaceAll(f.RequiredWith, "=", ": ") + "`"
	case f.Default != "":
		return "`" + f.Default + "`"
	}
	return ""
}

func code(words []string, between string) string {
	return "`" + strings.Join(words, "`"+between+"`") + "`"
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
