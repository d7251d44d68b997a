package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"parley/commerce"
	"parley/store"
)

const (
	// heartbeat keeps the connection open, finds out that it is not, and looks for what other nodes have written.
	heartbeat = 15 * time.Second
	// eventBatch is how many events are read at once.
	eventBatch = 100
)

// events streams what changes to the staff's pages, as server-sent events: the id is the event's key, so that a browser
// that reconnects goes on where it was. The data names what changed and no more; the page fetches itself again.
func (s *Server) events(w http.ResponseWriter, r *http.Request) error {
	ctx, who := r.Context(), callerOf(r)
	after, err := s.eventsAfter(ctx, r, who.merchant)
	if err != nil {
		return err
	}
	wake := make(chan struct{}, 1)
	stop := s.opt.BackOffice.Store.OnEvents(func() {
		select {
		case wake <- struct{}{}:
		default: // one is waiting already
		}
	})
	defer stop()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies must not collect it
	stream := eventStream{w: w, control: http.NewResponseController(w)}
	if err := stream.send([]byte("retry: 2000\n\n")); err != nil {
		return nil // the browser has gone; so in all that follows
	}
	for {
		if after, err = s.sendEvents(ctx, stream, who.merchant, after); err != nil {
			if !errors.Is(err, errStreamEnded) && ctx.Err() == nil {
				s.log.ErrorContext(ctx, "events not sent", "problem", err)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-beat.C:
			// Whoever signed out, or lost the role, hears nothing more.
			if _, err := s.opt.Gate.Admit(r, Staff(store.RoleMerchant)); err != nil {
				return nil
			}
			if err := stream.send([]byte(": still here\n\n")); err != nil {
				return nil
			}
		}
	}
}

// eventsAfter is where the stream begins: behind the last event that the browser has seen, or that its page has.
func (s *Server) eventsAfter(ctx context.Context, r *http.Request, merchant commerce.MerchantID) (int64, error) {
	for _, seen := range []string{r.Header.Get("Last-Event-ID"), r.URL.Query().Get("after")} {
		if after, err := strconv.ParseInt(seen, 10, 64); err == nil && after >= 0 {
			return after, nil
		}
	}
	var after int64
	err := s.reading(ctx, func(tx *store.Tx) (err error) {
		after, err = tx.LastEvent(ctx, merchant)
		return err
	})
	return after, err
}

var errStreamEnded = errors.New("the stream has ended")

// sendEvents sends all that came after a key, and returns the last key sent.
func (s *Server) sendEvents(ctx context.Context, stream eventStream, merchant commerce.MerchantID, after int64) (int64, error) {
	for {
		var batch []store.Event
		err := s.reading(ctx, func(tx *store.Tx) (err error) {
			batch, err = tx.Events(ctx, merchant, after, eventBatch)
			return err
		})
		if err != nil {
			return after, err
		}
		var b bytes.Buffer
		for _, e := range batch {
			data, err := json.Marshal(struct {
				Kind    string `json:"kind"`
				Subject string `json:"subject"`
			}{e.Kind, e.Subject})
			if err != nil {
				return after, err
			}
			fmt.Fprintf(&b, "id: %d\nevent: change\ndata: %s\n\n", e.Key, data)
			after = e.Key
		}
		if b.Len() > 0 {
			if err := stream.send(b.Bytes()); err != nil {
				return after, errors.Join(errStreamEnded, err)
			}
		}
		if len(batch) < eventBatch {
			return after, nil
		}
	}
}

type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// send writes at once. The server's write timeout is for whole answers; here each piece has its own.
func (e eventStream) send(b []byte) error {
	if err := e.control.SetWriteDeadline(time.Now().Add(heartbeat)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := e.w.Write(b); err != nil {
		return err
	}
	return e.control.Flush()
}
