// Package peer is the same bot on telebot, as its users would write it: the session in SQLite, one transaction a message.
package peer

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	tele "gopkg.in/telebot.v4"
	_ "modernc.org/sqlite" // the driver
)

// Token is the bot's at the sink.
const Token = "2:telebot"

// session is what is known of a customer: as much as Parley's session of the same bot.
type session struct {
	Step int    `json:"step"`
	N    int    `json:"n"`
	Pad  string `json:"pad"`
}

// Reply is what every bot of the benchmark says.
func Reply(step, n int) string {
	return fmt.Sprintf("This is step %d of 5, and your message number %d. %s", step, n, strings.Repeat("reply text ", 15))
}

// Serve answers updates until the process ends.
func Serve(ctx context.Context, file, api string, ready func(addr string)) error {
	sessions, err := openSessions(ctx, file)
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost, transport.MaxIdleConns = 256, 256
	addr, err := freeAddr(ctx)
	if err != nil {
		return err
	}
	bot, err := tele.NewBot(tele.Settings{
		URL: api, Token: Token, Offline: true, Client: &http.Client{Transport: transport},
		Poller:  &tele.Webhook{Listen: addr, IgnoreSetWebhook: true},
		OnError: func(err error, _ tele.Context) { fmt.Println("telebot:", err) },
	})
	if err != nil {
		return fmt.Errorf("make the bot: %w", err)
	}
	bot.Handle(tele.OnText, func(c tele.Context) error {
		text, err := sessions.turn(ctx, c.Chat().ID)
		if err != nil {
			return err
		}
		return c.Send(text)
	})
	go func() { // telebot does not tell when it listens
		for {
			if c, err := new(net.Dialer).DialContext(ctx, "tcp", addr); err == nil {
				_ = c.Close()
				ready(addr)
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	bot.Start()
	return errors.New("telebot has stopped")
}

// freeAddr is an address that nobody listens on: telebot takes one and does not tell which it got.
func freeAddr(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// sessions are kept by SQLite with a full sync for every message.
type sessions struct {
	db       *sql.DB
	get, set *sql.Stmt
}

func openSessions(ctx context.Context, file string) (*sessions, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "CREATE TABLE session (chat INTEGER PRIMARY KEY, value TEXT NOT NULL)"); err != nil {
		return nil, fmt.Errorf("make the table of sessions: %w", err)
	}
	s := &sessions{db: db}
	if s.get, err = db.PrepareContext(ctx, "SELECT value FROM session WHERE chat = $1"); err != nil {
		return nil, err
	}
	s.set, err = db.PrepareContext(ctx, "INSERT INTO session (chat, value) VALUES ($1, $2) ON CONFLICT (chat) DO UPDATE SET value = excluded.value")
	return s, err
}

// turn takes one message of a chat and returns what to say.
func (s *sessions) turn(ctx context.Context, chat int64) (string, error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = tx.Rollback() }()
	var value string
	state := session{Pad: strings.Repeat("x", 180)}
	switch err := tx.StmtContext(ctx, s.get).QueryRowContext(ctx, chat).Scan(&value); { //nolint:sqlclosecheck // ends with the transaction
	case err == nil:
		if err := json.Unmarshal([]byte(value), &state); err != nil {
			return "", err
		}
	case !errors.Is(err, sql.ErrNoRows):
		return "", err
	}
	state.Step, state.N = state.Step%5+1, state.N+1
	next, err := json.Marshal(state)
	if err != nil {
		return "", err
	}
	if _, err := tx.StmtContext(ctx, s.set).ExecContext(ctx, chat, string(next)); err != nil { //nolint:sqlclosecheck // as above
		return "", err
	}
	return Reply(state.Step, state.N), tx.Commit()
}
