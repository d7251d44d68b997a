package sink

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSinkTellsEachBotTheChatsOfItsMessages(t *testing.T) {
	s, err := Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var told []int64
	bot := s.Bot("1:a", func(chat int64, _ []byte) { told = append(told, chat) })
	s.Bot("2:b", func(int64, []byte) { t.Error("a message of another bot") })
	post := func(method, kind, body string) (int, string) {
		t.Helper()
		resp, err := http.Post(s.URL+"/bot1:a/"+method, kind, io.MultiReader(strings.NewReader(body))) // of unknown length: chunked
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(answer)
	}
	post("sendMessage", "application/x-www-form-urlencoded", url.Values{"chat_id": {"17"}, "text": {"hello 99"}}.Encode())
	post("sendMessage", "application/json", `{"text":"hi","chat_id":"18"}`)
	post("sendChatAction", "application/json", `{"chat_id":19}`)
	if diff := cmp.Diff([]int64{17, 18}, told); diff != "" {
		t.Error(diff)
	}
	bot.Refuse(time.Minute, 3*time.Second)
	if code, answer := post("sendMessage", "application/json", `{"chat_id":20}`); code != 429 || !strings.Contains(answer, `"retry_after":3`) {
		t.Errorf("a throttled bot is answered %d %s", code, answer)
	}
	bot.Recover()
	if code, _ := post("sendMessage", "application/json", `{"chat_id":20}`); code != 200 || bot.Messages.Load() != 3 {
		t.Errorf("after the pause: %d, %d messages", code, bot.Messages.Load())
	}
}
