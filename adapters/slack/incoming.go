package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/adapters"
	"parley/conversation"
)

// errNotOurs is a payload that is not of the kind it should be: asking for it again would bring the same.
var errNotOurs = errors.New("not a payload of Slack's")

// callback is an event as both modes carry it.
type callback struct {
	Type           string          `json:"type"`
	Challenge      string          `json:"challenge"`
	TeamID         string          `json:"team_id"`
	AppID          string          `json:"api_app_id"`
	Event          json.RawMessage `json:"event"`
	Authorizations []struct {
		UserID string `json:"user_id"`
		IsBot  bool   `json:"is_bot"`
	} `json:"authorizations"`
}

// said is a message, or a mention of the bot in one.
type said struct {
	Type         string          `json:"type"`
	Subtype      string          `json:"subtype"`
	Hidden       bool            `json:"hidden"`
	User         string          `json:"user"`
	BotID        string          `json:"bot_id"`
	Text         string          `json:"text"`
	TS           string          `json:"ts"`
	ThreadTS     string          `json:"thread_ts"`
	ParentUserID string          `json:"parent_user_id"`
	Channel      string          `json:"channel"`
	ChannelType  string          `json:"channel_type"`
	Inviter      string          `json:"inviter"`
	Message      *said           `json:"message"`          // as it is, when it was changed
	Previous     *said           `json:"previous_message"` // as it was, when it was changed or deleted
	Blocks       json.RawMessage `json:"blocks"`
	Files        []struct {
		Type string `json:"mimetype"`
	} `json:"files"`
	Profile struct {
		Display string `json:"display_name"`
		Real    string `json:"real_name"`
	} `json:"user_profile"`
}

// taken is what a payload comes to.
type taken struct {
	events []conversation.Event
	// channel and thread are to be followed from now on, because the bot was called there.
	channel, thread string
	// note is for who sent it, once it is stored.
	note *note
}

// spoken are the subtypes in which a person says something; edits, deletions, joins and other programs are not among them.
var spoken = []string{"", "file_share", "thread_broadcast", "me_message"}

// fromCallback converts an event of the Events API. What says nothing to us comes to no events and no error.
func (m *Messenger) fromCallback(ctx context.Context, raw []byte) (taken, error) {
	var outer callback
	if err := json.Unmarshal(raw, &outer); err != nil || outer.Type == "" {
		return taken{}, fmt.Errorf("read an event: %w", errNotOurs)
	}
	if outer.Type != "event_callback" {
		return taken{}, nil
	}
	m.learn(ctx, outer.AppID, "", "")
	var in said
	if err := json.Unmarshal(outer.Event, &in); err != nil {
		return taken{}, fmt.Errorf("read an event: %w", errNotOurs)
	}
	switch in.Type {
	case "message", "app_mention":
	case "app_uninstalled", "tokens_revoked":
		m.report("failed", "the app was removed from the workspace")
		return taken{}, nil
	default:
		return taken{}, nil
	}
	bot := m.self()
	for _, a := range outer.Authorizations {
		if bot == "" && a.IsBot {
			bot = a.UserID
		}
	}
	switch {
	case in.Subtype == messageChanged || in.Subtype == messageDeleted:
		return m.fromChange(ctx, in, bot, outer.Event)
	case slices.Contains(joins, in.Subtype) && bot != "" && in.User == bot:
		m.invited(ctx, in)
		return taken{}, nil
	case in.Hidden || in.TS == "" || in.Channel == "" || !in.byPerson(bot) || !slices.Contains(spoken, in.Subtype):
		return taken{}, nil
	}
	text, mentioned := in.words(bot)
	at, err := m.place(ctx, in, bot, mentioned || in.Type == "app_mention")
	if err != nil || !at.ours {
		return taken{}, err
	}
	// A mention comes twice, as a mention and as a message: the timestamp is the same in both, and in every repeat.
	event := conversation.Event{
		Kind: conversation.Text, Chat: chatID(in.Channel, at.thread), Sender: in.User, ID: in.TS, At: when(in.TS), Raw: outer.Event,
		SenderName: cmp.Or(line(in.Profile.Display), line(in.Profile.Real)), Text: text,
	}
	if at.desk {
		event.Message, event.SenderName = in.TS, cmp.Or(m.member(ctx, in.User).name, event.SenderName)
	}
	switch token := startToken.FindStringSubmatch(event.Text); {
	case token != nil:
		event.Kind, event.Value, event.Text = conversation.Start, token[1], ""
	case event.Text == "" && len(in.Files) > 0:
		event.Text = stands(in.Files[0].Type)
	case event.Text == "" && mentioned:
		event.Kind = conversation.Start // they called and said no more
	case event.Text == "":
		return taken{}, nil
	}
	out := taken{events: []conversation.Event{event}}
	if !direct(in) {
		out.channel, out.thread = in.Channel, at.thread
	}
	if at.desk && in.Type == "message" && text != "" && len(in.Files) > 0 {
		out.note = &note{
			channel: in.Channel, thread: at.thread, user: in.User,
			english: "Files are not passed on to the shopper, words are.", german: "Dateien werden nicht weitergegeben, nur Worte.",
		}
	}
	return out, nil
}

// byPerson says that a member of the workspace said it, not a program.
func (in said) byPerson(bot string) bool {
	return in.BotID == "" && in.User != "" && in.User != bot && in.User != "USLACKBOT"
}

// words is what they typed, without the bot's name at either end.
func (in said) words(bot string) (text string, mentioned bool) {
	text, mentioned = withoutMention(in.Text, bot)
	return adapters.Clean(emoji(in.Blocks).Replace(asTyped(text))), mentioned
}

// place is where a message stands.
type place struct {
	thread string // in which it is to be answered; "" for none
	ours   bool   // it is for us at all
	desk   bool   // it stands in a thread that the bot began, for the staff
}

// place finds out where a message stands: in a direct message everything is for us, elsewhere what mentions the bot and what follows
// in that thread. A thread under a message of the bot's is one that it began, whatever is remembered.
func (m *Messenger) place(ctx context.Context, in said, bot string, named bool) (at place, err error) {
	if in.ThreadTS != in.TS {
		at.thread = in.ThreadTS
	}
	switch {
	case direct(in):
		at.ours = true
		return at, nil
	case at.thread == "" && named:
		at.thread, at.ours = in.TS, true // the answer opens a thread under the question
		return at, nil
	case at.thread == "":
		return at, nil
	}
	at.desk, at.ours = bot != "" && in.ParentUserID == bot, true
	if at.desk {
		return at, nil
	}
	how, err := m.follows(ctx, in.Channel, at.thread)
	at.desk, at.ours = how == begun, named || how != ""
	return at, err
}

func direct(in said) bool {
	return in.ChannelType == "im" || in.ChannelType == "" && strings.HasPrefix(in.Channel, "D")
}

func chatID(channel, thread string) string {
	if thread == "" {
		return channel
	}
	return channel + ":" + thread
}

// startToken reads "start" and the token of a link. Shorter words than a token's are a person's.
var startToken = regexp.MustCompile(`(?i)^/?start[ \t]+([A-Za-z0-9_-]{16,128})$`)

// stands is the text that stands for a message without words.
func stands(mimetype string) string {
	kind, _, _ := strings.Cut(mimetype, "/")
	switch kind {
	case "image":
		return "[photo]"
	case "video":
		return "[video]"
	case "audio":
		return "[audio]"
	}
	return "[file]"
}

// when reads a timestamp, "1700000000.000100".
func when(ts string) time.Time {
	whole, fraction, _ := strings.Cut(ts, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds <= 0 {
		return time.Time{}
	}
	micros, _ := strconv.ParseInt((fraction + "000000")[:6], 10, 64)
	return time.Unix(seconds, micros*1000).UTC()
}

// line is a name of somebody, on one line and not endless.
func line(name string) string {
	short := []rune(strings.Join(strings.Fields(adapters.Clean(name)), " "))
	return string(short[:min(len(short), 128)])
}
