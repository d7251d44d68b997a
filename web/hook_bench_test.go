package web

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkHook is what stands between a network's call and its account, the line in the log included.
func BenchmarkHook(b *testing.B) {
	account := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	h := New(Options{
		Log:   slog.New(slog.NewTextHandler(io.Discard, nil)),
		Hooks: func(string) http.Handler { return account },
	}).Handler()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "/hooks/telegram", strings.NewReader("{}"))
	if err != nil {
		b.Fatal(err)
	}
	body := r.Body
	b.ReportAllocs()
	for b.Loop() {
		r.Body = body // which the server bounds
		h.ServeHTTP(&unheard{}, r)
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
