package cli

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// metricName is a figure of ours as it stands in text; of a histogram it leaves what Prometheus appends.
var metricName = regexp.MustCompile(`parley_[a-z_]+`)

func namesIn(text string) (names []string) {
	for _, name := range metricName.FindAllString(text, -1) {
		for _, end := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, end)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func TestTheDashboardAndTheDocumentationNameJustTheFiguresThatAreServed(t *testing.T) {
	t.Parallel()
	s := openShop(t, testShop("sqlite://"+t.TempDir()+"/parley.db", ""))
	s.giveUp(t) // so that there are dead letters
	if _, err := s.in.store.DB().Exec(`INSERT INTO parts (message_key, conversation_key, account, position, text, state, due_ms, changed_ms)
		SELECT message_key, conversation_key, 'elsewhere', 0, 'Hi', 'queued', 0, 0 FROM parts LIMIT 1`); err != nil { // and something waits
		t.Fatal(err)
	}
	resp, err := http.Get(s.base + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	served := namesIn(string(page))
	for _, file := range []string{"grafana.json", "operations.md"} {
		text, err := os.ReadFile(filepath.Join("..", "docs", file))
		if err != nil {
			t.Fatal(err)
		}
		named := namesIn(string(text))
		for _, name := range named {
			if !slices.Contains(served, name) {
				t.Errorf("%s names %s, which is not served", file, name)
			}
		}
		for _, name := range served {
			if !slices.Contains(named, name) {
				t.Errorf("%s does not tell of %s", file, name)
			}
		}
	}
}
