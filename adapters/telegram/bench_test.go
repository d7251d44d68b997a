package telegram

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"parley/adapters"
	"parley/conversation"
)

// formatted is an update of a text with bold and linked words, of the length that such have.
var formatted = `{"update_id":100000007,"message":{"message_id":8,"from":{"id":42,"is_bot":false,"first_name":"Ada","last_name":"Byron",` +
	`"username":"ada","language_code":"en"},"chat":{"id":42,"first_name":"Ada","last_name":"Byron","username":"ada","type":"private"},` +
	`"date":1735689600,"text":"` + strings.Repeat("lorem ipsum dolor sit amet ", 8) + `","entities":[{"offset":0,"length":5,"type":"bold"}` +
	strings.Repeat(`,{"offset":12,"length":5,"type":"italic"}`, 10) + `]}}`

func BenchmarkHook(b *testing.B) {
	press := `{"update_id":100000008,"callback_query":{"id":"900000001","from":{"id":42,"is_bot":false,"first_name":"Ada","language_code":"en"},` +
		`"message":{"message_id":1,"date":1735689600,"chat":{"id":42,"first_name":"Ada","type":"private"}},"chat_instance":"1","data":"buy:1"}}`
	for name, body := range map[string]string{"text": formatted, "press": press} {
		b.Run(name, func(b *testing.B) {
			bot := newBot(b, map[string]string{"mode": "webhook", "webhook_url": "https://chat.example/hooks/t", "webhook_secret": "right"}, nil)
			taken := 0
			hook := bot.Hook(func(_ context.Context, events []conversation.Event) error {
				taken += len(events)
				return nil
			})
			r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/hooks/t", nil)
			r.Header.Set(secretHeader, "right")
			r.ContentLength = int64(len(body))
			b.ReportAllocs()
			calls := 0
			for b.Loop() {
				r.Body = io.NopCloser(strings.NewReader(body))
				hook.ServeHTTP(&unheard{}, r)
				calls++
			}
			if taken != calls {
				b.Fatalf("%d events came of %d updates", taken, calls)
			}
		})
	}
}

// unheard is an answer that nobody reads.
type unheard struct{ header http.Header }

func (w *unheard) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}
func (w *unheard) WriteHeader(int)             {}
func (w *unheard) Write(p []byte) (int, error) { return len(p), nil }

const received = `{"ok":true,"result":{"message_id":77,"from":{"id":1,"is_bot":true,"first_name":"Shop","username":"shop_bot"},` +
	`"chat":{"id":42,"first_name":"Ada","type":"private"},"date":1735689600,"text":"We have it in blue, at EUR 35.50."}}`

// BenchmarkSend sends to a server that answers at once, and, for what is ours alone, to none at all.
func BenchmarkSend(b *testing.B) {
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, received)
	}))
	defer sink.Close()
	networks := []struct {
		name   string
		base   string
		client *http.Client
	}{
		{"over the network", sink.URL, sink.Client()},
		{"without a network", "http://127.0.0.1:1", &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, r.Body)
			return &http.Response{StatusCode: http.StatusOK, ContentLength: int64(len(received)), Body: io.NopCloser(strings.NewReader(received)), Request: r}, nil
		})}},
	}
	for _, network := range networks {
		for name, choices := range map[string][]conversation.Option{"text": nil, "buttons": {{Label: "Buy now, pay €35.50", Value: "buy:1"}, {Label: "Later", Value: "later:1"}}} {
			b.Run(network.name+"/"+name, func(b *testing.B) {
				bot := newBot(b, map[string]string{"api_base": network.base}, network.client)
				part := adapters.Part{Chat: "42", Text: "We have it in blue, at €35.50. Shall I put one aside for you until tomorrow?", Choices: choices}
				b.ReportAllocs()
				began := processorTime(b)
				for b.Loop() {
					if sent, err := bot.Send(b.Context(), part); err != nil || sent.ID != "77" {
						b.Fatalf("sent as %q, %v", sent.ID, err)
					}
				}
				b.ReportMetric(float64(processorTime(b)-began)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// processorTime is what this process has used of the processors, in nanoseconds: a call over the network mostly waits.
func processorTime(b *testing.B) int64 {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}
