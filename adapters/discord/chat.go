package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"parley/adapters"
)

// chat is a conversation: direct messages, a person in front of others in a server, or a thread that the bot opened.
type chat struct {
	channel string // of direct messages or of a server; a thread's parent
	thread  string // "" outside of threads
	// person is who has this conversation in front of others: everybody has one of their own there, so that nobody buys on
	// another's account. It is "" in direct messages, and in a thread of the bot's own, which is one conversation for all.
	person string
}

// parseChat reads a chat's id as events carry it: 5 (direct messages), 5:7 (a person in a channel), 5:t6:7 (in a thread of that
// channel), 5:t6 (a thread that the bot opened).
func parseChat(text string) (chat, error) {
	channel, rest, more := strings.Cut(text, ":")
	c := chat{channel: channel}
	good := snowflake(channel) != 0
	if thread, threaded := strings.CutPrefix(rest, "t"); threaded {
		c.thread, rest, more = strings.Cut(thread, ":")
		good = good && snowflake(c.thread) != 0
	}
	if more {
		c.person = rest
		good = good && snowflake(c.person) != 0
	}
	if !good {
		return chat{}, fmt.Errorf("%q is not a chat of Discord", text)
	}
	return c, nil
}

// String is the inverse of parseChat.
func (c chat) String() string {
	text := c.channel
	if c.thread != "" {
		text += ":t" + c.thread
	}
	if c.person != "" {
		text += ":" + c.person
	}
	return text
}

// target is the channel to call: to Discord a thread is one.
func (c chat) target() string {
	if c.thread != "" {
		return c.thread
	}
	return c.channel
}

// isRoom says that the chat is a thread that the bot opened.
func (c chat) isRoom() bool { return c.thread != "" && c.person == "" }

// mark is how far the chat's channel is known once a message of that id is.
func (c chat) mark(id string) mark {
	m := mark{last: snowflake(id), guild: c.thread != "" || c.person != ""}
	if c.isRoom() {
		m.parent = c.channel
	}
	return m
}

var _ adapters.Private = (*Messenger)(nil)

// IsPrivate says that a chat is a channel of direct messages: elsewhere more follows the channel.
func (m *Messenger) IsPrivate(chat string) bool { return chat != "" && !strings.Contains(chat, ":") }

// spot is what a channel is; the zero value is one of direct messages.
type spot struct {
	server bool   // others can be there
	parent string // the channel that a thread is in; "" for what is no thread
	own    bool   // a thread that the bot opened: all that people say there is for it
}

// chat is the conversation that somebody has there.
func (s spot) chat(channel, person string) chat {
	switch {
	case !s.server:
		return chat{channel: channel}
	case s.own:
		return chat{channel: s.parent, thread: channel}
	case s.parent != "":
		return chat{channel: s.parent, thread: channel, person: person}
	}
	return chat{channel: channel, person: person}
}

// spotsInMemory is how many channels are known without asking Discord.
const spotsInMemory = 10_000

// spots remembers what channels are. Whether one is a thread, of which channel and by whom never changes.
type spots struct {
	mu    sync.Mutex
	known map[string]spot
}

func (s *spots) find(channel string) (spot, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, known := s.known[channel]
	return at, known
}

func (s *spots) keep(channel string, at spot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= spotsInMemory {
		s.known = map[string]spot{}
	}
	s.known[channel] = at
}

// channelInfo is what we read of a channel.
type channelInfo struct {
	ID     string `json:"id"`
	Type   int    `json:"type"`
	Parent string `json:"parent_id"`
	Owner  string `json:"owner_id"`
}

// The kinds of channels in which the bot hears or opens something.
const (
	textChannel = 0
	newsChannel = 5
	newsThread  = 10
	openThread  = 11
	shutThread  = 12
	forum       = 15
	mediaForum  = 16
)

func isThread(kind int) bool { return kind == newsThread || kind == openThread || kind == shutThread }

// knownSpot is what a channel is, as far as Discord need not be asked. The threads that the bot opened are kept in the account's
// state.
func (m *Messenger) knownSpot(channel string) (spot, bool) {
	if at, known := m.seen.mark(channel); known && at.parent != "" {
		return spot{server: true, parent: at.parent, own: true}, true
	}
	return m.spots.find(channel)
}

// spot is what a channel of a server is. The error is a *callError.
func (m *Messenger) spot(ctx context.Context, channel string) (spot, error) {
	if at, known := m.knownSpot(channel); known {
		return at, nil
	}
	if m.botID() == "" { // nothing runs here: a press came by webhook
		if err := m.identify(ctx); err != nil {
			return spot{}, err
		}
	}
	var info channelInfo
	if err := m.rest.call(ctx, http.MethodGet, "channels/"+channel, nil, &info); err != nil {
		return spot{}, err
	}
	at := spot{server: true}
	if isThread(info.Type) {
		at.parent, at.own = info.Parent, info.Owner == m.botID()
	}
	m.spots.keep(channel, at)
	return at, nil
}

// isGone says that Discord has no such channel, or none that the bot may see.
func isGone(err error) bool {
	call, ok := errors.AsType[*callError](err)
	return ok && (call.Status == http.StatusForbidden || call.Status == http.StatusNotFound)
}
