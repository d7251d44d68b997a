package cli

import (
	"regexp"
	"strings"
	"testing"
)

// smallBot is a whole bot in two files: enough to be loaded without a problem.
func smallBot() map[string]string {
	return map[string]string{
		"bot/bot.yaml": "shop: The Small Shop\nlanguages: [en, de]\n",
		"bot/hello.yaml": `flow: hello
starts_on: {greeting: hi, misunderstood: sorry, lost: sorry}
start: hi
states:
  hi:
    say: {en: Hello, de: Hallo}
    end: true
  sorry:
    say: {en: Sorry, de: Verzeihung}
    end: true
`,
		"bot/stop.yaml": `flow: stop
starts_on: [stop]
start: stopping
states:
  stopping:
    do: stop
    on: {stopped: done}
  done:
    say: {en: No more messages., de: Keine Nachrichten mehr.}
    end: true
`,
	}
}

// smallConfig is a config that has nothing wrong with it.
const smallConfig = `database: sqlite://parley.db
web:
  public_url: https://chat.shop.example
merchants:
  - name: shop
    title: The Small Shop
    currency: EUR
    bot: bot
    accounts:
      - name: chat
        adapter: webchat
    payments:
      - name: invoice
        provider: manual
`

// problemLine is the form that the doors promise.
var problemLine = regexp.MustCompile(`^[^ :]+:\d+:\d+: (error|warning): [^;]+; .+$`)

func TestCheckFindsNothingInTheBuiltInBot(t *testing.T) {
	files(t, nil)
	got := parley(t, "", "check")
	if got.code != 0 || strings.Contains(got.stdout, "error:") {
		t.Errorf("exit %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
}

func TestCheckTakesConfigsFlowFoldersAndTranscripts(t *testing.T) {
	all := smallBot()
	all["parley.yaml"] = smallConfig
	all["bot/hello.chat"] = helloChat
	files(t, all)
	for _, args := range [][]string{{}, {"parley.yaml"}, {"bot"}, {"bot/hello.yaml"}, {"bot/bot.yaml"}, {"bot/hello.chat"}, {"."}} {
		got := parley(t, "", append([]string{"check", "-strict"}, args...)...)
		if got.code != 0 || got.stdout != "" || got.stderr != "" {
			t.Errorf("check %q: exit %d:\n%s%s", args, got.code, got.stdout, got.stderr)
		}
	}
}

func TestCheckNamesPlaceProblemAndRemedy(t *testing.T) {
	for _, c := range []struct {
		name           string
		file, old, new string
		want           []string
	}{
		{"a misspelt setting", "parley.yaml", "currency: EUR", "curency: EUR", []string{"parley.yaml:7:5: error: ", `"curency"`, `did you mean "currency"?`}},
		{"an unknown adapter", "parley.yaml", "webchat", "webchta", []string{"parley.yaml:11:", "error: ", "webchat"}},
		{"a folder of flows that is not there", "parley.yaml", "bot: bot", "bot: bto", []string{"parley.yaml:8:", "error: ", "no folder bto"}},
		{"a misspelt state", "bot/stop.yaml", "stopped: done", "stopped: doen", []string{"bot/stop.yaml:7:", "error: ", `"doen"`, `did you mean "done"?`}},
		{"an unreachable state", "bot/stop.yaml", "  done:", "  lost:\n    say: {en: a, de: b}\n    end: true\n  done:", []string{"bot/stop.yaml:8:", "error: ", "lost cannot be reached"}},
		{"a duplicate transition", "bot/stop.yaml", "{stopped: done}", "{stopped: done, stopped: stopping}", []string{"bot/stop.yaml:7:", "error: ", "stopped"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := smallBot()
			all["parley.yaml"] = smallConfig
			if !strings.Contains(all[c.file], c.old) {
				t.Fatalf("%s does not hold %q", c.file, c.old)
			}
			all[c.file] = strings.Replace(all[c.file], c.old, c.new, 1)
			files(t, all)
			got := parley(t, "", "check")
			if got.code != 1 {
				t.Errorf("exit %d, want 1", got.code)
			}
			wantIn(t, "stdout", got.stdout, c.want...)
			wantIn(t, "stderr", got.stderr, "error")
			for line := range strings.Lines(got.stdout) {
				if !problemLine.MatchString(strings.TrimSuffix(line, "\n")) {
					t.Errorf("%q is not file:line:col: error or warning: what is wrong; what to do", line)
				}
			}
		})
	}
}

func TestCheckWarnsOfAMissingTranslationAndIsStrictOnRequest(t *testing.T) {
	all := smallBot()
	all["bot/hello.yaml"] = strings.Replace(all["bot/hello.yaml"], "{en: Hello, de: Hallo}", "{en: Hello}", 1)
	files(t, all)
	lax, strict := parley(t, "", "check", "bot"), parley(t, "", "check", "-strict", "bot")
	if lax.code != 0 || strict.code != 1 {
		t.Errorf("exit %d and strictly %d, want 0 and 1", lax.code, strict.code)
	}
	wantIn(t, "stdout", lax.stdout, "bot/hello.yaml:6:", "warning: ", "German")
	wantIn(t, "stderr", lax.stderr, "0 errors, 1 warning")
	if lax.stdout != strict.stdout {
		t.Errorf("-strict found something else:\n%s%s", lax.stdout, strict.stdout)
	}
}

func TestCheckWarnsOfAButtonLongerThanTheNarrowestChannelOfTheConfig(t *testing.T) {
	all := smallBot()
	all["bot/hello.yaml"] = strings.Replace(all["bot/hello.yaml"], "    say: {en: Hello, de: Hallo}\n    end: true",
		`    say: {en: Hello, de: Hallo}
    choices:
      - {id: yes, label: {en: "`+strings.Repeat("Yes please ", 12)+`", de: Ja}, to: sorry}`, 1)
	all["parley.yaml"] = strings.Replace(smallConfig, "        adapter: webchat", "        adapter: telegram\n        token: ${PARLEY_TEST_TOKEN}", 1)
	files(t, all)
	got := parley(t, "", "PARLEY_TEST_TOKEN=123456:abcdefghijklmnopqrstuvwxyz_ABCDEFGH", "check")
	if got.code != 0 {
		t.Errorf("exit %d, want 0", got.code)
	}
	wantIn(t, "stdout", got.stdout, "bot/hello.yaml:8:", "warning: ", "Telegram")
}

func TestCheckSaysWhatIsNotThere(t *testing.T) {
	files(t, map[string]string{"empty/readme.txt": "nothing"})
	for _, c := range []struct{ path, want string }{
		{"nowhere", "nowhere: error: there is no such file or folder; "},
		{"empty", "empty: error: there is nothing to check here; "},
	} {
		got := parley(t, "", "check", c.path)
		if got.code != 1 {
			t.Errorf("check %s: exit %d, want 1", c.path, got.code)
		}
		wantIn(t, "stdout", got.stdout, c.want)
	}
}
