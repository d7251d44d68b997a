package cloud

import (
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// openapi is Meta's own description of the API, which is not part of the repository, and a checker for as much of its language
// as it uses where we meet it.
type openapi struct {
	doc map[string]any
	// wrong are places where the description contradicts its own examples, with what is said there instead.
	wrong map[string]bool
}

// contradicted: every example of a template has buttons of index 0 and 1, which this pattern (2 to 6, or a comma) forbids.
const contradicted = "^[2-6, 11-14]$"

var loadOpenAPI = sync.OnceValues(func() (map[string]any, error) {
	raw, err := os.ReadFile(openapiPath())
	if err != nil {
		return nil, err
	}
	var doc map[string]any
	return doc, yaml.Unmarshal(raw, &doc)
})

func openapiPath() string {
	return filepath.Join(os.Getenv("PARLEY_CORPUS"), "specs", "meta-business-messaging-v23.yaml")
}

// meta opens the description, or skips; it fails instead when PARLEY_REQUIRE names the corpus.
func meta(t *testing.T) openapi {
	t.Helper()
	if os.Getenv("PARLEY_CORPUS") == "" {
		if slices.Contains(strings.Split(os.Getenv("PARLEY_REQUIRE"), ","), "corpus") {
			t.Fatal("PARLEY_REQUIRE names the corpus, but PARLEY_CORPUS does not say where it is")
		}
		t.Skip("PARLEY_CORPUS names no folder with specs/meta-business-messaging-v23.yaml: requests are not judged by Meta's own description")
	}
	doc, err := loadOpenAPI()
	if err != nil {
		t.Fatalf("read Meta's description: %v", err)
	}
	return openapi{doc: doc, wrong: map[string]bool{contradicted: true}}
}

// at follows a path of keys.
func (o openapi) at(keys ...string) any {
	var v any = o.doc
	for _, key := range keys {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

func (o openapi) schema(ref string) map[string]any {
	s, _ := o.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...).(map[string]any)
	return s
}

// check says everything about value that the schema does not allow.
func (o openapi) check(schema map[string]any, value any) []string {
	return o.judge("", schema, value, false)
}

// judge is check at a path. Part of allOf, a schema's additionalProperties speak of the whole: each part alone would forbid
// what the others demand, and no message at all would be valid.
func (o openapi) judge(path string, schema map[string]any, value any, part bool) []string {
	if ref, ok := schema["$ref"].(string); ok {
		if found := o.schema(ref); found != nil {
			return o.judge(path, found, value, part)
		}
		return []string{path + ": there is no " + ref}
	}
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, path+": "+fmt.Sprintf(format, args...)) }
	object, _ := value.(map[string]any)
	items, _ := value.([]any)
	text, isText := value.(string)
	for keyword, rule := range schema {
		switch keyword {
		case "description", "example", "examples", "default", "title", "additionalProperties":
		case "type":
			if !typed(rule, value) {
				say("%v is no %v", value, rule)
			}
		case "required":
			for _, name := range rule.([]any) {
				if _, ok := object[name.(string)]; !ok {
					say("%v is missing", name)
				}
			}
		case "properties":
			for name, s := range rule.(map[string]any) {
				if v, ok := object[name]; ok {
					wrong = append(wrong, o.judge(path+"."+name, s.(map[string]any), v, false)...)
				}
			}
		case "items":
			for i, v := range items {
				wrong = append(wrong, o.judge(fmt.Sprintf("%s[%d]", path, i), rule.(map[string]any), v, false)...)
			}
		case "enum":
			if !slices.ContainsFunc(rule.([]any), func(v any) bool { return fmt.Sprint(v) == fmt.Sprint(value) }) {
				say("%v is none of %v", value, rule)
			}
		case "maxLength":
			if isText && utf8.RuneCountInString(text) > number(rule) {
				say("longer than %v", rule)
			}
		case "minItems":
			if len(items) < number(rule) {
				say("fewer than %v", rule)
			}
		case "maxItems":
			if len(items) > number(rule) {
				say("more than %v", rule)
			}
		case "pattern":
			if isText && !o.wrong[rule.(string)] && !regexp.MustCompile(rule.(string)).MatchString(text) {
				say("%q does not match %s", text, rule)
			}
		case "format":
			if u, err := url.Parse(text); rule == "url" && (err != nil || u.Host == "") {
				say("%q is no URL", text)
			}
		case "allOf":
			for _, s := range rule.([]any) {
				wrong = append(wrong, o.judge(path, s.(map[string]any), value, true)...)
			}
		case "oneOf":
			if schema["discriminator"] == nil {
				wrong = append(wrong, o.oneOf(path, rule.([]any), value)...)
			}
		case "discriminator":
			if !part {
				d := rule.(map[string]any)
				ref, ok := d["mapping"].(map[string]any)[fmt.Sprint(object[d["propertyName"].(string)])].(string)
				if !ok {
					say("%v is none of the kinds", object[d["propertyName"].(string)])
					continue
				}
				wrong = append(wrong, o.judge(path, map[string]any{"allOf": []any{map[string]any{"$ref": ref}}}, value, false)...)
			}
		default:
			say("the checker does not know the keyword %s", keyword)
		}
	}
	if known, closed := o.names(schema); closed && !part {
		for name := range object {
			if !slices.Contains(known, name) {
				say("%s is not known", name)
			}
		}
	}
	return wrong
}

// oneOf wants exactly one of the schemas to hold.
func (o openapi) oneOf(path string, schemas []any, value any) []string {
	var wrong []string
	fit := 0
	for _, s := range schemas {
		if found := o.judge(path, s.(map[string]any), value, false); len(found) > 0 {
			wrong = append(wrong, found...)
		} else {
			fit++
		}
	}
	switch fit {
	case 1:
		return nil
	case 0:
		return wrong
	}
	return []string{fmt.Sprintf("%s: fits %d of the alternatives", path, fit)}
}

// names are the properties that a schema knows with all its parts, and whether it forbids others.
func (o openapi) names(schema map[string]any) (known []string, closed bool) {
	if ref, ok := schema["$ref"].(string); ok {
		return o.names(o.schema(ref))
	}
	properties, _ := schema["properties"].(map[string]any)
	for name := range properties {
		known = append(known, name)
	}
	closed = schema["additionalProperties"] == false
	parts, _ := schema["allOf"].([]any)
	for _, part := range parts {
		more, shut := o.names(part.(map[string]any))
		known, closed = append(known, more...), closed || shut
	}
	return known, closed
}

func typed(want, value any) bool {
	switch value := value.(type) {
	case string:
		return want == "string"
	case bool:
		return want == "boolean"
	case map[string]any:
		return want == "object"
	case []any:
		return want == "array"
	case float64:
		return want == "number" || want == "integer" && value == math.Trunc(value)
	case int:
		return want == "number" || want == "integer"
	}
	return false
}

func number(v any) int {
	n, ok := v.(int)
	if !ok {
		panic(fmt.Sprintf("%v is a %T", v, v))
	}
	return n
}
