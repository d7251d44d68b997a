package load

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// bot answers each update, n times.
func bot(t *testing.T, crowd **Crowd, answers int, refuse func(n int) bool) *httptest.Server {
	t.Helper()
	var mu sync.Mutex
	seen := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var u struct {
			ID      int64 `json:"update_id"`
			Message struct {
				Chat struct{ ID int64 }
			}
		}
		if err := json.Unmarshal(body, &u); err != nil {
			t.Errorf("an update is not JSON: %v\n%s", err, body)
		}
		mu.Lock()
		seen++
		refused := refuse != nil && refuse(seen)
		mu.Unlock()
		if refused {
			http.Error(w, "later", http.StatusServiceUnavailable)
			return
		}
		for range answers {
			(*crowd).Answered(u.Message.Chat.ID)
		}
		w.WriteHeader(http.StatusOK)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestClosedLoopCountsEachAnswerOnce(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers int
		refuse  func(int) bool
		want    Result
	}{
		{"all answered", 1, nil, Result{Sent: 200, Done: 200}},
		{"all answered twice", 2, nil, Result{Sent: 200, Done: 200, Extra: 200}},
		{"never answered", 0, nil, Result{Sent: 200, Unheard: 200}},
		{"some refused", 1, func(n int) bool { return n%50 == 0 }, Result{Sent: 196, Failed: 4, Done: 196}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var crowd *Crowd
			s := bot(t, &crowd, c.answers, c.refuse)
			crowd = NewCrowd(strings.TrimPrefix(s.URL, "http://"), "/", "", 1000)
			got, err := crowd.Go(t.Context(), Run{Clients: 40, During: time.Minute, Count: 200, Settle: 10 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if n := int64(len(got.Confirmed)); n != got.Sent {
				t.Errorf("%d times of confirmations for %d messages", n, got.Sent)
			}
			if n := int64(len(got.Answered)); n != got.Done {
				t.Errorf("%d times of answers for %d messages", n, got.Done)
			}
			got.Wall, got.Confirmed, got.Answered = 0, nil, nil
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOpenLoopKeepsItsRate(t *testing.T) {
	var crowd *Crowd
	s := bot(t, &crowd, 1, nil)
	crowd = NewCrowd(strings.TrimPrefix(s.URL, "http://"), "/", "", 1000)
	got, err := crowd.Go(t.Context(), Run{Clients: 8, Rate: 500, During: 400 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if got.Sent == 0 || got.Sent > 201 {
		t.Errorf("%d messages in 400 ms at 500 a second", got.Sent)
	}
}

func TestUpdatesAreJSONAndOfTelegramsSize(t *testing.T) {
	message := appendMessage(nil, 7, 42, Chatter)
	if !json.Valid(message) || len(message) != updateSize {
		t.Errorf("a message of %d bytes, valid %v", len(message), json.Valid(message))
	}
	var u struct {
		ID    int64 `json:"update_id"`
		Press struct {
			ID, Data string
			From     struct{ ID int64 }
		} `json:"callback_query"`
	}
	if err := json.Unmarshal(appendPress(nil, 7, 42, "msg_1:0"), &u); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(u.ID, " ", u.Press.From.ID, " ", u.Press.Data); got != "100000007 42 msg_1:0" {
		t.Errorf("a press reads %q", got)
	}
}
