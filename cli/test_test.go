package cli

import (
	"os"
	"strings"
	"testing"
)

// helloChat holds against smallBot, and comes through all of it but "lost" and the way to stop.
const helloChat = `# hello in English
! greeting
< Hello

# misunderstood in German
language: de
> xyzzy
< Verzeihung
`

func TestTestRunsTranscriptsAgainstTheirFlows(t *testing.T) {
	all := smallBot()
	all["bot/hello.chat"] = helloChat
	files(t, all)
	for _, path := range []string{"bot", "bot/hello.chat"} {
		got := parley(t, "", "test", path)
		if got.code != 0 || got.stdout != "bot: 2 conversations in 1 transcript, 0 problems\n" {
			t.Errorf("test %s: exit %d, stdout %q, stderr %q", path, got.code, got.stdout, got.stderr)
		}
	}
}

func TestTestNamesTheLineWhereTheBotAnswersOtherwiseAndUpdatesIt(t *testing.T) {
	all := smallBot()
	all["bot/hello.chat"] = strings.Replace(helloChat, "< Hello", "< Good day", 1)
	files(t, all)
	got := parley(t, "", "test", "bot")
	if got.code != 1 {
		t.Errorf("exit %d, want 1", got.code)
	}
	wantIn(t, "stdout", got.stdout, "bot/hello.chat:3:1: error: ", "< Hello", "; ", "1 problem")

	if lax := parley(t, "", "check", "bot"); lax.code != 0 || !strings.Contains(lax.stdout, "bot/hello.chat:3:1: warning: ") {
		t.Errorf("check of the folder: exit %d, stdout %q, want a warning", lax.code, lax.stdout)
	}
	if named := parley(t, "", "check", "bot/hello.chat"); named.code != 1 {
		t.Errorf("check of the transcript: exit %d, want 1", named.code)
	}

	if got := parley(t, "", "test", "-update", "bot"); got.code != 0 || !strings.Contains(got.stdout, "1 updated") {
		t.Errorf("update: exit %d, stdout %q, stderr %q", got.code, got.stdout, got.stderr)
	}
	text, err := os.ReadFile("bot/hello.chat")
	if err != nil || string(text) != helloChat {
		t.Errorf("updated to %q (%v), want %q", text, err, helloChat)
	}
}

func TestTestSaysWhatNoTranscriptCovers(t *testing.T) {
	all := smallBot()
	all["bot/hello.chat"] = helloChat
	files(t, all)
	got := parley(t, "", "test", "-cover", "bot")
	if got.code != 0 {
		t.Errorf("exit %d, want 0: what is not covered is no failure", got.code)
	}
	wantIn(t, "stdout", got.stdout, "bot/stop.yaml:", "no transcript comes to stop.done", "2 of 4 states")
}

func TestTestRefusesWhatIsNoTranscriptAndSaysSoWhenThereIsNone(t *testing.T) {
	files(t, smallBot())
	if got := parley(t, "", "test", "bot/hello.yaml"); got.code != 2 {
		t.Errorf("a flow: exit %d, want 2", got.code)
	}
	if got := parley(t, "", "test", "bot"); got.code != 1 || !strings.Contains(got.stderr, "no transcripts in bot") {
		t.Errorf("a folder without transcripts: exit %d, stderr %q", got.code, got.stderr)
	}
}
