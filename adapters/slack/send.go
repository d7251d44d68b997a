package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	slackgo "github.com/slack-go/slack"

	"parley/adapters"
)

// chatForm is a channel, or a channel and a thread in it.
var chatForm = regexp.MustCompile(`^([A-Z][A-Z0-9]{1,40})(?::([0-9]{1,12}(?:\.[0-9]{1,12})?))?$`)

// Send delivers a part: its picture where Slack can fetch that, its words as typed, its choices as buttons or, when they
// are more than fit, as a menu. A picture that cannot be had never costs the message.
func (m *Messenger) Send(ctx context.Context, part adapters.Part) (adapters.Sent, error) {
	chat := chatForm.FindStringSubmatch(part.Chat)
	if chat == nil {
		return adapters.Sent{}, rejected("bad_chat", fmt.Sprintf("%q is not a chat of Slack", part.Chat))
	}
	if failed := unfit(part); failed != nil {
		return adapters.Sent{}, failed
	}
	channel, thread := chat[1], chat[2]
	sent, err := m.post(ctx, part, channel, thread, fetchable(part.Image))
	if pictureRefused(err) && fetchable(part.Image) && part.Text != "" {
		m.log.WarnContext(ctx, "slack refused a picture, sent the text alone", "image", part.Image, "problem", err)
		sent, err = m.post(ctx, part, channel, thread, false)
	}
	if err == nil && thread != "" {
		m.joined(ctx, channel, thread)
	}
	return sent, err
}

func (m *Messenger) post(ctx context.Context, part adapters.Part, channel, thread string, picture bool) (adapters.Sent, error) {
	options := append(message(part, picture), slackgo.MsgOptionDisableLinkUnfurl(), slackgo.MsgOptionDisableMediaUnfurl())
	if thread != "" {
		options = append(options, slackgo.MsgOptionTS(thread))
	}
	at, ts, err := m.api.post(ctx, channel, options)
	if err != nil {
		return adapters.Sent{}, m.sendError(part.Chat, err, true)
	}
	if at == "" || ts == "" {
		return adapters.Sent{}, nil // sent, but we do not know as what
	}
	return adapters.Sent{ID: at + "/" + ts}, nil // a timestamp names a message in its channel only
}

// Edit replaces text, picture and choices of a message, by the id that Send returned.
func (m *Messenger) Edit(ctx context.Context, id string, part adapters.Part) error {
	channel, ts, ok := strings.Cut(id, "/")
	if !ok || chatForm.FindStringSubmatch(channel+":"+ts) == nil {
		return rejected("bad_message", fmt.Sprintf("%q is not a message of Slack", id))
	}
	if failed := unfit(part); failed != nil {
		return failed
	}
	err := m.api.update(ctx, channel, ts, message(part, fetchable(part.Image)))
	if err == nil {
		return nil
	}
	return m.sendError(part.Chat, err, false)
}

// unfit refuses what Slack would cut off in silence, or answer in riddles.
func unfit(part adapters.Part) *adapters.SendError {
	switch n := utf8.RuneCountInString(part.Text); {
	case n > textLimit:
		return rejected("msg_too_long", fmt.Sprintf("the text has %d characters, %d are allowed", n, textLimit))
	case len(part.Choices) > limits.List.Max:
		return rejected("too_many_choices", fmt.Sprintf("%d choices, %d are allowed", len(part.Choices), limits.List.Max))
	case part.Text == "" && part.Image == "":
		return rejected("no_text", "there is nothing to show")
	}
	return nil
}

func rejected(code, reason string) *adapters.SendError {
	return &adapters.SendError{Consequence: adapters.Rejected, Code: code, Reason: reason}
}

// fetchable says that Slack's servers can load the picture: it is at a public address, not one of this machine or house.
func fetchable(image string) bool {
	u, err := url.Parse(image)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || len(image) > 3000 {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsGlobalUnicast() && !ip.IsPrivate()
	}
	return strings.Contains(host, ".") && !strings.HasSuffix(host, ".localhost") && !strings.HasSuffix(host, ".local")
}

// pictureRefused says that Slack took offence at the blocks, the picture among them, not at the chat.
func pictureRefused(err error) bool {
	refusal, ok := errors.AsType[*adapters.SendError](err)
	return ok && refusal.Consequence == adapters.Rejected
}

// goneCodes say that this chat takes no more messages from us.
var goneCodes = []string{
	"channel_not_found", "is_archived", "is_inactive", "user_disabled", "user_not_found", "user_not_visible", "users_not_found", "not_in_channel",
	"cannot_dm_bot", "restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_locked",
	"restricted_action_non_threadable_channel", "restricted_action_thread_only_channel", "thread_not_found", "team_disabled",
}

// partlyCodes come after some of the work may have been done.
var partlyCodes = []string{"internal_error", "fatal_error"}

// temporaryCodes come before any of it.
var temporaryCodes = []string{"service_unavailable", "request_timeout", "team_added_to_org", "accesslimited", "external_channel_migrating", "channel_is_limited_access"}

// sendError says what a failed call means for what comes next.
func (m *Messenger) sendError(chat string, err error, posting bool) *adapters.SendError {
	call, ok := errors.AsType[*callError](err)
	if !ok {
		return &adapters.SendError{Consequence: adapters.Unknown, Reason: m.api.redact(err.Error()), Err: err}
	}
	failed := &adapters.SendError{Code: call.Code, Reason: call.Message, Err: call}
	if call.Code == "" && call.Status != 0 {
		failed.Code = strconv.Itoa(call.Status)
	}
	switch {
	case call.throttled():
		failed.Consequence, failed.RetryAfter = adapters.Throttled, max(call.RetryAfter, time.Second)
		if call.Code == "message_limit_exceeded" {
			failed.RetryAfter = max(call.RetryAfter, time.Minute) // the workspace's limit is by the minute
		} else if posting {
			failed.PerChat = m.throttle.perChat(chat, m.now(), failed.RetryAfter)
		}
	case call.broken():
		failed.Consequence = adapters.Broken
	case call.Code == "" && call.Status == 0 && call.Left,
		slices.Contains(partlyCodes, call.Code),
		call.Status == http.StatusGatewayTimeout: // the gateway gave up, not the one behind it
		failed.Consequence = adapters.Unknown
	case call.Code == "" && call.Status == 0, call.Status >= 500, slices.Contains(temporaryCodes, call.Code):
		failed.Consequence = adapters.Temporary
	case slices.Contains(goneCodes, call.Code):
		failed.Consequence = adapters.Gone
	default:
		failed.Consequence = adapters.Rejected
	}
	return failed
}

// throttle guesses whose limit was met, which Slack does not say: the channel's (about one message a second), unless
// another channel is held back at the same time; then it is the app's in this workspace.
type throttle struct {
	mu    sync.Mutex
	chat  string
	until time.Time
}

func (t *throttle) perChat(chat string, now time.Time, pause time.Duration) bool {
	channel, _, _ := strings.Cut(chat, ":")
	t.mu.Lock()
	defer t.mu.Unlock()
	other := t.chat != "" && t.chat != channel && now.Before(t.until)
	t.chat, t.until = channel, now.Add(pause)
	return !other
}
