package web_test

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/web"
)

// operation is what the test reads of the document.
type operation struct {
	OperationID string                `json:"operationId"`
	Security    []map[string][]string `json:"security"`
	Responses   map[string]any        `json:"responses"`
}

func openAPI(t *testing.T, o *office) (doc map[string]any, operations map[string]operation) {
	t.Helper()
	w := o.ask("", "GET", "/api/openapi.json", "")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("got %d %v", w.Code, w.Header())
	}
	var paths struct {
		OpenAPI string                                `json:"openapi"`
		Paths   map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &paths); err != nil {
		t.Fatal(err)
	}
	if paths.OpenAPI != "3.1.0" {
		t.Errorf("got OpenAPI %q", paths.OpenAPI)
	}
	operations = map[string]operation{}
	for path, members := range paths.Paths {
		for method, raw := range members {
			if method == "parameters" {
				continue
			}
			var op operation
			if err := json.Unmarshal(raw, &op); err != nil {
				t.Fatalf("%s %s: %v", method, path, err)
			}
			operations[strings.ToUpper(method)+" "+path] = op
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc, operations
}

func TestTheOpenAPIDocumentHasJustTheRoutesThatAreServed(t *testing.T) {
	o := openOffice(t)
	_, operations := openAPI(t, o)
	var served, described []string
	for _, route := range o.server.Routes() {
		if !strings.Contains(route.Pattern, " /api/") {
			continue
		}
		served = append(served, route.Pattern)
		op, ok := operations[route.Pattern]
		if !ok {
			continue // the comparison below tells
		}
		var scopes []string
		for _, need := range op.Security {
			scopes = append(scopes, need["key"]...)
		}
		var want []string
		if scope := route.Allow.Scope(); scope != "" {
			want = []string{scope}
		}
		if diff := cmp.Diff(want, scopes); diff != "" {
			t.Errorf("%s: scopes (-route +document):\n%s", route.Pattern, diff)
		}
		if op.OperationID == "" {
			t.Errorf("%s has no operationId", route.Pattern)
		}
		if strings.HasPrefix(route.Pattern, "POST ") && (op.Responses["409"] == nil || op.Responses["422"] == nil) {
			t.Errorf("%s does not tell of Idempotency-Key", route.Pattern)
		}
	}
	for pattern := range operations {
		described = append(described, pattern)
	}
	slices.Sort(served)
	slices.Sort(described)
	if diff := cmp.Diff(served, described); diff != "" {
		t.Errorf("routes (-served +described):\n%s", diff)
	}
}

func TestReferencesInTheOpenAPIDocumentLeadSomewhere(t *testing.T) {
	doc, _ := openAPI(t, openOffice(t))
	used := map[string]bool{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				used[ref] = true
				at := any(doc)
				for _, step := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
					members, _ := at.(map[string]any)
					at = members[step]
				}
				if at == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, inner := range v {
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(doc)
	for name := range doc["components"].(map[string]any)["schemas"].(map[string]any) {
		if !used["#/components/schemas/"+name] {
			t.Errorf("nothing refers to the schema %s", name)
		}
	}
	text, _ := json.Marshal(doc["components"])
	for _, scope := range web.Scopes() {
		if !strings.Contains(string(text), scope) {
			t.Errorf("the document does not name the scope %s", scope)
		}
	}
}

func TestTheDocumentationOfTheAPINamesEveryRouteAndItsScope(t *testing.T) {
	b, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range openOffice(t).server.Routes() {
		if !strings.Contains(route.Pattern, " /api/") {
			continue
		}
		row := "| `" + route.Pattern + "` | none |"
		if scope := route.Allow.Scope(); scope != "" {
			row = "| `" + route.Pattern + "` | `" + scope + "` |"
		}
		if !strings.Contains(string(b), row) {
			t.Errorf("docs/api.md has no row %s", row)
		}
	}
}
