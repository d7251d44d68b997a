package discord

import (
	"bufio"
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
	"syscall"
	"testing"
	"time"
	"unsafe"

	"parley/adapters"
	"parley/config"
	"parley/conversation"
)

// inside says that this process is the one in the network namespace.
const inside = "PARLEY_DISCORD_PEER_NETNS"

// The peer listens on every interface, so that it and the test run in a network namespace of their own, which holds nothing
// but a loopback interface. The test starts itself again there.
func TestChatsThroughADiscordWeDidNotWrite(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node", "node is not installed")
	}
	if _, err := os.Stat(filepath.Join("peer", "node_modules", "discord-digital-twin")); err != nil {
		missing(t, "node", "discord-digital-twin is not installed: run npm ci --ignore-scripts in adapters/discord/peer")
	}
	if os.Getenv(inside) == "" {
		again(t)
		return
	}
	if err := loopbackUp(); err != nil {
		t.Fatalf("bring the loopback interface up: %v", err)
	}
	talk(t, startPeer(t, node))
}

// again runs this test in a new namespace.
func again(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	namespaced := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, self, args...)
		cmd.Env = append(os.Environ(), inside+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
			Pdeathsig:   syscall.SIGKILL,
		}
		return cmd
	}
	if err := namespaced("-test.run=^$").Run(); err != nil {
		missing(t, "netns", fmt.Sprintf("this machine allows no network namespaces (%v), and the peer listens on every interface", err))
	}
	out, err := namespaced("-test.run=^"+t.Name()+"$", "-test.v").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("in the namespace: %v\n%s", err, out)
	}
}

// loopbackUp does what "ip link set lo up" does.
func loopbackUp() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = syscall.Close(fd) }()
	var request struct {
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(request.name[:], "lo")
	request.flags = syscall.IFF_UP | syscall.IFF_RUNNING
	_, _, no := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request)))
	if no != 0 {
		return no
	}
	return nil
}

// peer is the running twin and the person at its other end.
type peer struct {
	t       *testing.T
	Rest    string `json:"rest"`
	Token   string `json:"token"`
	Bot     string `json:"bot"`
	Channel string `json:"channel"`
	User    string `json:"user"`
	Control int    `json:"control"`
}

func startPeer(t *testing.T, node string) *peer {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, node, "server.js")
	cmd.Dir = "peer"
	said := &lines{}
	cmd.Stderr = said
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close() // the twin ends with its input
		cancel()
		_ = cmd.Wait()
	})
	first := make(chan []byte, 1)
	go func() { // ends with the twin's output
		defer close(first)
		lines := bufio.NewScanner(stdout)
		if lines.Scan() {
			first <- slices.Clone(lines.Bytes())
		}
		_, _ = io.Copy(io.Discard, stdout)
	}()
	select {
	case line := <-first:
		p := &peer{t: t}
		if err := json.Unmarshal(line, p); err != nil {
			t.Fatalf("the twin said %q: %v\n%s", line, err, said)
		}
		return p
	case <-time.After(time.Minute):
		t.Fatalf("the twin did not start in a minute: %s", said)
	}
	return nil
}

// do does a deed of the person.
func (p *peer) do(deed string, q url.Values, into any) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/%s?%s", p.Control, deed, q.Encode()), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	client := http.Client{Timeout: 20 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatalf("the twin's %s: %d %s %v", deed, resp.StatusCode, body, err)
	}
	if into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			p.t.Fatalf("the twin's %s: %s: %v", deed, body, err)
		}
	}
}

func (p *peer) say(text string) {
	p.t.Helper()
	p.do("say", url.Values{"text": {text}}, nil)
}

type twinMessage struct {
	ID         string `json:"id"`
	Content    string `json:"content"`
	Components []struct {
		Components []struct {
			Type     int    `json:"type"`
			Label    string `json:"label"`
			CustomID string `json:"custom_id"`
		} `json:"components"`
	} `json:"components"`
}

// find waits for a message that contains text.
func (p *peer) find(text string) twinMessage {
	p.t.Helper()
	var all []twinMessage
	p.until("a message with "+text, func() bool {
		p.do("messages", nil, &all)
		return slices.ContainsFunc(all, func(m twinMessage) bool { return strings.Contains(m.Content, text) })
	})
	return all[slices.IndexFunc(all, func(m twinMessage) bool { return strings.Contains(m.Content, text) })]
}

func (p *peer) until(what string, ok func() bool) {
	p.t.Helper()
	late := time.After(20 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			p.t.Fatalf("waited 20 s for %s", what)
		}
	}
}

// connect runs a bot at the twin.
func (p *peer) connect(state *memory) *bot {
	p.t.Helper()
	s, err := config.NewSettings(Spec.Fields, map[string]string{"token": p.Token, "api_base": strings.TrimSuffix(p.Rest, "/api")})
	if err != nil {
		p.t.Fatal(err)
	}
	b := &bot{said: &lines{}, inbox: &inbox{changed: make(chan struct{})}, state: state}
	ready := make(chan struct{}, 8)
	m, err := New(s, adapters.Env{
		HTTP: &http.Client{Timeout: 20 * time.Second}, State: state,
		Report: func(state, problem string) {
			_, _ = fmt.Fprintln(b.said, state, problem)
			if state == "ready" {
				ready <- struct{}{}
			}
		},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	b.Messenger = m
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx, b.inbox.sink) }()
	stopped := false
	b.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	p.t.Cleanup(func() {
		if err := b.stop(); err != nil {
			p.t.Errorf("run ended with %v", err)
		}
	})
	select {
	case <-ready:
	case <-time.After(30 * time.Second):
		p.t.Fatalf("the bot is not ready: %s", b.said)
	}
	return b
}

func talk(t *testing.T, p *peer) {
	state := &memory{}
	b := p.connect(state)
	mention := "<@" + p.Bot + "> "
	b.inbox.keep(nil, 2) // the house fails twice
	p.say(mention + "hello *you* 👋")
	got := b.inbox.await(t, 1)
	if got.Text != "hello *you* 👋" || got.Sender != p.User || got.Chat != p.Channel+":"+p.User || got.SenderName == "" {
		t.Errorf("got %+v, want Ann's words", got)
	}
	p.say("not for the bot")

	sent, err := b.Send(t.Context(), adapters.Part{
		Chat: got.Chat, Text: "<pick> *one*", Key: "key-1",
		Choices: []conversation.Option{{Label: "Buy", Value: "v-buy"}, {Label: "Ask", Value: "v-ask"}},
	})
	if err != nil || sent.ID == "" {
		t.Fatalf("got %v, %v, want an id", sent, err)
	}
	msg := p.find("pick>")
	if msg.ID != sent.ID || msg.Content != `\<pick> \*one\*` || len(msg.Components) != 1 || len(msg.Components[0].Components) != 2 {
		t.Fatalf("got %+v, want the text escaped and two buttons", msg)
	}
	p.do("click", url.Values{"message": {sent.ID}, "id": {"v-ask"}}, nil)
	if e := b.inbox.await(t, 2); e.Kind != conversation.Choice || e.Value != "v-ask" || e.Sender != p.User {
		t.Errorf("got %+v, want the button's value", e)
	}
	p.until("the acknowledgement", func() bool {
		var kinds []int
		p.do("answered", nil, &kinds)
		return slices.Equal(kinds, []int{deferredUpdate})
	})

	menu, err := b.Send(t.Context(), adapters.Part{Chat: got.Chat, Text: "Which size?", Choices: options(12)})
	if err != nil {
		t.Fatal(err)
	}
	p.do("pick", url.Values{"message": {menu.ID}, "id": {menuID}, "value": {"value-11"}}, nil)
	if e := b.inbox.await(t, 3); e.Kind != conversation.Choice || e.Value != "value-11" {
		t.Errorf("got %+v, want what was picked", e)
	}

	if err := b.Edit(t.Context(), sent.ID, adapters.Part{Chat: got.Chat, Text: "The price has changed."}); err != nil {
		t.Errorf("edit: %v", err)
	}
	if msg := p.find("has changed"); msg.ID != sent.ID || len(msg.Components) != 0 {
		t.Errorf("got %+v, want the buttons gone", msg)
	}
	if err := b.Typing(t.Context(), got.Chat); err != nil {
		t.Errorf("typing: %v", err)
	}
	var typing []any
	if p.do("typing", nil, &typing); len(typing) != 1 {
		t.Errorf("got %d times typing, want 1", len(typing))
	}

	chat := p.staff(b)

	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	p.do("say", url.Values{"channel": {strings.Split(chat, ":t")[1]}, "text": {"said in the thread meanwhile"}}, nil)
	p.say(mention + "while it was down")
	again := p.connect(state)
	p.say(mention + "and after")
	again.inbox.await(t, 3)
	for _, want := range []string{"while it was down", "and after", "said in the thread meanwhile"} {
		if !strings.Contains(again.inbox.texts(), want) {
			t.Errorf("got %s, want %q in it", again.inbox.texts(), want)
		}
	}
}

// staff has the person work in a thread, and returns its chat.
func (p *peer) staff(b *bot) string {
	t := p.t
	t.Helper()
	heard := 3 // so far
	next := func() conversation.Event {
		t.Helper()
		heard++
		return b.inbox.await(t, heard)
	}
	chat, err := b.Open(t.Context(), p.Channel, "Ada · Harbour mug · web chat")
	if err != nil {
		t.Fatal(err)
	}
	var threads []struct {
		ID, Name string
	}
	if p.do("threads", nil, &threads); len(threads) != 1 || threads[0].Name != "Ada · Harbour mug · web chat" {
		t.Fatalf("got the threads %+v, want one by that name", threads)
	}
	in := func(more ...string) url.Values {
		q := url.Values{"channel": {threads[0].ID}}
		for i := 0; i < len(more); i += 2 {
			q.Set(more[i], more[i+1])
		}
		return q
	}
	card, err := b.Send(t.Context(), adapters.Part{Chat: chat, Text: "Ada asks", Choices: []conversation.Option{{Label: "I take it", Value: "v-take"}}})
	if err != nil {
		t.Fatal(err)
	}
	p.do("click", in("message", card.ID, "id", "v-take"), nil)
	if e := next(); e.Kind != conversation.Choice || e.Value != "v-take" || e.Chat != chat {
		t.Errorf("got %+v, want the press in %s", e, chat)
	}
	p.do("say", in("text", "yes, it does"), nil)
	said := next()
	if said.Kind != conversation.Text || said.Text != "yes, it does" || said.Chat != chat || said.Message == "" {
		t.Errorf("got %+v, want what was said in %s without the bot's name", said, chat)
	}
	p.do("edit", in("message", said.Message, "text", "no"), nil)
	if e := next(); e.Kind != conversation.Edited || e.Text != "no" || e.Value != said.Message || e.Chat != chat {
		t.Errorf("got %+v, want the change of %s", e, said.Message)
	}
	p.do("delete", in("message", said.Message), nil)
	if e := next(); e.Kind != conversation.Deleted || e.Value != said.Message || e.Chat != chat {
		t.Errorf("got %+v, want the deletion of %s", e, said.Message)
	}
	return chat
}
