package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"parley/adapters"
)

var _ adapters.Room = (*Messenger)(nil)

const (
	longestTitle = 100         // characters in the name of a thread
	archiveAfter = 7 * 24 * 60 // minutes without a word, after which Discord puts a thread away; the longest that there is
)

// What Discord answers in a thread that was put away: an archived one can be had back, a locked one only by a moderator.
const (
	archivedCode = 50083
	lockedCode   = 160005
)

// newThread is what Discord wants to know of a thread to open.
type newThread struct {
	Name    string    `json:"name"`
	Archive int       `json:"auto_archive_duration"`
	Type    int       `json:"type,omitempty"`    // in a channel
	Message *outgoing `json:"message,omitempty"` // in a forum, where each begins with one
}

// Open begins a public thread in a channel, or a post in a forum.
func (m *Messenger) Open(ctx context.Context, room, title string) (string, error) {
	if snowflake(room) == 0 {
		return "", rejected("bad_room", fmt.Errorf("%q is not a channel of Discord", room))
	}
	if failed := m.mustHearAll(ctx); failed != nil {
		return "", failed
	}
	var in, made channelInfo
	if err := m.rest.call(ctx, http.MethodGet, "channels/"+room, nil, &in); err != nil {
		return "", m.sendError(err)
	}
	thread, err := begun(in.Type, title)
	if err != nil {
		return "", rejected("no_room", fmt.Errorf("channel %s: %w", room, err))
	}
	if err := m.rest.call(ctx, http.MethodPost, "channels/"+room+"/threads", thread, &made); err != nil {
		return "", m.sendError(err)
	}
	if snowflake(made.ID) == 0 {
		return "", &adapters.SendError{Consequence: adapters.Unknown, Reason: "Discord does not say which thread it opened"}
	}
	c := chat{channel: room, thread: made.ID}
	m.seen.meet(made.ID, c.mark(made.ID))
	if err := m.seen.flush(ctx, m.now()); err != nil {
		return "", &adapters.SendError{Consequence: adapters.Temporary, Reason: "the thread cannot be remembered", Err: err}
	}
	return c.String(), nil
}

// begun is the thread to open in a channel of that kind.
func begun(kind int, title string) (newThread, error) {
	title = strings.ReplaceAll(adapters.Clean(title), "\n", " ")
	thread := newThread{Name: title, Archive: archiveAfter}
	if runes := []rune(title); len(runes) > longestTitle {
		thread.Name = string(runes[:longestTitle-1]) + "…"
	}
	switch kind {
	case textChannel:
		thread.Type = openThread
	case newsChannel:
		thread.Type = newsThread
	case forum, mediaForum:
		first, err := compose(adapters.Part{Text: title})
		if err != nil {
			return thread, err
		}
		thread.Message = &first
	default:
		return thread, errors.New("no threads can be opened in a channel of this kind")
	}
	return thread, nil
}

// awake does a call about a chat. A thread that was archived meanwhile is opened again for it.
func (m *Messenger) awake(ctx context.Context, c chat, do func() error) error {
	err := do()
	if c.thread == "" || codeOf(err) != archivedCode {
		return err
	}
	if err := m.rest.call(ctx, http.MethodPatch, "channels/"+c.thread, map[string]bool{"archived": false}, nil); err != nil {
		return err
	}
	return do()
}

// chatError says what a failed call about a chat means. A thread of ours that was locked is over: the next begins elsewhere.
func (m *Messenger) chatError(c chat, err error) *adapters.SendError {
	failed := m.sendError(err)
	if c.isRoom() && codeOf(err) == lockedCode {
		failed.Consequence = adapters.Gone
	}
	return failed
}

func codeOf(err error) int {
	if call, ok := errors.AsType[*callError](err); ok {
		return call.Code
	}
	return 0
}
