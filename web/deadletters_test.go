package web_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/conversation"
	"parley/store"
)

// deadLetter has a message of a shop refused by its network.
func (o *office) deadLetter(s shop, visitor string) (id string) {
	o.t.Helper()
	turn := store.Turn{Merchant: s.merchant, Channel: "webchat", Event: conversation.Event{Account: s.account, Chat: visitor, Sender: visitor}}
	turn.Apply = func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
		m := store.Message{ID: tx.NewID("msg"), Author: store.FromBot, Kind: "reply", Text: "Hi"}
		id = m.ID
		var err error
		if m.Key, err = tx.AddMessage(ctx, th, m, ""); err != nil {
			return err
		}
		_, err = tx.AddParts(ctx, th, m, []store.Part{{Text: "Hi"}}, time.Time{}, false)
		return err
	}
	if _, err := o.db.ApplyTurns(o.t.Context(), []store.Turn{turn}); err != nil {
		o.t.Fatal(err)
	}
	o.write(func(tx *store.Tx) error {
		parts, err := tx.ClaimParts(o.t.Context(), s.account, 8)
		if err != nil {
			return err
		}
		for _, p := range parts {
			if err := tx.SettlePart(o.t.Context(), p.Key, store.Failed, "", "<rejected>: too long", time.Time{}); err != nil {
				return err
			}
		}
		return nil
	})
	return id
}

func TestDeadLettersAreListedWithTheirCauseAndSentAgainOverTheAPI(t *testing.T) {
	o := openOffice(t)
	first, second := o.deadLetter(o.ours, "visitor-1"), o.deadLetter(o.ours, "visitor-2")
	o.deadLetter(o.theirs, "visitor-1")
	list := read(t, o.ask(o.ours.key, "GET", "/api/v1/dead-letters?account="+o.ours.account+"&limit=1", ""), http.StatusOK)
	items := list["items"].([]any)
	item := items[0].(map[string]any)
	if len(items) != 1 || item["id"] != second || item["state"] != "failed" || item["cause"] != "<rejected>: too long" || item["class"] != "answer" ||
		item["resendable"] != true || item["attempts"] != 1.0 || item["account"] != o.ours.account {
		t.Errorf("got %v, want the latest letter", items)
	}
	list = read(t, o.ask(o.ours.key, "GET", "/api/v1/dead-letters?cursor="+list["next"].(string), ""), http.StatusOK)
	if items := list["items"].([]any); len(items) != 1 || items[0].(map[string]any)["id"] != first || list["next"] != "" {
		t.Errorf("got %v, want the other letter of ours", list)
	}
	for _, want := range []float64{1, 0} {
		got := read(t, o.ask(o.ours.key, "POST", "/api/v1/dead-letters/"+first+"/resend", ""), http.StatusOK)
		if got["resent"] != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	if got := read(t, o.ask(o.ours.key, "POST", "/api/v1/dead-letters/resend", `{"account":"`+o.ours.account+`"}`), http.StatusOK); got["resent"] != 1.0 {
		t.Errorf("got %v, want the one that is left", got)
	}
	read(t, o.ask(o.ours.key, "POST", "/api/v1/dead-letters/resend", `{}`), http.StatusBadRequest)
}

func TestDeadLettersAreShownToAdminsAndSentAgainByAButton(t *testing.T) {
	o := openOffice(t)
	id := o.deadLetter(o.ours, "visitor-1")
	o.deadLetter(o.theirs, "visitor-9")
	page := wantPage(t, o.visit(o.ours.session, "GET", "/admin/letters", ""), http.StatusOK,
		[]string{"&lt;rejected&gt;: too long", fmt.Sprintf("/admin/letters/%s/resend", id), "/inbox/" + o.ours.thread, o.ours.account})
	if strings.Contains(page, o.theirs.account) {
		t.Error("the page shows another merchant's letters")
	}
	for range 2 {
		wantTurnedTo(t, o.visit(o.ours.session, "POST", "/admin/letters/"+id+"/resend", ""), "/admin/letters?done=resent")
	}
	wantPage(t, o.visit(o.ours.session, "GET", "/admin/letters?done=resent", ""), http.StatusOK, []string{"Queued again", "No dead letters"})
	o.deadLetter(o.ours, "visitor-2")
	wantTurnedTo(t, o.visit(o.ours.session, "POST", "/admin/letters/resend", "account="+o.ours.account), "/admin/letters?done=resent")
	wantPage(t, o.visit(o.ours.session, "POST", "/admin/letters/resend", ""), http.StatusBadRequest, nil)
	wantPage(t, o.visit(o.ours.session, "GET", "/admin/letters", ""), http.StatusOK, []string{"No dead letters"})
}
