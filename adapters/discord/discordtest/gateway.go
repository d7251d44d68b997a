package discordtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// gateway is the server's WebSocket side. The Server's lock guards it.
type gateway struct {
	starts     int // sessions that may still begin
	session    *session
	conn       *conn
	identifies int
	resumes    int
	answers    []string // to the next RESUMEs, see OnResume
	welcome    []string // to the next IDENTIFYs
	beat       time.Duration
	mute       bool
}

type session struct {
	id      string
	intents int
	void    bool
	events  [][]byte // the one of sequence n stands at n-1
}

type conn struct {
	ws  *websocket.Conn
	out chan []byte // what the writer sends; nil closes
}

// OnResume says how the next RESUME is answered instead of being obeyed: "op 7", "op 7 in two frames", "op 9" or "op 9 resumable".
func (s *Server) OnResume(answer string) { s.change(func() { s.answers = append(s.answers, answer) }) }

// OnIdentify says the same of the next IDENTIFY; "close 4014" closes with that code.
func (s *Server) OnIdentify(answer string) {
	s.change(func() { s.welcome = append(s.welcome, answer) })
}

// Starts sets how many sessions may still begin today.
func (s *Server) Starts(n int) { s.change(func() { s.starts = n }) }

// Beat sets how often the bot has to be heard from. It is 10 s until then.
func (s *Server) Beat(d time.Duration) { s.change(func() { s.beat = d }) }

// Mute stops answering heartbeats and sending events on the present connection.
func (s *Server) Mute() { s.change(func() { s.mute = true }) }

// Sessions is how often the bot identified and how often it resumed.
func (s *Server) Sessions() (identified, resumed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identifies, s.resumes
}

// Connected says whether the bot listens.
func (s *Server) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn != nil && s.session != nil
}

// Left says whether the server has seen the bot's last connection end, which is a moment after the bot closed it.
func (s *Server) Left() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn == nil
}

// Drop breaks the present connection without a word.
func (s *Server) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		_ = s.conn.ws.NetConn().Close()
		s.conn = nil
		s.wake()
	}
}

// Void ends the session at Discord's side: what happens until the bot identifies again is told to nobody.
func (s *Server) Void() {
	s.change(func() {
		if s.session != nil {
			s.session.void = true
		}
	})
}

// Say sends a bare op over the gateway, such as {"op":7,"d":null}.
func (s *Server) Say(frame string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		s.conn.out <- []byte(frame)
	}
}

// dispatch tells the bot of an event, now or when it resumes. The caller holds the lock.
func (s *Server) dispatch(kind string, data any) {
	if s.session == nil || s.session.void {
		return
	}
	frame, err := json.Marshal(map[string]any{"op": 0, "s": len(s.session.events) + 1, "t": kind, "d": data})
	if err != nil {
		s.tb.Errorf("discord: %v", err)
		return
	}
	s.session.events = append(s.session.events, frame)
	if s.conn != nil && !s.mute {
		s.conn.out <- frame
	}
}

func (s *Server) serveGateway(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{WriteBufferSize: writeBuffer, CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c := &conn{ws: ws, out: make(chan []byte, 4096)}
	done := make(chan struct{})
	s.work.Go(func() {
		for {
			select {
			case frame := <-c.out:
				if send(ws, frame) != nil {
					return
				}
			case <-done:
				return
			}
		}
	})
	defer func() {
		close(done)
		_ = ws.Close()
		s.mu.Lock()
		if s.conn == c {
			s.conn = nil
		}
		s.wake()
		s.mu.Unlock()
	}()
	s.mu.Lock()
	beat := s.beat
	s.mute = false
	s.mu.Unlock()
	if beat == 0 {
		beat = 10 * time.Second
	}
	hello, _ := json.Marshal(map[string]any{"op": 10, "d": map[string]any{"heartbeat_interval": beat.Milliseconds()}})
	c.out <- hello
	for {
		var m struct {
			Op int             `json:"op"`
			D  json.RawMessage `json:"d"`
		}
		if err := ws.ReadJSON(&m); err != nil {
			if websocket.IsCloseError(err, 1000, 1001) { // Discord forgets a session that was closed so
				s.change(func() {
					if s.conn == c && s.session != nil {
						s.session.void = true
					}
				})
			}
			return
		}
		if !s.hear(c, m.Op, m.D) {
			return
		}
	}
}

// hear obeys one frame of the bot; false ends the connection.
func (s *Server) hear(c *conn, op int, data json.RawMessage) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wake()
	var said struct {
		Token   string `json:"token"`
		Intents int    `json:"intents"`
		Session string `json:"session_id"`
		Seq     int    `json:"seq"`
	}
	if op == 2 || op == 6 {
		if err := json.Unmarshal(data, &said); err != nil {
			return s.shut(c, 4002)
		}
		if said.Token != "Bot "+Token {
			return s.shut(c, 4004)
		}
	}
	switch op {
	case 1:
		if s.conn != c || !s.mute {
			c.out <- []byte(`{"op":11}`)
		}
	case 2:
		s.identifies++
		s.starts--
		if said.Intents&(1<<12) == 0 {
			s.tb.Errorf("discord: the bot does not want direct messages: intents %d", said.Intents)
		}
		if said.Intents&contentIntent != 0 && !s.content {
			return s.shut(c, 4014)
		}
		if len(s.welcome) > 0 {
			answer := s.welcome[0]
			s.welcome = s.welcome[1:]
			return s.answer(c, answer)
		}
		s.session, s.conn = &session{id: "session-" + s.next(), intents: said.Intents}, c
		s.dispatch("READY", map[string]any{
			"v": 9, "session_id": s.session.id, "resume_gateway_url": s.http.URL, "guilds": []any{},
			"user": map[string]any{"id": Bot, "username": "parley", "bot": true},
		})
	case 6:
		s.resumes++
		if len(s.answers) > 0 {
			answer := s.answers[0]
			s.answers = s.answers[1:]
			return s.answer(c, answer)
		}
		if s.session == nil || s.session.void || s.session.id != said.Session || said.Seq > len(s.session.events) {
			return s.answer(c, "op 9")
		}
		s.conn = c
		for _, frame := range s.session.events[said.Seq:] {
			c.out <- frame
		}
		s.dispatch("RESUMED", map[string]any{})
	default:
		return s.shut(c, 4001)
	}
	return true
}

// writeBuffer is the longest frame that is sent in one piece.
const writeBuffer = 64 << 10

func send(ws *websocket.Conn, frame []byte) error {
	w, err := ws.NextWriter(websocket.TextMessage)
	if err != nil {
		return err
	}
	if _, err := w.Write(frame); err != nil {
		return err
	}
	return w.Close()
}

func (s *Server) answer(c *conn, how string) bool {
	switch how {
	case "op 7":
		c.out <- []byte(`{"op":7,"d":null}`)
	case "op 7 in two frames":
		c.out <- fmt.Appendf(nil, `{"op":7,"d":null,"pad":"%s"}`, strings.Repeat("x", 2*writeBuffer))
	case "op 9":
		c.out <- []byte(`{"op":9,"d":false}`)
	case "op 9 resumable":
		c.out <- []byte(`{"op":9,"d":true}`)
	case "close 4014":
		return s.shut(c, 4014)
	default:
		s.tb.Errorf("discord: there is no answer %q", how)
	}
	return true
}

func (s *Server) shut(c *conn, code int) bool {
	_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second))
	return false
}
