// Package telegrampeer starts a Telegram server that we did not write, the npm package telegram-test-api, and plays the
// people on its other side.
//
// It does text, buttons and polling well. It has no deep links, pictures, typing or secrets, and it does not repeat what was
// not confirmed: for those there is package telegramtest.
package telegrampeer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Token is the bot's. The server knows no wrong ones.
const Token = "123456:TEST"

// Username is the bot's name there.
const Username = "TestNameBot"

// Peer is the running server.
type Peer struct {
	tb  testing.TB
	url string
}

// Start runs the server until the test ends. Without node or the package it skips the test, or fails it when PARLEY_REQUIRE
// names node.
func Start(tb testing.TB) *Peer {
	tb.Helper()
	dir, err := folder()
	if err != nil {
		tb.Fatalf("find the peer's folder: %v", err)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		missing(tb, "node is not installed")
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "telegram-test-api")); err != nil {
		missing(tb, "telegram-test-api is not installed: run npm ci --ignore-scripts in adapters/telegram/peer")
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	cmd := exec.CommandContext(ctx, node, "server.js")
	cmd.Dir = dir
	said := &output{}
	cmd.Stderr = said
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatalf("start telegram-test-api: %v", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatalf("start telegram-test-api: %v", err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatalf("start telegram-test-api: %v", err)
	}
	tb.Cleanup(func() {
		_ = stdin.Close() // the server ends with its input
		cancel()
		_ = cmd.Wait()
	})
	port := make(chan string, 1)
	go func() { // ends with the server's output
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			select {
			case port <- lines.Text():
			default:
			}
		}
		close(port)
	}()
	select {
	case p, ok := <-port:
		if !ok {
			tb.Fatalf("telegram-test-api ended: %s", said)
		}
		return &Peer{tb: tb, url: "http://127.0.0.1:" + p}
	case <-time.After(30 * time.Second):
		tb.Fatalf("telegram-test-api did not start in 30 s: %s", said)
	}
	return nil
}

func missing(tb testing.TB, why string) {
	tb.Helper()
	if slices.Contains(strings.Split(os.Getenv("PARLEY_REQUIRE"), ","), "node") {
		tb.Fatal(why)
	}
	tb.Skip(why)
}

// folder finds adapters/telegram/peer from any package of the module.
func folder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "adapters", "telegram", "peer"), nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod above the test")
		}
		dir = up
	}
}

// URL is what to write as api_base.
func (p *Peer) URL() string { return p.url }

// Person is somebody who chats with the bot.
type Person struct {
	ID   int64
	Name string
	p    *Peer
}

// Person returns somebody by that id.
func (p *Peer) Person(id int64, name string) *Person { return &Person{ID: id, Name: name, p: p} }

// Message is what the bot wrote.
type Message struct {
	ID      int
	Text    string
	Buttons []Button
}

// Button is one button under a message.
type Button struct{ Label, Data string }

// Type writes to the bot.
func (a *Person) Type(text string) {
	a.p.tb.Helper()
	message := a.common()
	message["text"] = text
	a.p.post("/sendMessage", message, nil)
}

// OpenLink opens https://t.me/<bot>?start=<token> and presses Start.
func (a *Person) OpenLink(link string) {
	a.p.tb.Helper()
	u, err := url.Parse(link)
	if err != nil || u.Host != "t.me" || !strings.EqualFold(u.Path, "/"+Username) {
		a.p.tb.Fatalf("%q does not open the chat with %s", link, Username)
	}
	command := a.common()
	command["text"] = strings.TrimSpace("/start " + u.Query().Get("start"))
	command["entities"] = []any{map[string]any{"offset": 0, "length": len("/start"), "type": "bot_command"}}
	a.p.post("/sendCommand", command, nil)
}

// Press presses the button of that label on the latest message that has one.
func (a *Person) Press(label string) {
	a.p.tb.Helper()
	for _, msg := range slices.Backward(a.Messages()) {
		for _, b := range msg.Buttons {
			if b.Label != label {
				continue
			}
			press := a.common()
			press["data"] = b.Data
			press["message"] = map[string]any{"message_id": msg.ID, "text": msg.Text, "chat": press["chat"], "date": time.Now().Unix()}
			a.p.post("/sendCallback", press, nil)
			return
		}
	}
	a.p.tb.Fatalf("%s sees no button %q", a.Name, label)
}

// Messages are what the bot wrote, oldest first.
func (a *Person) Messages() []Message {
	a.p.tb.Helper()
	var history struct {
		Result []struct {
			MessageID int `json:"messageId"`
			Message   struct {
				ChatID any    `json:"chat_id"` // only the bot's messages have it
				Text   string `json:"text"`
				Markup struct {
					Rows [][]struct {
						Text string `json:"text"`
						Data string `json:"callback_data"`
					} `json:"inline_keyboard"`
				} `json:"reply_markup"`
			} `json:"message"`
		} `json:"result"`
	}
	a.p.post("/getUpdatesHistory", map[string]any{"token": Token}, &history)
	var out []Message
	for _, u := range history.Result {
		if fmt.Sprint(u.Message.ChatID) != fmt.Sprint(a.ID) {
			continue
		}
		msg := Message{ID: u.MessageID, Text: u.Message.Text}
		for _, row := range u.Message.Markup.Rows {
			for _, b := range row {
				msg.Buttons = append(msg.Buttons, Button{Label: b.Text, Data: b.Data})
			}
		}
		out = append(out, msg)
	}
	return out
}

// WaitFor returns the first message that contains text, asking for it up to 20 s.
func (a *Person) WaitFor(text string) Message {
	a.p.tb.Helper()
	late := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		messages := a.Messages()
		if i := slices.IndexFunc(messages, func(m Message) bool { return strings.Contains(m.Text, text) }); i >= 0 {
			return messages[i]
		}
		select {
		case <-tick.C:
		case <-late:
			a.p.tb.Fatalf("%s waited 20 s for %q and read %+v", a.Name, text, messages)
		}
	}
}

func (a *Person) common() map[string]any {
	return map[string]any{
		"botToken": Token, "date": time.Now().Unix(),
		"from": map[string]any{"id": a.ID, "first_name": a.Name, "is_bot": false, "language_code": "en"},
		"chat": map[string]any{"id": a.ID, "first_name": a.Name, "type": "private"},
	}
}

func (p *Peer) post(path string, body, into any) {
	p.tb.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		p.tb.Fatal(err)
	}
	req, err := http.NewRequestWithContext(p.tb.Context(), http.MethodPost, p.url+path, bytes.NewReader(data))
	if err != nil {
		p.tb.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		p.tb.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		p.tb.Fatalf("telegram-test-api %s: %d %s %v", path, resp.StatusCode, answer, err)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			p.tb.Fatalf("telegram-test-api %s: %v", path, err)
		}
	}
}

// output keeps what the server complains about.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
