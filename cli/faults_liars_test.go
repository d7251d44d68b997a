package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// What a network may answer to a message instead of the truth. Each lie lasts until the test has seen that nobody else is affected;
// then the network is honest again.
var lies = []struct {
	name string
	tell http.HandlerFunc
	took bool // the network took the messages although it does not say so
	rest bool // the account rests for so long after it that nobody waits here for its end
}{
	{"takes 35 s for each message", func(w http.ResponseWriter, r *http.Request) { holds(r, 35*time.Second) }, true, false},
	{"never answers", func(w http.ResponseWriter, r *http.Request) { holds(r, time.Hour) }, true, false},
	{"answers 200 with a page", says(200, "<html><body>Welcome to the hotel's network</body></html>"), true, false},
	{"answers 200 with nothing", says(200, ""), true, false},
	{"answers 200 with half of it", says(200, `{"ok":true,"result":{"message_`), true, false},
	{"answers 200 with null", says(200, "null"), true, false},
	{"answers 200 with a number", says(200, "7"), true, false},
	{"answers 200 with an empty object", says(200, "{}"), true, false},
	{"answers 200 and that it is not well", says(200, `{"ok":false}`), true, false},
	{"answers well with a result of another kind", says(200, `{"ok":true,"result":[1,2,3]}`), true, false},
	{"answers 40 MB", func(w http.ResponseWriter, _ *http.Request) {
		for range 40 {
			_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20))
		}
	}, true, false},
	{"answers 302 to itself", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, true, true},
	{"asks to wait 0 s", throttles("0"), false, false},
	{"asks to wait a negative time", throttles("-30"), false, false},
	{"asks to wait 31 years", throttles("999999999"), false, true},
	{"asks to wait 300 years", throttles("9999999999"), false, true},
	{"asks to wait longer than a number holds", throttles("99999999999999999999"), false, false},
	{"asks to wait a word", throttles(`"soon"`), false, false},
	{"closes the connection before its answer", func(w http.ResponseWriter, _ *http.Request) { hangUp(w, "") }, true, false},
	{"closes the connection in the middle of its answer", func(w http.ResponseWriter, _ *http.Request) {
		hangUp(w, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"ok\":true,")
	}, true, false},
	{"answers what is no HTTP", func(w http.ResponseWriter, _ *http.Request) { hangUp(w, "220 mail.example ESMTP\r\n") }, true, false},
	{"gives every message the same id", says(200, `{"ok":true,"result":{"message_id":7,"date":1700000000,"chat":{"id":1,"type":"private"}}}`), true, false},
	{"gives no message an id", says(200, `{"ok":true,"result":{"message_id":0}}`), true, false},
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func throttles(seconds string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", strings.Trim(seconds, `"`))
		says(429, `{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":`+seconds+`}}`)(w, nil)
	}
}

// holds keeps a caller waiting for so long. When the caller is tired of that, or the network is honest again, it hangs up.
func holds(r *http.Request, d time.Duration) {
	late := time.NewTimer(d)
	defer late.Stop()
	select {
	case <-late.C:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// hangUp writes something and closes the connection.
func hangUp(w http.ResponseWriter, text string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, text)
	_ = conn.Close()
}

// liar is a Bot API that can be had to lie about messages, and keeps what it was sent while it did.
type liar struct {
	*sink
	mu   sync.Mutex
	lie  http.HandlerFunc // nil: it is honest
	told int              // lies
	held []func()         // end lies that are being told
}

func startLiar(t *testing.T) *liar {
	t.Helper()
	l := &liar{sink: &sink{changed: make(chan struct{}), chats: map[int64][]sunk{}}}
	l.http = httptest.NewServer(l)
	t.Cleanup(func() {
		l.http.CloseClientConnections()
		l.http.Close()
	})
	return l
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	lie := l.lie
	if !strings.HasSuffix(r.URL.Path, "/sendMessage") {
		lie = nil
	}
	ctx, end := context.WithCancel(r.Context())
	defer end()
	if lie != nil {
		l.told++
		l.held = append(l.held, end)
	}
	l.mu.Unlock()
	if lie == nil {
		l.serve(w, r)
		return
	}
	_ = r.ParseForm() // before it, a caller who hangs up is not noticed
	lie(w, r.WithContext(ctx))
}

// tells has it lie from now on, or be honest again: then those who still wait for a lie are cut off, and nobody else.
func (l *liar) tells(lie http.HandlerFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lie = lie
	for _, end := range l.held {
		end()
	}
	l.held = nil
}

func (l *liar) lies() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.told
}

// talkers write to an account of Telegram's, each message once the one before was taken, and the bot of testdata/torture answers each with
// its number.
type talkers struct {
	s       *shop
	account string
	chats   []int64
	said    int // by each
	updates int
}

func (a *talkers) write() {
	a.s.t.Helper()
	a.said++
	for _, chat := range a.chats {
		a.updates++
		body := fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%d,"date":%d,"text":"note %d","from":{"id":%d,"is_bot":false,"first_name":"Ann"},"chat":{"id":%d,"type":"private"}}}`,
			a.updates, a.updates, time.Now().Unix(), a.said, chat, chat)
		req, err := http.NewRequestWithContext(a.s.t.Context(), http.MethodPost, a.s.base+"/hooks/"+a.account, strings.NewReader(body))
		if err != nil {
			a.s.t.Fatal(err)
		}
		req.Header.Set("X-Telegram-Bot-Api-Secret-Token", tortureSecret)
		began := time.Now()
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			a.s.t.Fatal(err)
		}
		_ = resp.Body.Close()
		if took := time.Since(began); resp.StatusCode != http.StatusOK || took > slower*5*time.Second {
			a.s.t.Fatalf("%s answered %d after %v, want 200 at once", a.account, resp.StatusCode, took)
		}
	}
}

// answered returns once each chat has the answer to what it wrote last.
func (a *talkers) answered(in *sink) {
	a.s.t.Helper()
	for _, chat := range a.chats {
		a.s.until(fmt.Sprintf("chat %d of %s to have its answer %d", chat, a.account, a.said), func() bool {
			heard := in.heard(chat)
			return len(heard) > 0 && strings.HasPrefix(heard[len(heard)-1].text, strconv.Itoa(a.said)+": ")
		})
	}
}

// numbers are the answers that a chat has, by their numbers.
func (a *talkers) numbers(in *sink, chat int64) (all []int) {
	for _, m := range in.heard(chat) {
		n, _ := strconv.Atoi(strings.Split(m.text, ":")[0])
		all = append(all, n)
	}
	return all
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i+1)
	}
	return all
}

func TestANetworkThatLiesHarmsItsOwnAccountAlone(t *testing.T) {
	t.Parallel()
	for _, lie := range lies {
		t.Run(lie.name, func(t *testing.T) {
			t.Parallel()
			honest, lying := startSink(t), startLiar(t)
			s := openTwoTelegrams(t, honest, lying)
			well := &talkers{s: s, account: "well", chats: []int64{1, 2, 3}}
			ill := &talkers{s: s, account: "ill", chats: []int64{1, 2, 3}}
			visitor := s.visit("")
			visitor.open()

			ill.write()
			ill.answered(lying.sink)
			lying.tells(lie.tell)
			for range 8 {
				ill.write()
				well.write()
				visitor.says("help")
				visitor.hears(fmt.Sprintf("%d: help", well.said))
				well.answered(honest)
			}
			s.until("the network to be asked", func() bool { return lying.lies() > 0 })
			for _, chat := range well.chats {
				if got := well.numbers(honest, chat); !slices.Equal(got, upTo(well.said)) {
					t.Errorf("chat %d of the other account heard %v, want each answer once and in order", chat, got)
				}
			}

			// What was said is all there, and what the lie did not swallow arrives in order.
			lying.tells(nil)
			ill.write()
			if lie.rest {
				s.until("its answers to wait", func() bool {
					return value[int](s, `SELECT count(*) FROM parts WHERE account = 'ill' AND state = 'queued'`) == len(ill.chats)*(ill.said-1)
				})
			} else {
				s.sql(`UPDATE parts SET due_ms = 0 WHERE account = 'ill' AND state = 'queued'`)
				ill.answered(lying.sink)
			}
			for _, chat := range ill.chats {
				got := ill.numbers(lying.sink, chat)
				if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
					t.Errorf("chat %d of the lying network heard %v, want them in order and none twice", chat, got)
				}
				if !lie.took && !lie.rest && !slices.Equal(got, upTo(ill.said)) {
					t.Errorf("chat %d heard %v, want all %d: the network had said that it did not take them", chat, got, ill.said)
				}
			}
			if n := value[int](s, `SELECT count(*) FROM messages WHERE author = 'contact'`); n != 3*(well.said+ill.said)+8 {
				t.Errorf("%d messages are in the transcripts, want %d", n, 3*(well.said+ill.said)+8)
			}
			if n := value[int](s, `SELECT count(*) FROM parked`); n != 0 {
				t.Errorf("%d events were parked", n)
			}
		})
	}
}

// openTwoTelegrams is a shop with the counting bot on web chat and two accounts of Telegram's.
func openTwoTelegrams(t *testing.T, well *sink, ill *liar) *shop {
	t.Helper()
	bot, err := filepath.Abs(filepath.Join("testdata", "torture"))
	if err != nil {
		t.Fatal(err)
	}
	accounts := ""
	for name, base := range map[string]string{"well": well.http.URL, "ill": ill.http.URL} {
		accounts += fmt.Sprintf("      - {name: %s, adapter: telegram, api_base: %q, token: %q, mode: webhook, webhook_url: %q, webhook_secret: %s, pace: {account: 0, chat: 0}}\n",
			name, base, "1:"+name, "http://127.0.0.1:9/hooks/"+name, tortureSecret)
	}
	s := openShop(t, testShop("sqlite://"+filepath.Join(t.TempDir(), "parley.db"), accounts+fmt.Sprintf("    bot: %q\n", bot)))
	s.until("both accounts to be ready", func() bool { return s.accountState("well") == "ready" && s.accountState("ill") == "ready" })
	return s
}
