package conversation_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/conversation"
)

func TestVarsAreWrittenAndReadAsAnyMapIs(t *testing.T) {
	for _, plain := range []map[string]string{
		nil, {}, {"": ""}, {"b": "1", "a": "2", "product.title": "A mug"}, {"text": "„ja“\n\t\"<b>&\\ \u2028 \xff"}, {"ü\"": "x", "z\\": "}{,:"},
	} {
		want, err := json.Marshal(plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(conversation.Vars(plain))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%q is written as %s, not %s", plain, got, want)
		}
		readAlike(t, want)
	}
}

func TestVarsThatAreNoTextsAreRefused(t *testing.T) {
	for _, text := range []string{`[]`, `"a"`, `{"a":1}`, `{"a":{"b":"c"}}`, `{"a":"b","c":true}`, `7`} {
		var v conversation.Vars
		if err := json.Unmarshal([]byte(text), &v); err == nil {
			t.Errorf("%s was read as %q", text, v)
		}
	}
}

func FuzzVarsAreReadAsAnyMapIs(f *testing.F) {
	for _, text := range []string{`null`, `{}`, ` { "a" : "b" , "c":"\u00e4\"" } `, `{"a":null,"a":"c"}`, `{"a":["b"]}`, "{\"a\":\"\xff\"}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { readAlike(t, text) })
}

// readAlike fails when Vars are read from a text otherwise than a map.
func readAlike(t *testing.T, text []byte) {
	t.Helper()
	var plain map[string]string
	var vars conversation.Vars
	wrong, refused := json.Unmarshal(text, &plain), json.Unmarshal(text, &vars)
	if (wrong == nil) != (refused == nil) {
		t.Fatalf("%s: %v for a map, %v for variables", text, wrong, refused)
	}
	if diff := cmp.Diff(plain, map[string]string(vars)); wrong == nil && diff != "" {
		t.Errorf("%s (-a map +variables):\n%s", text, diff)
	}
}
