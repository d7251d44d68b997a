package web_test

import (
	"net/http"
	"strings"
	"testing"

	"parley/commerce"
	"parley/store"
)

// fanoutID raises a price drop that the shop's watch waits for, and returns its id.
func (o *office) fanoutID(s shop) (id string) {
	o.t.Helper()
	o.write(func(tx *store.Tx) error {
		ctx := o.t.Context()
		if all, err := tx.Fanouts(ctx, s.merchant, 0, 1); err != nil || len(all) > 0 {
			for _, f := range all {
				id = string(f.ID)
			}
			return err
		}
		w, err := tx.Watch(ctx, s.merchant, commerce.WatchID(s.watch))
		if err != nil {
			return err
		}
		occurrence := commerce.Occurrence{Merchant: s.merchant, Product: w.Product, Event: w.Event, Price: w.Threshold, Available: 5, At: tx.Now()}
		_, err = tx.Raise(ctx, &occurrence)
		if id = string(occurrence.ID); id == "" { // the watch was cancelled
			id = "occ_none"
		}
		return err
	})
	return id
}

func (o *office) spread(s shop) {
	o.t.Helper()
	for more := true; more; {
		o.write(func(tx *store.Tx) error {
			keys, err := tx.ToSpread(o.t.Context(), 1)
			if more = len(keys) > 0; err != nil || !more {
				return err
			}
			_, err = tx.SpreadChunk(o.t.Context(), keys[0], 100)
			return err
		})
	}
}

func TestAFanoutIsListedPausedResumedAndCancelled(t *testing.T) {
	o := openOffice(t)
	id := o.fanoutID(o.ours)
	o.spread(o.ours)
	stands := func(want string) {
		t.Helper()
		list := read(t, o.ask(o.ours.key, "GET", "/api/v1/fanouts", ""), http.StatusOK)
		items, _ := list["items"].([]any)
		if len(items) != 1 {
			t.Fatalf("got %v, want one", list)
		}
		f, _ := items[0].(map[string]any)
		if f["id"] != id || f["state"] != want || f["sku"] != o.ours.sku || f["total"] != 1.0 || f["sent"] != 0.0 {
			t.Errorf("got %v, want it %s with one to tell", f, want)
		}
		if w := o.visit(o.ours.session, "GET", "/admin/fanouts", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), ">"+want+"<") {
			t.Errorf("the page has status %d and does not say %s", w.Code, want)
		}
	}
	stands("sending")
	for _, c := range []struct{ act, want string }{
		{"pause", "paused"}, {"pause", "paused"}, {"resume", "sending"}, {"pause", "paused"}, {"cancel", "cancelled"}, {"cancel", "cancelled"},
	} {
		if got := read(t, o.ask(o.ours.key, "POST", "/api/v1/fanouts/"+id+"/"+c.act, ""), http.StatusOK); got["state"] != c.want {
			t.Errorf("%s: got %v, want %s", c.act, got["state"], c.want)
		}
		stands(c.want)
	}
	read(t, o.ask(o.ours.key, "POST", "/api/v1/fanouts/"+id+"/pause", ""), http.StatusConflict)
	read(t, o.ask(o.ours.key, "POST", "/api/v1/fanouts/occ_none/pause", ""), http.StatusNotFound)
	o.spread(o.ours)
	stands("cancelled")
}

func TestFanoutsAreStoppedByButtonsOfThePage(t *testing.T) {
	o := openOffice(t)
	id := o.fanoutID(o.ours)
	for _, c := range []struct{ act, done, button string }{
		{"pause", "paused", "Go on"}, {"resume", "resumed", "Pause"}, {"cancel", "ended", ""},
	} {
		wantTurnedTo(t, o.visit(o.ours.session, "POST", "/admin/fanouts/"+id+"/"+c.act, ""), "/admin/fanouts?done="+c.done)
		page := o.visit(o.ours.session, "GET", "/admin/fanouts", "").Body.String()
		if c.button != "" && !strings.Contains(page, ">"+c.button+"<") || c.button == "" && strings.Contains(page, "/cancel") {
			t.Errorf("after %s: the page does not offer %q alone", c.act, c.button)
		}
	}
}
