package console

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"parley/adapters"
	"parley/adapters/adaptertest"
	"parley/conversation"
)

// screen keeps each message of the bot.
type screen chan string

func (s screen) Write(p []byte) (int, error) {
	s <- string(p)
	return len(p), nil
}

func TestConsolePassesTheSuite(t *testing.T) {
	adaptertest.Run(t, adaptertest.Harness{
		Open: func(t *testing.T, env adapters.Env) *adaptertest.Line {
			keys, typed := io.Pipe()
			t.Cleanup(func() { _ = typed.Close() })
			out := make(screen, 100)
			write := func(line string) { _, _ = io.WriteString(typed, line+"\n") }
			var shown adaptertest.Shown
			return &adaptertest.Line{
				Messenger: New(keys, out, env), Chat: person, Type: write,
				Read: func() adaptertest.Shown {
					select {
					case text := <-out:
						shown = read(text)
					case <-time.After(10 * time.Second):
						t.Error("nothing was printed")
					}
					return shown
				},
				Press: func(label string) {
					for i, l := range shown.Labels {
						if l == label {
							write(fmt.Sprint(i + 1))
						}
					}
				},
			}
		},
		Without: map[string]string{
			"repeated delivery":  "a line is typed once",
			"concurrent repeats": "a line is typed once",
			"reordering":         "lines come in the order in which they are typed",
			"over the limit":     "a terminal takes texts of any length",
			"blocked":            "nobody blocks their own terminal",
			"rate limit":         "a terminal takes what it is given",
			"cut while sending":  "there is no connection to a terminal",
			"reconnect":          "there is no connection to a terminal",
			"run again":          "a terminal belongs to one process, which reads it once",
		},
	})
}

// read takes a printed message apart.
func read(text string) adaptertest.Shown {
	var shown adaptertest.Shown
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if _, label, ok := strings.Cut(line, ") "); ok && strings.HasPrefix(line, "  ") {
			shown.Labels = append(shown.Labels, label)
			continue
		}
		lines = append(lines, line)
	}
	shown.Text = strings.Join(lines, "\n")
	return shown
}

func TestRunEndsWithItsInputAndSkipsEmptyLines(t *testing.T) {
	m := New(strings.NewReader("\n  \nhello\n7\n"), io.Discard, adapters.Env{})
	var got []string
	err := m.Run(t.Context(), func(_ context.Context, events []conversation.Event) error {
		for _, e := range events {
			got = append(got, e.Text)
		}
		return nil
	})
	if err != nil || strings.Join(got, "|") != "hello|7" {
		t.Errorf("got %q, %v, want hello|7", got, err)
	}
}

func TestTerminalIsNotTakenOverByATitle(t *testing.T) {
	var out strings.Builder
	m := New(strings.NewReader(""), &out, adapters.Env{})
	if _, err := m.Send(t.Context(), adapters.Part{Text: "\x1b]0;owned\x07Lamp", From: "staff"}); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "[staff] ]0;ownedLamp\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
