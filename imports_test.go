package main_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The import rules of the house, checked on the parsed files: the go command's answers would be served from the test cache.
// Test files may import more, and so may packages made for tests; nobody but tests may import those.

// module is our own import prefix.
const module = "parley/"

// rule says what the packages that match pattern may import of ours. The first rule that matches counts; commerce/money is
// free for all. In patterns "*" is one folder and a closing "/..." the folder and everything below.
type rule struct {
	pattern string
	may     []string
	family  int // packages that share this many leading folders with the importer may be imported too
	why     string
}

var rules = []rule{
	{"commerce/money", nil, 0, "it is the leaf that everyone imports"},
	{"commerce/payment", nil, 0, "it is the contract between trade and its providers, and both import it"},
	{"commerce/payment/*/...", []string{"commerce/payment"}, 3, "a payment provider knows its contract and money, never trade itself or another provider"},
	{"commerce", []string{"commerce/payment"}, 0, "trade decides from rows and a command, and writes through commerce.Tx, which package store implements"},

	{"conversation/effect", nil, 0, "an effect is a plain request: words, numbers and money"},
	{"conversation/understand", nil, 0, "reading words needs no flow and no session"},
	{"conversation/flow", []string{"conversation/effect", "conversation/understand"}, 0, "a flow is compiled without knowing who talks"},
	{"conversation/transcript", []string{"conversation", "conversation/flow", "conversation/effect", "conversation/understand"}, 0, "a transcript is talk alone, played without a shop"},
	{"conversation", []string{"conversation/effect", "conversation/flow", "conversation/understand"}, 0, "talk meets trade by value: a step yields an effect, and package bots carries it out"},

	{"config", nil, 0, "what an adapter or provider can be set to is handed to it as config.Kinds"},

	{"adapters/all", []string{"adapters", "adapters/*"}, 0, "it is the list of the messengers built in, nothing more"},
	{"adapters", []string{"conversation", "config"}, 0, "the contract of a messenger converts, it does not decide"},
	{"adapters/*/...", []string{"adapters", "conversation", "config"}, 2, "an adapter converts; what it needs of the house comes in adapters.Env or through an interface it declares"},

	{"store/...", []string{"conversation/...", "commerce", "commerce/payment"}, 1, "rows know nothing of who writes or shows them"},
	{"bots/...", []string{"adapters", "conversation/...", "commerce", "commerce/payment", "store"}, 1, "messengers and providers are handed to it by main"},
	{"web/...", []string{"conversation/...", "commerce", "store"}, 1, "of bots and adapters it sees small interfaces that it declares and main fills"},

	{"cli/demo/...", []string{"commerce"}, 2, "the demo's shop is data"},
	{"cli/...", []string{"..."}, 0, ""},
	{".", []string{"..."}, 0, ""},
}

// core are the packages that do no I/O and get the clock as an argument.
var core = []string{"conversation/...", "commerce", "commerce/money", "commerce/payment"}

// outside are imports that reach out of the process; a trailing slash means the whole tree.
var outside = []string{
	"net", "net/http", "net/http/", "net/rpc", "net/smtp", "os", "os/", "io/ioutil", "database/sql", "database/sql/", "syscall", "plugin",
	"github.com/jmoiron/sqlx", "modernc.org/sqlite", "github.com/jackc/pgx/", "github.com/coder/websocket",
}

// clock are the functions of package time that read the clock or wait for it.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

func TestEveryPackageImportsOnlyWhatTheHouseAllows(t *testing.T) {
	files := 0
	for name := range goFiles(t, ".") {
		files++
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, complaint := range complaints(filepath.ToSlash(name), src) {
			t.Error(complaint)
		}
	}
	if files < 20 {
		t.Errorf("only %d Go files were looked at: the test must run in the root of the checkout", files)
	}
}

func TestImportRulesNoticeEachKindOfBreach(t *testing.T) {
	for _, c := range []struct{ name, file, src, want string }{
		{"talk reaches for trade", "conversation/step.go", `package conversation; import "parley/commerce"`, "conversation may not import commerce"},
		{"trade reaches for talk", "commerce/order.go", `package commerce; import "parley/conversation"`, "commerce may not import conversation"},
		{"trade picks a provider", "commerce/order.go", `package commerce; import "parley/commerce/payment/test"`, "commerce may not import commerce/payment/test"},
		{"config knows an adapter", "config/load.go", `package config; import "parley/adapters"`, "config may not import adapters"},
		{"sibling adapters", "adapters/slack/send.go", `package slack; import "parley/adapters/telegram"`, "sibling adapters never import each other"},
		{"web calls the bots", "web/chat.go", `package web; import "parley/bots"`, "web may not import bots"},
		{"store knows the pages", "store/store.go", `package store; import "parley/web"`, "store may not import web"},
		{"an unknown package", "util/strings.go", `package util`, "no rule for package util"},
		{"a suite in production", "bots/inbox.go", `package bots; import "parley/adapters/adaptertest"`, "is for tests"},
		{"the network in the core", "conversation/flow/load.go", `package flow; import "net/http"`, `may not import "net/http"`},
		{"a database in the core", "commerce/tx.go", `package commerce; import "database/sql"`, `may not import "database/sql"`},
		{"files in the core", "conversation/transcript/run.go", `package transcript; import "os"`, `may not import "os"`},
		{"the clock in the core", "commerce/offer.go", `package commerce; import "time"; var a = time.Now()`, "time.Now"},
		{"a renamed clock", "commerce/offer.go", `package commerce; import clock "time"; var a = clock.Since`, "time.Since"},
		{"an init function", "bots/inbox.go", `package bots; func init() {}`, "init()"},
		{"a file that does not parse", "bots/inbox.go", `package`, "expected"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(complaints(c.file, []byte(c.src)), "\n")
			if !strings.Contains(got, c.want) {
				t.Errorf("got %q, want a sentence with %q", got, c.want)
			}
		})
	}
}

func TestImportRulesLeaveTheAllowedAlone(t *testing.T) {
	for _, c := range []struct{ file, src string }{
		{"conversation/step.go", `package conversation; import ("time"; "parley/conversation/flow"; "parley/commerce/money"); func f(now time.Time) time.Time { return now.Add(time.Second) }`},
		{"commerce/payment/stripe/stripe.go", `package stripe; import ("net/http"; "time"; "parley/commerce/payment"); var a = time.Now; var c http.Client`},
		{"adapters/telegram/telegram.go", `package telegram; import ("parley/adapters"; "parley/adapters/telegram/wire"; "parley/config"; "parley/conversation")`},
		{"adapters/all/all.go", `package all; import ("parley/adapters"; "parley/adapters/telegram")`},
		{"adapters/adaptertest/suite.go", `package adaptertest; import ("parley/adapters"; "parley/store")`},
		{"conversation/step_test.go", `package conversation_test; import ("os"; "parley/store"); func init() {}`},
		{"web/inbox.go", `package web; import ("parley/store"; "parley/commerce"; "parley/commerce/money"); type s struct{}; func (s) init() {}`},
		{"cli/serve.go", `package cli; import ("parley/bots"; "parley/web"; "parley/adapters/all")`},
		{"main.go", `package main; import "parley/cli"`},
	} {
		if got := complaints(c.file, []byte(c.src)); len(got) > 0 {
			t.Errorf("%s: got %q, want no complaint", c.file, got)
		}
	}
}

// goFiles yields every Go file of this module below root, by its path.
func goFiles(t *testing.T, root string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && name != root {
				base := d.Name()
				_, nested := os.Stat(filepath.Join(name, "go.mod"))
				if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "node_modules" || nested == nil {
					return fs.SkipDir
				}
			}
			if !d.IsDir() && strings.HasSuffix(name, ".go") && !yield(name) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// complaints judges one file, named by its slashed path from the root of the checkout.
func complaints(name string, src []byte) []string {
	if strings.HasSuffix(name, "_test.go") {
		return nil
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, src, parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	pkg := path.Dir(name)
	var found []string
	say := func(at token.Pos, format string, args ...any) {
		found = append(found, fmt.Sprintf("%s: %s", set.Position(at), fmt.Sprintf(format, args...)))
	}
	law, ok := ruleFor(pkg)
	if !ok && !forTests(pkg) {
		say(file.Package, "there is no rule for package %s; add one to the table in imports_test.go, or put the code where the house has a place for it", pkg)
	}
	pure := matchesAny(core, pkg)
	timeName := ""
	for _, spec := range file.Imports {
		imported := strings.Trim(spec.Path.Value, `"`)
		if imported == "time" {
			timeName = "time"
			if spec.Name != nil {
				timeName = spec.Name.Name
			}
		}
		if pure && reachesOut(imported) {
			say(spec.Pos(), "%s may not import %q: it does no I/O; take what it needs as an argument or declare a small interface", pkg, imported)
		}
		if ours, is := strings.CutPrefix(imported, module); is && ok && !forTests(pkg) {
			if complaint := law.refuses(pkg, ours); complaint != "" {
				say(spec.Pos(), "%s", complaint)
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				say(n.Pos(), "no init(): make the value where it is needed, or pass it in from main")
			}
		case *ast.SelectorExpr:
			if x, is := n.X.(*ast.Ident); is && pure && timeName != "" && x.Name == timeName && slices.Contains(clock, n.Sel.Name) {
				say(n.Pos(), "%s may not use time.%s: the clock is an argument (now time.Time)", pkg, n.Sel.Name)
			}
		}
		return true
	})
	return found
}

// refuses says why pkg may not import the package of ours, or nothing.
func (r rule) refuses(pkg, ours string) string {
	switch {
	case forTests(ours):
		return fmt.Sprintf("%s may not import %s: that package is for tests", pkg, ours)
	case ours == "commerce/money", matchesAny(r.may, ours), r.family > 0 && sharesFolders(pkg, ours, r.family):
		return ""
	case matches("adapters/*/...", pkg) && matches("adapters/*/...", ours):
		return fmt.Sprintf("%s may not import %s: sibling adapters never import each other; what both need belongs to package adapters", pkg, ours)
	}
	allowed := "nothing of ours but commerce/money"
	if len(r.may) > 0 {
		allowed = "only " + strings.Join(r.may, ", ") + " and commerce/money"
	}
	return fmt.Sprintf("%s may not import %s: %s; it imports %s", pkg, ours, r.why, allowed)
}

func ruleFor(pkg string) (rule, bool) {
	i := slices.IndexFunc(rules, func(r rule) bool { return matches(r.pattern, pkg) })
	if i < 0 {
		return rule{}, false
	}
	return rules[i], true
}

// forTests says whether a package exists for tests: a conformance suite (storetest), a fake server, a peer.
func forTests(pkg string) bool {
	base := path.Base(pkg)
	return base != "test" && strings.HasSuffix(base, "test") || base != "peer" && strings.HasSuffix(base, "peer")
}

func reachesOut(imported string) bool {
	return slices.ContainsFunc(outside, func(o string) bool {
		return imported == o || strings.HasSuffix(o, "/") && strings.HasPrefix(imported, o)
	})
}

func matchesAny(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, pkg) })
}

func matches(pattern, pkg string) bool {
	want, have := strings.Split(pattern, "/"), strings.Split(pkg, "/")
	for i, segment := range want {
		if segment == "..." {
			return true
		}
		if i >= len(have) || segment != "*" && segment != have[i] {
			return false
		}
	}
	return len(want) == len(have)
}

func sharesFolders(a, b string, n int) bool {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	return len(x) >= n && len(y) >= n && slices.Equal(x[:n], y[:n])
}
