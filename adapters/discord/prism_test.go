package discord

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/adapters/discord/discordtest"
)

// Prism judges by Discord's own description, and knows nothing of ours.
func TestPrismTakesEveryRequestByDiscordsDescription(t *testing.T) {
	t.Parallel()
	calls := everyRequest(t)
	p := startPrism(t, calls)
	for _, call := range calls {
		if status, problem := p.judge(t, call); problem != "" {
			t.Errorf("%s %s %s: %d %s", call.Method, call.Path, call.Body, status, problem)
		}
	}
	bot := http.Header{"Authorization": {"Bot " + discordtest.Token}, "Content-Type": {"application/json"}}
	for name, call := range map[string]discordtest.Call{
		"a text that is a number": {Method: "POST", Path: "/api/v10/channels/1/messages", Header: bot, Body: []byte(`{"content":7}`)},
		"a long nonce":            {Method: "POST", Path: "/api/v10/channels/1/messages", Header: bot, Body: []byte(`{"nonce":"` + strings.Repeat("n", 26) + `"}`)},
		"a page too long":         {Method: "GET", Path: "/api/v10/channels/1/messages", Query: "limit=101", Header: bot},
		"a thread without a name": {Method: "POST", Path: "/api/v10/channels/1/threads", Header: bot, Body: []byte(`{"type":11}`)},
		"no token":                {Method: "GET", Path: "/api/v10/users/@me"},
	} {
		if _, problem := p.judge(t, call); problem == "" {
			t.Errorf("%s: Prism takes it, so that its judgement is worth nothing", name)
		}
	}
}

// cutTo is what Discord's description says of the requests of some calls, as it stands there. Prism needs 20 s to read the whole, and
// what it makes up for answers does not keep to the description.
func cutTo(t *testing.T, text []byte, calls []discordtest.Call) []byte {
	t.Helper()
	var d description
	var whole map[string]json.RawMessage
	var parts map[string]map[string]json.RawMessage
	for _, into := range []any{&d, &whole} {
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	if err := json.Unmarshal(whole["components"], &parts); err != nil {
		t.Fatal(err)
	}
	paths := map[string]map[string]json.RawMessage{}
	for _, call := range calls {
		path, method := d.path(call), strings.ToLower(call.Method)
		if paths[path] == nil {
			paths[path] = map[string]json.RawMessage{}
		}
		var operation map[string]json.RawMessage
		if err := json.Unmarshal(d.Paths[path][method], &operation); err != nil {
			t.Fatalf("%s %s: %v", call.Method, call.Path, err)
		}
		operation["responses"] = json.RawMessage(`{"200":{"description":"taken"}}`)
		paths[path][method] = marshal(t, operation)
		if shared := d.Paths[path]["parameters"]; shared != nil {
			paths[path]["parameters"] = shared
		}
	}
	kept := map[string]map[string]json.RawMessage{"securitySchemes": parts["securitySchemes"]}
	for look := [][]byte{marshal(t, paths)}; len(look) > 0; look = look[1:] {
		for _, ref := range componentRef.FindAllSubmatch(look[0], -1) {
			kind, name := string(ref[1]), string(ref[2])
			if kept[kind] == nil {
				kept[kind] = map[string]json.RawMessage{}
			}
			if kept[kind][name] == nil {
				kept[kind][name] = parts[kind][name]
				look = append(look, parts[kind][name])
			}
		}
	}
	whole["paths"], whole["components"] = marshal(t, paths), marshal(t, kept)
	return marshal(t, whole)
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// componentRef is how a part of the description names another.
var componentRef = regexp.MustCompile(`"#/components/(\w+)/([\w.-]+)"`)

// prism is Prism's address.
type prism string

// startPrism serves the description until the test ends, by a program that we did not write.
func startPrism(t *testing.T, calls []discordtest.Call) prism {
	t.Helper()
	text := descriptionText(t)
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node", "node is not installed")
	}
	dir := filepath.Join("..", "whatsapp", "peer") // one installation for both
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "@stoplight", "prism-cli")); err != nil {
		missing(t, "node", "Prism is not installed: run npm ci --ignore-scripts in adapters/whatsapp/peer")
	}
	file := filepath.Join(t.TempDir(), "discord.json")
	if err := os.WriteFile(file, cutTo(t, text, calls), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, node, "server.js", file)
	cmd.Dir = dir
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	port, drained := make(chan string, 1), make(chan struct{})
	go func() { // ends with the server's output
		defer close(drained)
		defer close(port)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if number, ok := strings.CutPrefix(lines.Text(), "port "); ok {
				port <- number
			}
		}
	}()
	t.Cleanup(func() {
		_ = stdin.Close() // the server ends with its input
		cancel()
		<-drained
		_ = cmd.Wait()
	})
	select {
	case number, ok := <-port:
		if !ok {
			t.Fatal("Prism ended before it listened")
		}
		return prism("http://127.0.0.1:" + number)
	case <-time.After(90 * time.Second):
		t.Fatal("Prism did not start in 90 s")
	}
	return ""
}

// judge sends a call as the adapter made it; problem is what Prism has against it.
func (p prism) judge(t *testing.T, call discordtest.Call) (status int, problem string) {
	t.Helper()
	to := string(p) + strings.TrimPrefix(call.Path, "/api/v10")
	if call.Query != "" {
		to += "?" + call.Query
	}
	req, err := http.NewRequestWithContext(t.Context(), call.Method, to, bytes.NewReader(call.Body))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Authorization", "Content-Type", "User-Agent"} {
		if told := call.Header.Get(name); told != "" {
			req.Header.Set(name, told)
		}
	}
	client := http.Client{Timeout: 90 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if against := resp.Header.Get("Sl-Violations"); against != "" {
		return resp.StatusCode, against
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return resp.StatusCode, short(string(body), 500)
	}
	return resp.StatusCode, ""
}
