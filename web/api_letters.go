package web

import (
	"context"
	"net/http"
	"time"

	"parley/store"
)

// apiLetter is a dead letter: what was tried and given up.
type apiLetter struct {
	ID           string    `json:"id"` // of its message
	Conversation string    `json:"conversation"`
	Account      string    `json:"account"`
	Class        string    `json:"class"`
	State        string    `json:"state"`
	Cause        string    `json:"cause"`
	Attempts     int       `json:"attempts"`
	At           time.Time `json:"at"`
	Age          int64     `json:"age_seconds"`
	Resendable   bool      `json:"resendable"`
}

type apiResent struct {
	Resent int `json:"resent"`
}

func (s *Server) apiLetters(ctx context.Context, c apiCall) (int, any, error) {
	q, err := c.query("account", "limit", "cursor")
	if err != nil {
		return 0, nil, err
	}
	before, limit, err := readKeyPage(q)
	if err != nil {
		return 0, nil, err
	}
	var letters []store.Letter
	err = s.reading(ctx, func(tx *store.Tx) (err error) {
		letters, err = tx.DeadLetters(ctx, c.merchant, store.LetterFilter{Account: q.Get("account"), Before: before, Limit: limit + 1})
		return err
	})
	if err != nil {
		return 0, nil, err
	}
	page, err := pageOf(letters, limit, func(l store.Letter) string { return atKey(l.Key) }, surely(func(l store.Letter) apiLetter {
		return apiLetter{
			ID: l.Message, Conversation: l.Conversation, Account: l.Account, Class: classWord(l), State: string(l.State), Cause: l.Cause,
			Attempts: l.Attempts, At: l.At, Age: int64(s.now().Sub(l.At).Seconds()), Resendable: !l.Silent,
		}
	}))
	return http.StatusOK, page, err
}

func classWord(l store.Letter) string {
	if l.Class == "" {
		return "answer"
	}
	return string(l.Class)
}

// apiResendLetter sends one message again. A message that is no dead letter is not sent again, and that is no error: it may be on
// its way because somebody was quicker.
func (s *Server) apiResendLetter(ctx context.Context, c apiCall) (int, any, error) {
	if err := c.nothing(); err != nil {
		return 0, nil, err
	}
	return s.apiResend(ctx, c, store.LetterFilter{Message: c.PathValue("id")})
}

func (s *Server) apiResendLetters(ctx context.Context, c apiCall) (int, any, error) {
	o, err := c.object()
	if err != nil {
		return 0, nil, err
	}
	o.need("account")
	account := o.word("account", maxName)
	if err := o.done(); err != nil {
		return 0, nil, err
	}
	return s.apiResend(ctx, c, store.LetterFilter{Account: account})
}

func (s *Server) apiResend(ctx context.Context, c apiCall, f store.LetterFilter) (int, any, error) {
	n := 0
	err := s.opt.BackOffice.Store.Tx(ctx, func(tx *store.Tx) (err error) {
		n, err = tx.Resend(ctx, c.merchant, f, c.actor)
		return err
	})
	return http.StatusOK, apiResent{n}, notFound(err, "message", f.Message)
}
