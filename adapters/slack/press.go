package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"parley/conversation"
)

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
		TS           string `json:"ts"`
		ThreadTS     string `json:"thread_ts"`
		ParentUserID string `json:"parent_user_id"`
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
	name, err := m.presser(ctx, in, thread)
	if err != nil {
		return taken{}, err
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
			Kind: conversation.Choice, Chat: chatID(in.Channel.ID, thread), Sender: in.User.ID, SenderName: name,
			ID: "press:" + a.TS + ":" + in.User.ID + ":" + a.ID, At: when(a.TS), Value: value, Raw: one,
		})
	}
	return out, nil
}

// presser is the name of who pressed: the one that Slack sends along is what they sign in with, so in a thread of the staff they are
// called what they are called when they write.
func (m *Messenger) presser(ctx context.Context, in interaction, thread string) (string, error) {
	name := line(in.User.Name)
	if thread == "" {
		return name, nil
	}
	pressed := said{Channel: in.Channel.ID, TS: in.Message.TS, ThreadTS: thread, ParentUserID: in.Message.ParentUserID}
	at, err := m.place(ctx, pressed, m.self(), false)
	if err != nil || !at.desk {
		return name, err
	}
	return cmp.Or(m.member(ctx, in.User.ID).name, name), nil
}
