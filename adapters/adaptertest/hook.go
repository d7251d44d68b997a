package adaptertest

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/adapters"
	"parley/conversation"
)

// Hook is how a network calls an account.
type Hook struct {
	// Body is what it posts when the person says something new: these words, or where it posts nothing but presses the button of that
	// value. It is not posted by that.
	Body func(said string) []byte
	// Prove adds to the header of a call what shows that it is the network's, made at that time.
	Prove func(header http.Header, body []byte, at time.Time)
	// OfBody says that the proof is one of this body; otherwise it is a word that goes with any.
	OfBody bool
	// Dated says that a proof holds for some minutes only.
	Dated bool
	// Longest is how many bytes a call of the network has at most. 0 means 256 KiB.
	Longest int
}

func (h *Hook) longest() int {
	if h.Longest > 0 {
		return h.Longest
	}
	return 256 << 10
}

// proven is the header of a genuine call.
func (h *Hook) proven(body []byte, at time.Time) http.Header {
	header := http.Header{"Content-Type": {"application/json"}}
	h.Prove(header, body, at)
	return header
}

// proofs are the names of what Prove adds.
func (h *Hook) proofs(header http.Header) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(header)), func(name string) bool { return name == "Content-Type" })
}

// hooked skips where the network calls nobody, and makes sure that the account works.
func (c *call) hooked(t *testing.T) http.Handler {
	t.Helper()
	if c.Hook == nil && c.Attach != nil {
		t.Fatal("the network calls this account, but the line has no Hook that says how")
	}
	if c.Hook == nil {
		t.Skip("this account is not called: it has its own connection to the network")
	}
	hook, ok := c.Messenger.(adapters.Webhook)
	if !ok {
		t.Fatalf("%T has no Hook to call", c.Messenger)
	}
	c.Type("hello")
	c.inbox.event(t, 1)
	return hook.Hook(c.inbox.sink)
}

// calls has the hook take one call and returns what it answered.
func (c *call) calls(t *testing.T, hook http.Handler, header http.Header, body io.Reader) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/account", body)
	r.Header = header
	w := httptest.NewRecorder()
	hook.ServeHTTP(w, r)
	return w
}

// forgedCall tries what is not the network's: it is refused, nobody hears of it, and no answer helps to forge a better one.
func forgedCall(t *testing.T, c *call) {
	hook := c.hooked(t)
	now := time.Now()
	body := c.Hook.Body("forged")
	genuine := c.Hook.proven(body, now)
	type forgery struct {
		name   string
		header http.Header
		body   []byte
	}
	forgeries := []forgery{{"without proof", http.Header{"Content-Type": {"application/json"}}, body}}
	for _, name := range c.Hook.proofs(genuine) {
		gone, empty, wrong, half := genuine.Clone(), genuine.Clone(), genuine.Clone(), genuine.Clone()
		gone.Del(name)
		empty.Set(name, "")
		wrong.Set(name, lastChanged(genuine.Get(name)))
		half.Set(name, genuine.Get(name)[:len(genuine.Get(name))/2])
		forgeries = append(forgeries,
			forgery{"without " + name, gone, body}, forgery{name + " empty", empty, body},
			forgery{name + " wrong", wrong, body}, forgery{name + " cut short", half, body},
		)
	}
	if c.Hook.OfBody {
		forgeries = append(forgeries, forgery{"with the proof of another body", genuine.Clone(), append(slices.Clone(body), ' ')})
	}
	if c.Hook.Dated {
		forgeries = append(forgeries,
			forgery{"an hour old", c.Hook.proven(body, now.Add(-time.Hour)), body}, forgery{"an hour ahead", c.Hook.proven(body, now.Add(time.Hour)), body},
		)
	}
	for _, f := range forgeries {
		w := c.calls(t, hook, f.header, bytes.NewReader(f.body))
		if w.Code != http.StatusUnauthorized && w.Code != http.StatusForbidden {
			t.Errorf("%s: got %d, want 401 or 403", f.name, w.Code)
		}
		said := w.Body.String()
		for name, values := range w.Header() {
			said += "\n" + name + ": " + strings.Join(values, " ")
		}
		c.told = append(c.told, said)
		for _, name := range c.Hook.proofs(genuine) {
			// What proves this body; of one that was changed it is another, which nobody here can know.
			_, secret, found := strings.Cut(c.Hook.proven(f.body, now).Get(name), "=")
			if !found {
				secret = c.Hook.proven(f.body, now).Get(name)
			}
			if len(secret) >= 10 && !isNumber(secret) && strings.Contains(said+c.said.String(), secret) {
				t.Errorf("%s: %s is given away in the answer or the log:\n%s\n%s", f.name, name, said, c.said.String())
			}
		}
	}
	if handed := c.inbox.all(); len(handed) != 1 {
		t.Errorf("got %+v, want nothing handed over that was forged", handed[1:])
	}
	if w := c.calls(t, hook, genuine, bytes.NewReader(body)); w.Code/100 != 2 {
		t.Errorf("the genuine call was answered %d %s", w.Code, w.Body)
	}
	if e := c.inbox.event(t, 2); wordsOf(e) != "forged" {
		t.Errorf("got %+v, want the genuine call's words", e)
	}
}

// oversizeCall posts what is longer than anything the network posts, genuine or not: it is refused before it is read. What is just
// as long as the network's longest is taken.
func oversizeCall(t *testing.T, c *call) {
	hook := c.hooked(t)
	longest := c.Hook.longest()
	padded := func(body []byte, size int) []byte { return append(body, bytes.Repeat([]byte(" "), size-len(body))...) }

	whole := padded(c.Hook.Body("as long as can be"), longest)
	if w := c.calls(t, hook, c.Hook.proven(whole, time.Now()), bytes.NewReader(whole)); w.Code/100 != 2 {
		t.Errorf("a call of %d bytes was answered %d %s, want it taken", len(whole), w.Code, w.Body)
	}
	if e := c.inbox.event(t, 2); wordsOf(e) != "as long as can be" {
		t.Errorf("got %+v, want the words of the longest call", e)
	}

	big := padded(c.Hook.Body("too long"), longest+1)
	for name, header := range map[string]http.Header{"proven": c.Hook.proven(big, time.Now()), "unproven": {}} {
		for kind, rest := range map[string]io.Reader{"one byte too long": http.NoBody, "64 MiB too long": io.LimitReader(blanks{}, 64<<20)} {
			body := &counted{r: io.MultiReader(bytes.NewReader(big), rest)}
			w := c.calls(t, hook, header.Clone(), body)
			refused := w.Code == http.StatusRequestEntityTooLarge || name == "unproven" && (w.Code == http.StatusUnauthorized || w.Code == http.StatusForbidden)
			if !refused {
				t.Errorf("%s, %s: got %d, want 413", name, kind, w.Code)
			}
			if most := longest + 64<<10; body.n > most {
				t.Errorf("%s, %s: %d bytes were read, want at most %d", name, kind, body.n, most)
			}
		}
	}
	if handed := c.inbox.all(); len(handed) != 2 {
		t.Errorf("got %+v, want nothing handed over that was too long", handed[2:])
	}
}

// wordsOf is what somebody said or pressed.
func wordsOf(e conversation.Event) string { return e.Text + e.Value }

// lastChanged is a proof with another last character, one that a hexadecimal number can have.
func lastChanged(proof string) string {
	if strings.HasSuffix(proof, "0") {
		return proof[:len(proof)-1] + "1"
	}
	return proof[:len(proof)-1] + "0"
}

func isNumber(text string) bool { return strings.Trim(text, "0123456789") == "" }

// counted counts what is read of it.
type counted struct {
	r io.Reader
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// blanks never end.
type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
