package transcript

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"parley/conversation"
	"parley/conversation/flow"
)

const shop = "../../bots/shop"

var rewrite = flag.Bool("update", false, "write into the transcripts what the bot says")

func loadShop(t testing.TB) *flow.Set {
	t.Helper()
	set, problems := flow.Load(os.DirFS(shop), ".")
	for _, p := range problems {
		t.Errorf("%s", p)
	}
	if set == nil {
		t.FailNow()
	}
	return set
}

func TestShopTranscriptsSayWhatTheBotSays(t *testing.T) {
	set := loadShop(t)
	files, err := filepath.Glob(shop + "/*.chat")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts in %s: %v", shop, err)
	}
	var moves []conversation.Move
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		result, problems := Run(set, file, content)
		moves = append(moves, result.Moves...)
		if *rewrite {
			if err := os.WriteFile(file, result.Updated, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		for _, p := range problems {
			t.Errorf("%s", p)
		}
	}
	c := Cover(set, moves)
	t.Logf("%d of %d states, %d of %d transitions", c.StatesSeen, c.States, c.TransitionsSeen, c.Transitions)
	if c.Percent() < 90 {
		for _, m := range c.Missing {
			t.Log(m)
		}
		t.Errorf("the transcripts walk through %.0f %% of the transitions, want 90", c.Percent())
	}
}
