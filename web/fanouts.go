package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"parley/commerce"
	"parley/commerce/money"
	"parley/store"
)

// apiFanout is how far the telling of a change has come.
type apiFanout struct {
	ID       string         `json:"id"`
	SKU      string         `json:"sku"`
	Event    string         `json:"event"`
	Price    money.Amount   `json:"price"`
	State    string         `json:"state"` // spreading, sending, paused, done or cancelled
	Total    int            `json:"total"`
	Sent     int            `json:"sent"`
	Dropped  map[string]int `json:"dropped"`
	Waiting  int            `json:"waiting"`
	Rate     float64        `json:"rate"`
	Forecast *time.Time     `json:"forecast_at,omitempty"`
	NextWave *time.Time     `json:"next_wave_at,omitempty"`
	Started  time.Time      `json:"started_at"`
	Ended    *time.Time     `json:"ended_at,omitempty"`
}

func showFanout(f store.Fanout) apiFanout {
	out := apiFanout{
		ID: string(f.ID), SKU: f.SKU, Event: f.Event, Price: f.Price, State: f.State, Total: f.Total, Sent: f.Sent, Dropped: f.Dropped,
		Waiting: f.Waiting, Rate: f.Rate, Started: f.Started,
	}
	if !f.Finish.IsZero() {
		out.Forecast = &f.Finish
	}
	if !f.NextWave.IsZero() {
		out.NextWave = &f.NextWave
	}
	if !f.Ended.IsZero() {
		out.Ended = &f.Ended
	}
	return out
}

func (s *Server) apiFanouts(ctx context.Context, c apiCall) (int, any, error) {
	q, err := c.query("limit", "cursor")
	if err != nil {
		return 0, nil, err
	}
	before, limit, err := readKeyPage(q)
	if err != nil {
		return 0, nil, err
	}
	page := apiList{}
	err = s.reading(ctx, func(tx *store.Tx) error {
		all, err := tx.Fanouts(ctx, c.merchant, before, limit+1)
		if err != nil {
			return err
		}
		page, err = pageOf(all, limit, func(f store.Fanout) string { return atKey(f.Key) }, surely(showFanout))
		return err
	})
	return http.StatusOK, page, err
}

// fanoutActs are what can be done to a fan-out, with the events that tell of them.
var fanoutActs = map[string]struct {
	event string
	do    func(ctx context.Context, tx *store.Tx, merchant commerce.MerchantID, id commerce.OccurrenceID) error
}{
	"pause": {"fanout_paused", func(ctx context.Context, tx *store.Tx, merchant commerce.MerchantID, id commerce.OccurrenceID) error {
		return tx.PauseFanout(ctx, merchant, id, true)
	}},
	"resume": {"fanout_resumed", func(ctx context.Context, tx *store.Tx, merchant commerce.MerchantID, id commerce.OccurrenceID) error {
		return tx.PauseFanout(ctx, merchant, id, false)
	}},
	"cancel": {"fanout_cancelled", func(ctx context.Context, tx *store.Tx, merchant commerce.MerchantID, id commerce.OccurrenceID) error {
		return tx.CancelFanout(ctx, merchant, id)
	}},
}

// actOnFanout pauses, resumes or cancels a fan-out and says how it stands then. The clock finds that within its poll.
func (s *Server) actOnFanout(ctx context.Context, who caller, id, act string) (f store.Fanout, err error) {
	todo := fanoutActs[act]
	err = s.opt.BackOffice.Store.Tx(ctx, func(tx *store.Tx) error {
		if err := todo.do(ctx, tx, who.merchant, commerce.OccurrenceID(id)); err != nil {
			return err
		}
		if f, err = tx.Fanout(ctx, who.merchant, commerce.OccurrenceID(id)); err != nil {
			return err
		}
		return tx.Event(ctx, who.merchant, todo.event, id, map[string]any{"by": who.actor})
	})
	if errors.Is(err, commerce.ErrConflict) {
		err = &Problem{Status: http.StatusConflict, Sentence: "It is over: nobody is left to be told.", Err: err}
	}
	return f, err
}

func (s *Server) apiActOnFanout(act string) apiHandler {
	return func(ctx context.Context, c apiCall) (int, any, error) {
		if err := c.nothing(); err != nil {
			return 0, nil, err
		}
		f, err := s.actOnFanout(ctx, c.caller, c.PathValue("id"), act)
		if err != nil {
			return 0, nil, notFound(err, "fan-out", c.PathValue("id"))
		}
		return http.StatusOK, showFanout(f), nil
	}
}

type fanoutsView struct {
	Page    staffPage
	Fanouts []fanoutRow
}

type fanoutRow struct {
	store.Fanout
	Causes []fanoutCause
}

type fanoutCause struct {
	Words string
	N     int
}

// Percent is how much is done.
func (r fanoutRow) Percent() int {
	if r.Total == 0 {
		return 0
	}
	return 100 * (r.Total - r.Waiting) / r.Total
}

// Open says that it can still be paused or cancelled.
func (r fanoutRow) Open() bool {
	return r.State == "spreading" || r.State == "sending" || r.State == "paused"
}

// PerSecond is the rate as it is read.
func (r fanoutRow) PerSecond() string { return strconv.FormatFloat(r.Rate, 'f', 1, 64) }

// What is said of those who were not told.
var fanoutCauses = map[string]string{
	commerce.DropPrice: "the price had risen", commerce.DropStock: "it was sold out", commerce.DropConsent: "no consent any more",
	commerce.DropCancelled: "no longer watching", commerce.DropTold: "told already", commerce.DropAccount: "account or address gone",
	commerce.DropStopped: "cancelled by staff",
}

// fanoutsShown is how many stand on the page.
const fanoutsShown = 50

// fanouts lists who is being told of what, how far that is, and buttons to pause or cancel it.
func (s *Server) fanouts(w http.ResponseWriter, r *http.Request) error {
	ctx, view := r.Context(), fanoutsView{}
	err := s.reading(ctx, func(tx *store.Tx) (err error) {
		if view.Page, err = s.staffPage(ctx, tx, r, "admin", "Fan-outs"); err != nil {
			return err
		}
		view.Page.URL = "/admin/fanouts"
		all, err := tx.Fanouts(ctx, callerOf(r).merchant, 0, fanoutsShown)
		for _, f := range all {
			row := fanoutRow{Fanout: f}
			for _, cause := range commerce.Outcomes() {
				if n := f.Dropped[cause]; n > 0 {
					row.Causes = append(row.Causes, fanoutCause{fanoutCauses[cause], n})
				}
			}
			view.Fanouts = append(view.Fanouts, row)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("show fan-outs: %w", err)
	}
	return s.renderStaff(w, http.StatusOK, "fanouts.html", view)
}

func (s *Server) fanoutButton(act, done string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !isClean(r.PathValue("id")) {
			return &Problem{Status: http.StatusNotFound}
		}
		if _, err := s.actOnFanout(r.Context(), callerOf(r), r.PathValue("id"), act); err != nil {
			return fmt.Errorf("%s fan-out: %w", act, err)
		}
		return redirectDone(w, r, "/admin/fanouts", done)
	}
}
