package transcript

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/conversation/flow"
)

func TestProblemsOfATranscriptHaveTheirLine(t *testing.T) {
	set := loadShop(t)
	tests := []struct{ name, text, want string }{
		{"an unknown line", "hello\n", "t.chat:1:1: error: cannot read this line; begin with"},
		{"an answer before anything", "< Hello\n", "t.chat:1:1: error: nothing has happened yet that the bot could answer"},
		{"an unknown variable", "! price_below pryce=1\n", `t.chat:1:1: error: unknown variable "pryce"; did you mean "price"?`},
		{"unknown facts", "! price_below @mug\n", "t.chat:1:1: error: no facts named @mug"},
		{"broken variables", "! price_below =\n", `t.chat:1:1: error: cannot read "="`},
		{"a quotation mark too few", "@m = price=\" 1\n", `t.chat:1:1: error: cannot read "price=\" 1"`},
		{"no such language", "language: fr\n", `t.chat:1:1: error: the bot does not speak "fr"`},
		{"no such time", "... soon\n", `t.chat:1:1: error: "soon" is not a time to wait`},
		{"no such button", "# a\n>> Buy\n", `t.chat:2:1: error: no button "Buy" was shown`},
		{"nothing waits for it", "! paid\n", `t.chat:1:1: error: "paid" is not an outcome the bot waits for`},
		{"another answer", "> thanks\n< You are welcome?\n", "t.chat:2:1: error: the bot does otherwise: < You are welcome!"},
		{"an answer too many", "> thanks\n< You are welcome!\n< Bye\n", "t.chat:3:1: error: the bot does not do this: < Bye"},
		{"an answer too few", "> hello\n", "t.chat:1:1: error: after this the bot goes on: < Hello!"},
		{"another state", "> thanks\n< You are…\n= notify.told\n", "t.chat:3:1: error: the bot does otherwise: = idle"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := Run(set, "t.chat", []byte(tt.text))
			if len(problems) == 0 || !strings.HasPrefix(problems[0].String(), tt.want) {
				t.Errorf("got %v, want %s", problems, tt.want)
			}
		})
	}
}

func TestUpdateKeepsWhatTheAuthorWrote(t *testing.T) {
	set := loadShop(t)
	before := "# A title.\n\n> thanks\n< wrong\n\n# Another.\nlanguage: de\n> danke\n< Sehr…\n= idle\n> hallo\n"
	after := "# A title.\n\n> thanks\n< You are welcome!\n\n# Another.\nlanguage: de\n> danke\n< Sehr…\n= idle\n> hallo\n< Hallo! Ich bin der Bot von Our shop. Was kann ich für dich tun? HILFE zeigt, was ich weiß.\n"
	result, _ := Run(set, "t.chat", []byte(before))
	if diff := cmp.Diff(after, string(result.Updated)); diff != "" {
		t.Error(diff)
	}
	again, problems := Run(set, "t.chat", result.Updated)
	if len(problems) > 0 || string(again.Updated) != after {
		t.Errorf("the updated file is not right: %v", problems)
	}
}

func TestCoverNamesWhatNoTranscriptWalksThrough(t *testing.T) {
	set := loadShop(t)
	c := Cover(set, nil)
	if c.StatesSeen != 0 || c.TransitionsSeen != 0 || len(c.Missing) != c.States+c.Transitions || c.Percent() != 0 {
		t.Errorf("of nothing: %+v", c)
	}
	result, _ := Run(set, "t.chat", []byte("> STOP\n"))
	c = Cover(set, result.Moves)
	if c.StatesSeen != 2 || c.TransitionsSeen != 2 {
		t.Errorf("STOP walks through %d states and %d transitions", c.StatesSeen, c.TransitionsSeen)
	}
}

func TestParseDoesNotPlay(t *testing.T) {
	set := loadShop(t)
	script, problems := Parse(set, "t.chat", []byte("# a\n> thanks\n< wrong\n# b\n> x\n"))
	if len(problems) > 0 || script.Conversations() != 2 {
		t.Errorf("%d conversations, %v", script.Conversations(), problems)
	}
}

func TestTheGuidesTranscriptIsRight(t *testing.T) {
	guide, err := os.ReadFile("../../docs/flows.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(language string) string {
		return regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(string(guide))[1]
	}
	set, problems := flow.LoadFiles(map[string][]byte{
		"bot.yaml":    []byte("languages: [en, de]\n"),
		"basics.yaml": []byte("flow: basics\nstarts_on: {misunderstood: sorry, stop: stop}\nstart: sorry\nstates:\n  sorry: {say: {en: a, de: a}, stay: true}\n  stop: {do: stop, on: {stopped: over}}\n  over: {end: true}\n"),
		"notify.yaml": []byte(block("yaml")),
	})
	if set == nil {
		t.Fatal(problems)
	}
	if _, problems := Run(set, "flows.md", []byte(block("chat"))); len(problems) > 0 {
		t.Error(problems)
	}
}

func FuzzRun(f *testing.F) {
	set := loadShop(f)
	f.Add("@m = product.sku=mug\n! price_below @m\n> buy\n! paid\n... 48h\n>> buy\n= idle\n")
	f.Fuzz(func(t *testing.T, text string) {
		result, _ := Run(set, "t.chat", []byte(text))
		again, _ := Run(set, "t.chat", result.Updated)
		_ = again
	})
}
