package slack

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"parley/adapters"
)

var _ adapters.Room = (*Messenger)(nil)

// longestTitle is how many characters begin a thread: a channel shows them in full.
const longestTitle = 150

// roomForm is a channel, public or private; a direct message is no room.
var roomForm = regexp.MustCompile(`^[CG][A-Z0-9]{1,40}$`)

// Open begins a thread in a channel: under a message of the bot's with the title.
func (m *Messenger) Open(ctx context.Context, room, title string) (string, error) {
	if !roomForm.MatchString(room) {
		return "", rejected("bad_room", fmt.Sprintf("%q is not the id of a channel, which begins with C and stands at the end of the channel's details", room))
	}
	title = adapters.Clean(title)
	if characters := []rune(title); len(characters) > longestTitle {
		title = string(characters[:longestTitle-1]) + "…"
	}
	sent, err := m.post(ctx, adapters.Part{Chat: room, Text: title}, room, "", false)
	if err != nil {
		return "", notInvited(err)
	}
	_, root, _ := strings.Cut(sent.ID, "/")
	if root == "" {
		return "", &adapters.SendError{Consequence: adapters.Unknown, Reason: "Slack does not say which message it posted"}
	}
	if err := m.follow(ctx, room, root, begun); err != nil {
		return "", &adapters.SendError{Consequence: adapters.Temporary, Reason: "the thread cannot be remembered", Err: err}
	}
	return chatID(room, root), nil
}

// notInvited says in plain words what is most likely missing.
func notInvited(err error) error {
	failed, ok := errors.AsType[*adapters.SendError](err)
	if ok && slices.Contains([]string{"not_in_channel", "channel_not_found"}, failed.Code) {
		failed.Reason += ": invite the app to the channel"
	}
	return err
}
