package cloud

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/adapters"
	"parley/adapters/whatsapp/cloudtest"
)

// prism serves Meta's own description by a program that we did not write, until the test ends.
func prism(t *testing.T) string {
	t.Helper()
	meta(t)
	missing := func(why string) {
		t.Helper()
		if slices.Contains(strings.Split(os.Getenv("PARLEY_REQUIRE"), ","), "node") {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		missing("node is not installed")
	}
	dir := filepath.Join("..", "peer")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "@stoplight", "prism-cli")); err != nil {
		missing("Prism is not installed: run npm ci --ignore-scripts in adapters/whatsapp/peer")
	}
	description, err := filepath.Abs(openapiPath())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, node, "server.js", description)
	cmd.Dir = dir
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("start Prism: %v", err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatalf("start Prism: %v", err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start Prism: %v", err)
	}
	t.Cleanup(func() {
		_ = stdin.Close() // the server ends with its input
		cancel()
		_ = cmd.Wait()
	})
	port := make(chan string, 1)
	go func() { // ends with the server's output
		defer close(port)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if number, ok := strings.CutPrefix(lines.Text(), "port "); ok {
				port <- number
			}
		}
	}()
	select {
	case number, ok := <-port:
		if !ok {
			t.Fatal("Prism ended before it listened")
		}
		return "http://127.0.0.1:" + number + "/v23.0"
	case <-time.After(60 * time.Second):
		t.Fatal("Prism did not start in 60 s")
	}
	return ""
}

func TestPrismTakesEveryRequestByMetasDescription(t *testing.T) {
	m := newMessenger(t, prism(t), adapters.Env{HTTP: &http.Client{Timeout: 30 * time.Second}}, map[string]string{"templates": twoTemplates})
	for name, part := range everyKind() {
		part.Chat = ann
		sent, err := m.Send(t.Context(), part)
		if name == "template with buttons" {
			// The description forbids button 0, which all its examples have; see contradicted.
			if err == nil {
				t.Errorf("%s: Prism takes it now; compare it like the others", name)
			}
			continue
		}
		if err != nil || !strings.HasPrefix(sent.ID, "wamid.") {
			t.Errorf("%s: got %q, %v, want Meta's id", name, sent.ID, err)
		}
	}
	if err := m.React(t.Context(), ann, "wamid.IN1", "👀"); err != nil {
		t.Errorf("reaction: got %v", err)
	}
	for name, part := range map[string]adapters.Part{
		"text with buttons":  {Text: strings.Repeat("x", 1025), Choices: options(1, 3, 3)},
		"the label of one":   {Text: "?", Choices: options(1, 25, 3)}, // up to 24 it is the row of a list
		"the value of one":   {Text: "?", Choices: options(1, 3, 257)},
		"the label of a row": {Text: "?", Choices: options(4, 25, 3)},
		"the value of a row": {Text: "?", Choices: options(4, 3, 201)},
		"a list of eleven":   {Text: "?", Choices: append(options(10, 3, 3), options(1, 4, 4)...)},
	} {
		part.Chat = ann
		_, err := m.Send(t.Context(), part)
		if err == nil {
			t.Errorf("%s too long: want it refused", name)
			continue
		}
		if got := refusal(t, err); got.Consequence != adapters.Rejected {
			t.Errorf("%s too long: got %v, want it rejected", name, got)
		}
	}
	bare := newMessenger(t, m.graph.base, adapters.Env{}, map[string]string{"access_token": "?"})
	_, err := bare.Send(t.Context(), adapters.Part{Chat: ann, Text: "x"})
	if err == nil || strings.Contains(err.Error(), cloudtest.Token) {
		t.Errorf("got %v, want a token in a wrong form refused", err)
	}
}
