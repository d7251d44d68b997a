package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// variable is an environment variable before a command.
var variable = regexp.MustCompile(`^[A-Z_]+=`)

// result is what a command line did.
type result struct {
	code           int
	stdout, stderr string
}

// parley runs a command line as main does, with its own environment ("NAME=value" before the command) and input.
func parley(t *testing.T, input string, args ...string) result {
	t.Helper()
	env := map[string]string{}
	for len(args) > 0 && variable.MatchString(args[0]) {
		name, value, _ := strings.Cut(args[0], "=")
		env[name], args = value, args[1:]
	}
	var stdout, stderr bytes.Buffer
	code := Main(args, strings.NewReader(input), &stdout, &stderr, func(name string) string { return env[name] })
	return result{code, stdout.String(), stderr.String()}
}

// files writes files below a folder of the test's own and makes that the working folder.
func files(t *testing.T, contents map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range contents {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return dir
}

func wantIn(t *testing.T, what, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%s is %q, want %q in it", what, got, w)
		}
	}
}

func TestWrongUsageExitsWithTwoAndSaysWhereHelpIs(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"nothing at all", nil, "Usage: parley <command>"},
		{"unknown command", []string{"chekc"}, "see parley -help"},
		{"unknown flag", []string{"check", "-strct"}, `did you mean "--strict"?; see parley check -help`},
		{"missing argument", []string{"diagram"}, "<flow>"},
		{"a format that does not exist", []string{"diagram", "-format", "png", "notify"}, "mermaid"},
		{"a flow that does not exist", []string{"diagram", "notfy"}, "notify"},
		{"a flow to talk to that does not exist", []string{"chat", "-flow", "notfy"}, "notify"},
		{"a value that is no truth", []string{"check", "-strict=perhaps"}, "strict"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := parley(t, "", c.args...)
			if got.code != 2 || got.stdout != "" {
				t.Errorf("exit %d with stdout %q, want exit 2 and nothing on stdout", got.code, got.stdout)
			}
			wantIn(t, "stderr", got.stderr, c.want)
		})
	}
}

func TestHelpAskedForIsDone(t *testing.T) {
	for _, args := range [][]string{{"-help"}, {"--help"}, {"-h"}, {"help"}} {
		got := parley(t, "", args...)
		if got.code != 0 || got.stderr != "" {
			t.Errorf("%q: exit %d with stderr %q, want 0 and silence", args, got.code, got.stderr)
		}
		wantIn(t, "help", got.stdout, "check", "test", "chat", "diagram", "version")
	}
	for _, args := range [][]string{{"check", "-help"}, {"help", "check"}} {
		got := parley(t, "", args...)
		if got.code != 0 {
			t.Errorf("%q: exit %d, want 0", args, got.code)
		}
		wantIn(t, "help of check", got.stdout, "--strict", "PARLEY_STRICT")
	}
}

func TestFlagsTakeOneDashOrTwo(t *testing.T) {
	for _, flag := range []string{"-format", "--format"} {
		if got := parley(t, "", "diagram", flag, "dot", "notify"); got.code != 0 || !strings.HasPrefix(got.stdout, "digraph") {
			t.Errorf("%s dot: exit %d, stdout %.20q, stderr %q", flag, got.code, got.stdout, got.stderr)
		}
		if got := parley(t, "", "diagram", flag+"=dot", "notify"); got.code != 0 || !strings.HasPrefix(got.stdout, "digraph") {
			t.Errorf("%s=dot: exit %d, stdout %.20q, stderr %q", flag, got.code, got.stdout, got.stderr)
		}
	}
	if got := parley(t, "", "diagram", "--", "-format"); got.code != 2 || !strings.Contains(got.stderr, `no flow "-format"`) {
		t.Errorf("after -- nothing is a flag: exit %d, stderr %q", got.code, got.stderr)
	}
}

func TestEveryFlagHasAnEnvironmentTwinWhichAGivenFlagBeats(t *testing.T) {
	if got := parley(t, "", "PARLEY_FORMAT=dot", "diagram", "notify"); !strings.HasPrefix(got.stdout, "digraph") {
		t.Errorf("PARLEY_FORMAT=dot drew %.20q, stderr %q", got.stdout, got.stderr)
	}
	if got := parley(t, "", "PARLEY_FORMAT=dot", "diagram", "-format", "mermaid", "notify"); strings.HasPrefix(got.stdout, "digraph") {
		t.Errorf("-format mermaid lost against the environment: %.20q", got.stdout)
	}
	if got := parley(t, "", "PARLEY_FORMAT=", "diagram", "notify"); got.code != 0 {
		t.Errorf("an empty variable counted: %q", got.stderr)
	}
}

func TestVersionIsOneLine(t *testing.T) {
	got := parley(t, "", "version")
	if got.code != 0 || !strings.HasPrefix(got.stdout, "parley ") || strings.Count(got.stdout, "\n") != 1 {
		t.Errorf("exit %d, stdout %q", got.code, got.stdout)
	}
}

func TestDiagramDrawsEachFlowOfTheBuiltInBot(t *testing.T) {
	for _, name := range []string{"subscribe", "notify", "buy-now", "ask-question", "counteroffer"} {
		mermaid := parley(t, "", "diagram", name)
		if mermaid.code != 0 {
			t.Errorf("%s: exit %d, stderr %q", name, mermaid.code, mermaid.stderr)
		}
		wantIn(t, name+" in mermaid", mermaid.stdout, "stateDiagram")
	}
}
