package slack

import (
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
	if in.Hidden || in.BotID != "" || in.User == "" || in.User == bot || in.User == "USLACKBOT" ||
		in.TS == "" || in.Channel == "" || !slices.Contains(spoken, in.Subtype) {
		return taken{}, nil
	}
	text, mentioned := withoutMention(in.Text, bot)
	thread, ours, err := m.place(ctx, in, bot, mentioned || in.Type == "app_mention")
	if err != nil || !ours {
		return taken{}, err
	}
	// A mention comes twice, as a mention and as a message: the timestamp is the same in both, and in every repeat.
	event := conversation.Event{
		Kind: conversation.Text, Chat: chatID(in.Channel, thread), Sender: in.User, ID: in.TS, At: when(in.TS), Raw: outer.Event,
		SenderName: line(in.Profile.Display), Text: adapters.Clean(emoji(in.Blocks).Replace(asTyped(text))),
	}
	if event.SenderName == "" {
		event.SenderName = line(in.Profile.Real)
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
		out.channel, out.thread = in.Channel, thread
	}
	return out, nil
}

// place says in which thread a message is to be answered, "" for none, and whether it is for us at all: in a direct message
// everything is, elsewhere what mentions the bot and what follows in that thread.
func (m *Messenger) place(ctx context.Context, in said, bot string, called bool) (thread string, ours bool, err error) {
	if in.ThreadTS != in.TS {
		thread = in.ThreadTS
	}
	switch {
	case direct(in):
		return thread, true, nil
	case called && thread == "":
		return in.TS, true, nil // the answer opens a thread under the question
	case called:
		return thread, true, nil
	case thread == "":
		return "", false, nil
	case bot != "" && in.ParentUserID == bot:
		return thread, true, nil
	}
	ours, err = m.follows(ctx, in.Channel, thread)
	return thread, ours, err
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

// interaction is a pressed button or a choice from a menu.
type interaction struct {
	Type  string `json:"type"`
	AppID string `json:"api_app_id"`
	User  struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"user"`
	Channel struct {
		ID string `json:"id"`
	} `json:"channel"`
	Container struct {
		Channel  string `json:"channel_id"`
		TS       string `json:"message_ts"`
		ThreadTS string `json:"thread_ts"`
	} `json:"container"`
	Message struct {
		TS       string `json:"ts"`
		ThreadTS string `json:"thread_ts"`
	} `json:"message"`
	Actions []json.RawMessage `json:"actions"`
}

type action struct {
	ID       string `json:"action_id"`
	TS       string `json:"action_ts"`
	Value    string `json:"value"`
	Selected struct {
		Value string `json:"value"`
	} `json:"selected_option"`
}

// fromInteraction converts what Slack sends when somebody presses a button.
func (m *Messenger) fromInteraction(ctx context.Context, raw []byte) (taken, error) {
	var in interaction
	if err := json.Unmarshal(raw, &in); err != nil || in.Type == "" {
		return taken{}, fmt.Errorf("read an interaction: %w", errNotOurs)
	}
	m.learn(ctx, in.AppID, "", "")
	if in.Channel.ID == "" {
		in.Channel.ID = in.Container.Channel
	}
	if in.Type != "block_actions" || in.Channel.ID == "" || in.User.ID == "" {
		return taken{}, nil
	}
	thread := in.Message.ThreadTS
	if thread == "" {
		thread = in.Container.ThreadTS
	}
	if thread == in.Message.TS || thread == in.Container.TS { // the message begins the thread, it does not stand in it
		thread = ""
	}
	var out taken
	for _, one := range in.Actions {
		var a action
		if err := json.Unmarshal(one, &a); err != nil {
			return taken{}, fmt.Errorf("read an action: %w", errNotOurs)
		}
		value := a.Value
		if value == "" {
			value = a.Selected.Value
		}
		if value == "" {
			continue
		}
		out.events = append(out.events, conversation.Event{
			Kind: conversation.Choice, Chat: chatID(in.Channel.ID, thread), Sender: in.User.ID, SenderName: line(in.User.Name),
			ID: "press:" + a.TS + ":" + in.User.ID + ":" + a.ID, At: when(a.TS), Value: value, Raw: one,
		})
	}
	return out, nil
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
