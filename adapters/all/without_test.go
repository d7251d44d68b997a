package all

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// suites names who passes the suite in a test.
var suites = map[string]string{
	"TestWebChatPassesTheSuite":               "Web chat",
	"TestTelegramByPollingPassesTheSuite":     "Telegram, `mode: poll`",
	"TestTelegramByWebhookPassesTheSuite":     "Telegram, `mode: webhook`",
	"TestWhatsAppCloudPassesTheSuite":         "WhatsApp, `backend: cloud`",
	"TestALinkedPhonePassesTheSuite":          "WhatsApp, `backend: linked`",
	"TestSlackBySocketPassesTheSuite":         "Slack, `mode: socket`",
	"TestSlackByEventsPassesTheSuite":         "Slack, `mode: events`",
	"TestDiscordOverTheGatewayPassesTheSuite": "Discord, `mode: gateway`",
	"TestDiscordByWebhookPassesTheSuite":      "Discord, `mode: webhook`",
	"TestConsolePassesTheSuite":               "Console",
}

// exception is a case of the suite that a messenger is without.
type exception struct{ title, name, why string }

// without reads them where the messengers' own tests have them, so that the page cannot say anything else.
func without(t *testing.T) (out []exception) {
	t.Helper()
	var paths []string
	for _, pattern := range []string{"../*/*_test.go", "../*/*/*_test.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	seen := map[string]bool{}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		named := namedValues(file)
		for _, d := range file.Decls {
			test, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasSuffix(test.Name.Name, "PassesTheSuite") {
				continue
			}
			title := suites[test.Name.Name]
			if title == "" {
				t.Fatalf("%s: %s has no name for the page; give it one in suites", path, test.Name.Name)
			}
			seen[test.Name.Name] = true
			ast.Inspect(test, func(n ast.Node) bool {
				if field, ok := n.(*ast.KeyValueExpr); ok && isNamed(field.Key, "Without") {
					for _, e := range sentences(t, path, field.Value, named) {
						out = append(out, exception{title, e.name, e.why})
					}
				}
				return true
			})
		}
	}
	for test := range suites {
		if !seen[test] {
			t.Errorf("there is no %s", test)
		}
	}
	slices.SortFunc(out, func(a, b exception) int {
		return cmp.Or(strings.Compare(a.title, b.title), strings.Compare(a.name, b.name))
	})
	return out
}

// namedValues are a file's variables and constants.
func namedValues(file *ast.File) map[string]ast.Expr {
	out := map[string]ast.Expr{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == len(spec.Names) {
			for i, name := range spec.Names {
				out[name.Name] = spec.Values[i]
			}
		}
		return true
	})
	return out
}

// sentences are the entries of a map of texts, written there or under a name.
func sentences(t *testing.T, path string, value ast.Expr, named map[string]ast.Expr) (out []exception) {
	t.Helper()
	if name, ok := value.(*ast.Ident); ok {
		value = named[name.Name]
	}
	entries, ok := value.(*ast.CompositeLit)
	if !ok {
		t.Fatalf("%s: Without is neither a map written out nor the name of one", path)
	}
	for _, e := range entries.Elts {
		entry, ok := e.(*ast.KeyValueExpr)
		if !ok {
			t.Fatalf("%s: Without has what is no entry", path)
		}
		out = append(out, exception{name: text(t, path, entry.Key, named), why: text(t, path, entry.Value, named)})
	}
	return out
}

func text(t *testing.T, path string, value ast.Expr, named map[string]ast.Expr) string {
	t.Helper()
	if name, ok := value.(*ast.Ident); ok {
		value = named[name.Name]
	}
	literal, ok := value.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		t.Fatalf("%s: Without has an entry that is no text", path)
	}
	said, err := strconv.Unquote(literal.Value)
	if err != nil {
		t.Fatal(err)
	}
	return said
}

func isNamed(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}
