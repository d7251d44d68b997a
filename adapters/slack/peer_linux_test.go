package slack

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"parley/adapters"
	"parley/adapters/slack/workspacetest"
	"parley/conversation"
)

// inside says that the test runs in a network namespace of its own.
const inside = "PARLEY_TEST_NETNS"

func TestWritesToASlackWeDidNotWrite(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node", "node is not installed")
	}
	if _, err := os.Stat("peer/node_modules/emulate"); err != nil {
		missing(t, "node", "emulate is not installed: run npm ci --ignore-scripts in adapters/slack/peer")
	}
	if os.Getenv(inside) == "" {
		inNamespace(t)
		return
	}
	base := startEmulate(t, node)
	b := eventsBot(t, base+"/api/", nil)
	b.api.http = &http.Client{Transport: bearer(workspacetest.BotToken)}
	if err := b.identify(t.Context()); err != nil || b.self() == "" || b.team == "" {
		t.Fatalf("got %v, user %q and team %q, want to be told who the bot is", err, b.self(), b.team)
	}

	const general = "C000000001"
	const text = "*pick* <one> & https://shop.example/b/x"
	sent, err := b.Send(t.Context(), adapters.Part{
		Chat: general, Text: text, Image: "https://shop.example/mug.jpg",
		Choices: []conversation.Option{{Label: "Buy", Value: "v-buy"}, {Label: "Ask", Value: "v-ask"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	channel, ts, _ := strings.Cut(sent.ID, "/")
	if channel != general || ts == "" {
		t.Fatalf("got the id %q, want the channel and a timestamp", sent.ID)
	}
	if _, err := b.Send(t.Context(), adapters.Part{Chat: general + ":" + ts, Text: "in the thread"}); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, base, "conversations.replies", url.Values{"channel": {general}, "ts": {ts}}); len(got) != 2 || got[1].Text != "in the thread" || got[1].ThreadTS != ts {
		t.Errorf("got %+v, want the message and the reply under it", got)
	}
	first := ask(t, base, "conversations.replies", url.Values{"channel": {general}, "ts": {ts}})[0]
	if first.Text != escape(text) || len(first.Blocks) != 3 {
		t.Errorf("got %+v, want %q in a picture, words and buttons", first, escape(text))
	}
	if err := b.Edit(t.Context(), sent.ID, adapters.Part{Chat: general, Text: "Sold"}); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, base, "conversations.replies", url.Values{"channel": {general}, "ts": {ts}})[0]; got.Text != "Sold" || len(got.Blocks) != 1 {
		t.Errorf("got %+v, want the new words and no buttons", got)
	}

	thread, err := b.Open(t.Context(), general, "*Ann* · <Mug>")
	if err != nil {
		t.Fatal(err)
	}
	card, err := b.Send(t.Context(), adapters.Part{Chat: thread, Text: "Ann asks", Choices: []conversation.Option{{Label: "I take it", Value: "v-take"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Edit(t.Context(), card.ID, adapters.Part{Chat: thread, Text: "Ann asks"}); err != nil {
		t.Fatal(err)
	}
	_, root, _ := strings.Cut(thread, ":")
	desk := ask(t, base, "conversations.replies", url.Values{"channel": {general}, "ts": {root}})
	if len(desk) != 2 || desk[0].Text != escape("*Ann* · <Mug>") || desk[1].Text != "Ann asks" || desk[1].ThreadTS != root || len(desk[1].Blocks) != 1 {
		t.Errorf("got %+v, want the title and the card under it, without buttons by now", desk)
	}
	if got := b.member(t.Context(), b.self()); got.name == "" {
		t.Errorf("got %+v, want a name", got)
	}
	if err := b.api.whisper(t.Context(), general, b.self(), message(adapters.Part{Text: "between us"}, false)); err != nil {
		t.Error(err)
	}
	if got := ask(t, base, "conversations.history", url.Values{"channel": {general}}); slices.ContainsFunc(got, func(m peerMessage) bool { return m.Text == "between us" }) {
		t.Errorf("got %+v, want nobody else to see the note", got)
	}
	if _, err := b.Open(t.Context(), "C0NOWHERE", "Ann"); failure(t, err).Code != "channel_not_found" {
		t.Errorf("got %v, want channel_not_found", err)
	}

	_, err = b.Send(t.Context(), adapters.Part{Chat: "C0NOWHERE", Text: "x"})
	if failed := failure(t, err); failed.Consequence != adapters.Gone || failed.Code != "channel_not_found" {
		t.Errorf("got %+v, want gone: channel_not_found", failed)
	}
	err = b.Edit(t.Context(), general+"/1700000000.000001", adapters.Part{Text: "x"})
	if failed := failure(t, err); failed.Consequence != adapters.Rejected {
		t.Errorf("got %+v, want rejected", failed)
	}
}

// inNamespace runs this test again in a private network namespace: emulate binds every interface, and there are none there.
func inNamespace(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		missing(t, "netns", fmt.Sprintf("this machine gives no private network namespace: %v", err))
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if bytes.Contains(out, []byte("--- SKIP: "+t.Name())) {
		missing(t, "netns", "loopback cannot be used in a private network namespace on this machine")
	}
	if !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Fatalf("the test did not run in its namespace:\n%s", out)
	}
}

// startEmulate brings loopback up, which a new namespace has down, and runs emulate until the test ends.
func startEmulate(t *testing.T, node string) (base string) {
	t.Helper()
	if err := loopbackUp(); errors.Is(err, syscall.EPERM) {
		t.Skip("loopback cannot be used here") // the parent decides what that means
	} else if err != nil {
		t.Fatalf("bring loopback up: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), node, "server.js", workspacetest.BotToken)
	cmd.Dir = "peer"
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
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
		_ = stdin.Close() // the server ends with its input
		_ = cmd.Wait()
	})
	port, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("emulate did not start: %v\n%s", err, complaints.String())
	}
	return "http://127.0.0.1:" + strings.TrimSpace(port)
}

// loopbackUp is `ip link set lo up`.
func loopbackUp() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer func() { _ = syscall.Close(fd) }()
	request := struct {
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}{flags: syscall.IFF_UP | syscall.IFF_RUNNING}
	copy(request.name[:], "lo")
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return errno
	}
	return nil
}

type peerMessage struct {
	Text     string            `json:"text"`
	ThreadTS string            `json:"thread_ts"`
	Blocks   []json.RawMessage `json:"blocks"`
}

// ask reads messages from emulate, past the adapter.
func ask(t *testing.T, base, method string, form url.Values) []peerMessage {
	t.Helper()
	client := http.Client{Transport: bearer(workspacetest.BotToken), Timeout: 10 * time.Second}
	resp, err := client.PostForm(base+"/api/"+method, form)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		OK       bool          `json:"ok"`
		Error    string        `json:"error"`
		Messages []peerMessage `json:"messages"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || !answer.OK || len(answer.Messages) == 0 {
		t.Fatalf("%s: got %+v %v", method, answer, err)
	}
	return answer.Messages
}

// bearer shows the token in a header too: slack-go puts it into the form, where emulate does not look.
type bearer string

func (token bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(token))
	return http.DefaultTransport.RoundTrip(r)
}

func missing(t *testing.T, what, why string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("PARLEY_REQUIRE"), ","), what) {
		t.Fatal(why)
	}
	t.Skip(why)
}
